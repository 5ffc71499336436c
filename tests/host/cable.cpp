// SPDX-License-Identifier: GPL-2.0
#include "cable.hpp"

#include <algorithm>
#include <cerrno>

namespace ccm_testing {

namespace {

constexpr size_t kUnreadMax = 256 << 10; // then the sender's socket stays full
constexpr u32 kRoomMax = 96 << 10;	 // of a sender's socket
constexpr u32 kRoundUs = 100;

} // namespace

Cable::Cable(Network &first, Network &second, u64 seed)
	: networks_{&first, &second}, random_(seed), thread_([this] { run(); })
{
}

Cable::~Cable()
{
	stop_ = true;
	thread_.join();
	for (Link &link : links_)
		for (Wire *end : link.ends)
			end->fail(ECONNRESET);
}

ccm_endpoint Cable::address_of(u32 number)
{
	return {.family = 4,
		.address = {10, 0, 0, static_cast<u8>(number)},
		.port = CCM_PORT_DEFAULT};
}

bool Cable::chance(u32 one_in)
{
	return !calm_ && random_.below(one_in) == 0;
}

void Cable::run()
{
	while (!stop_) {
		bool cut = cut_.exchange(false);

		dial(0);
		dial(1);
		for (Link &link : links_) {
			if (cut)
				for (Wire *end : link.ends)
					end->fail(ECONNRESET);
			serve(link);
		}
		std::erase_if(links_, [](const Link &link) {
			return link.ends[0]->closed() && link.ends[1]->closed();
		});
		std::this_thread::sleep_for(
			std::chrono::microseconds(kRoundUs));
	}
}

void Cable::dial(u32 from)
{
	while (Wire *caller = networks_[from]->dials()) {
		Wire *callee = chance(8) ? nullptr
					 : networks_[1 - from]->reach(
						   address_of(from + 1));

		if (!callee) {
			caller->fail(ECONNREFUSED);
			continue;
		}
		caller->join();
		callee->join();
		Link link;
		link.ends[from] = caller;
		link.ends[1 - from] = callee;
		links_.push_back(link);
		caller->establish();
	}
}

void Cable::serve(Link &link)
{
	if (link.held_back) {
		link.held_back--;
		return;
	}
	if (chance(300))
		link.held_back = random_.below(200);
	for (u32 from : {0, 1})
		if (!chance(4))
			carry(link, from);
}

// What an end has sent goes before its end does.
void Cable::carry(Link &link, u32 from)
{
	Wire &source = *link.ends[from];
	Wire &target = *link.ends[1 - from];
	bool closed = source.closed();
	bool finished = source.finished();

	if (link.over[from] || (!closed && target.unread() > kUnreadMax))
		return;
	Stream bytes = source.take_sent();
	if (!bytes.empty()) {
		deliver(target, bytes);
		source.set_room(1 + random_.below(kRoomMax));
	}
	if (closed) {
		link.over[from] = true;
		target.fail(ECONNRESET);
	} else if (finished && !link.ended[from]) {
		link.ended[from] = true;
		target.end();
	}
}

void Cable::deliver(Wire &target, const Stream &bytes)
{
	for (size_t at = 0; at < bytes.size();) {
		size_t left = bytes.size() - at;
		size_t piece =
			chance(2) ? left
				  : std::min<size_t>(left,
						     1 + random_.below(30000));
		auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at);

		target.deliver(Stream(
			begin, begin + static_cast<std::ptrdiff_t>(piece)));
		at += piece;
	}
}

} // namespace ccm_testing
