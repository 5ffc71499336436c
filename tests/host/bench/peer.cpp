// SPDX-License-Identifier: GPL-2.0
// Threads that wait to send to one peer, under many module numbers.
#include "core/node.hpp"

#include "bench/cases.hpp"

using namespace ccm;

namespace {

constexpr u32 kChannels = 512;

// Their numbers have all the room that they want: only the peer's queue is full.
struct Admit {
	explicit Admit(u32 others)
		: node(ccm_core_create(nullptr)),
		  peer(create<Peer>(MaySleep::Yes, *node,
				    ccm_peer_config{.number = 2}, false)),
		  count(others), senders(static_cast<Sender *>(ccm_object_alloc(
					 count * sizeof(Sender), true)))
	{
		Guard guard(peer->lock);

		peer->queued = kQueueMax;
		for (u32 nth = 0; nth < count; nth++)
			let_wait(nth);
	}
	~Admit()
	{
		{
			Guard guard(peer->lock);

			peer->fail_senders_locked(EHOSTDOWN);
		}
		for (u32 nth = 0; nth < count; nth++)
			Message::drop(senders[nth].message);
		peer->put();
		ccm_core_destroy(node);
		ccm_object_free(senders);
	}
	void let_wait(u32 nth)
	{
		u32 module = 1 + nth % kChannels;
		Channel *channel = peer->channel_locked(module);
		Message *message = Message::make(
			module, {.node = 2, .type = 1, .seqn = nth}, 0,
			MaySleep::No);

		if (!channel || !message)
			bench::die("no memory");
		channel->send.limit = ~0ull;
		Sender *sender = new (&senders[nth]) Sender(message);
		sender->sleeper.begin();
		sender->turn = ++last_turn;
		channel->waiting.push_back(sender);
		if (channel->waiting.front() == sender)
			peer->review_locked(*channel);
	}
	// The pump has sent one.
	void step(u32)
	{
		Guard guard(peer->lock);

		peer->queued = kQueueMax - 1;
		peer->admit_waiting_locked();
		if (!senders[first].sleeper.ended())
			bench::die("it is not admitted");
		Message::drop(peer->take_queued_locked());
		let_wait(first);
		first = (first + 1) % count;
	}

	ccm_node *const node;
	Peer *const peer;
	const u32 count;
	Sender *const senders;
	u64 last_turn = 0;
	u32 first = 0; // of those that wait
};

} // namespace

constexpr bench::Case bench::kAdmit = make_case<Admit>(
	"admit", "a sender goes on as the queue has room, and another waits");
