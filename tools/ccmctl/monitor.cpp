// SPDX-License-Identifier: GPL-2.0
#include "commands.hpp"

#include <array>
#include <cstdio>
#include <ctime>
#include <iostream>

#include "ccm.hpp"
#include "json.hpp"
#include "words.hpp"

namespace ccmctl {

namespace {

struct Moment {
	std::tm date{};
	long milliseconds = 0;
};

Moment now(std::tm *(*in_zone)(const std::time_t *, std::tm *))
{
	constexpr long kNsPerMs = 1000000;
	std::timespec time{};
	Moment moment;

	(void)std::timespec_get(&time, TIME_UTC);
	in_zone(&time.tv_sec, &moment.date);
	moment.milliseconds = time.tv_nsec / kNsPerMs;
	return moment;
}

std::string text_of(const Moment &moment, const char *format)
{
	std::array<char, 64> date{};
	std::array<char, 8> fraction{};

	(void)std::strftime(date.data(), date.size(), format, &moment.date);
	(void)std::snprintf(fraction.data(), fraction.size(), ".%03ld",
			    moment.milliseconds);
	return std::string(date.data()) + fraction.data();
}

std::string for_people()
{
	return text_of(now(localtime_r), "%H:%M:%S") + "  ";
}

// ISO 8601.
std::string for_scripts()
{
	return text_of(now(gmtime_r), "%Y-%m-%dT%H:%M:%S") + "Z";
}

std::string peer_text(const Peer &peer)
{
	const std::string why = why_text(peer.reason, peer.error);

	return "peer " + std::to_string(peer.number) + " is " +
	       state_text(peer) + (why.empty() ? "" : ": " + why);
}

std::string left_out_text(const Event &event)
{
	return event.left_out == 0 ? ""
				   : " (" + std::to_string(event.left_out) +
					     " before it left out)";
}

void tell(const Event &event, bool json)
{
	if (json)
		print_json_line(std::cout, for_scripts(), event);
	else
		std::cout << for_people() << event_text(event)
			  << left_out_text(event) << std::endl;
}

void tell_all(const std::vector<Peer> &peers, bool json)
{
	if (json) {
		print_json_line(std::cout, for_scripts(), peers);
		return;
	}
	std::cout << for_people() << "events were lost; the state now:\n";
	for (const auto &peer : peers)
		std::cout << for_people() << peer_text(peer) << '\n';
	std::cout.flush();
}

using Deadline = std::optional<Listener::Clock::time_point>;

// False if nothing came.
bool tell_next(Listener &listener, Deadline deadline, bool json)
{
	const auto messages = listener.hear(deadline);

	for (const auto &message : messages) {
		const auto event = read_event(message.get());
		if (event)
			tell(*event, json);
	}
	return !messages.empty();
}

// Those that are still there came before those that were lost. What has been
// missed is in the present state.
void make_up(Ccm &ccm, Listener &listener, bool json)
{
	while (tell_next(listener, Listener::Clock::now(), json) ||
	       listener.lost())
		;
	tell_all(ccm.peers(), json);
}

}

void monitor(bool json)
{
	Ccm ccm;
	Listener listener = ccm.listener();

	for (;;) {
		tell_next(listener, std::nullopt, json);
		if (listener.lost())
			make_up(ccm, listener, json);
	}
}

}
