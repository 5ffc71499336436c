// SPDX-License-Identifier: GPL-2.0
//
// ping: one heartbeat after another, and how long each answer takes.
#include "commands.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <iostream>

#include <poll.h>

#include "ccm.hpp"
#include "json.hpp"
#include "round_trips.hpp"
#include "signals.hpp"
#include "words.hpp"

namespace ccmctl {

namespace {

using Clock = Listener::Clock;
using std::chrono::microseconds;

class Pinger {
public:
	Pinger(std::uint32_t number, const PingOptions &options, bool json)
		: number_(number), options_(options), json_(json),
		  signals_({SIGINT, SIGTERM}), listener_(ccm_.listener())
	{
	}

	// As often as told, or until it is stopped.
	const RoundTrips &run();

private:
	void ping();
	std::string send();
	std::optional<std::uint64_t> answer(Clock::time_point deadline);
	bool wait(Clock::time_point deadline);
	void tell(const std::string &text) const;

	std::uint32_t number_;
	PingOptions options_;
	bool json_;
	Ccm ccm_;
	Signals signals_;
	Listener listener_;
	Clock::time_point sent_;
	RoundTrips trips_;
	bool stopped_ = false;
};

Clock::duration seconds(double count)
{
	return std::chrono::ceil<Clock::duration>(
		std::chrono::duration<double>(count));
}

const RoundTrips &Pinger::run()
{
	while (!stopped_) {
		ping();
		if (options_.count != 0 && trips_.sent >= options_.count)
			break;
		while (!stopped_ && wait(sent_ + seconds(options_.interval)))
			listener_.hear(Clock::now());
	}
	return trips_;
}

void Pinger::ping()
{
	const std::string what = std::to_string(trips_.sent + 1);

	sent_ = Clock::now();
	trips_.sent++;
	const std::string problem = send();
	if (!problem.empty()) {
		tell("heartbeat " + what + ": " + problem);
		return;
	}
	const auto rtt_us = answer(sent_ + seconds(options_.wait));
	if (rtt_us) {
		trips_.add(*rtt_us);
		tell("node " + std::to_string(number_) +
		     " answered heartbeat " + what + " in " +
		     round_trip_text(*rtt_us));
	} else if (stopped_) {
		trips_.sent--; // nobody waited for it
	} else {
		tell("heartbeat " + what + ": no answer");
	}
}

// What keeps the heartbeat from being sent now, but may not later.
std::string Pinger::send()
{
	try {
		ccm_.ping(number_);
		return "";
	} catch (const Refused &refused) {
		if (refused.error() != EHOSTDOWN && refused.error() != ENOTCONN)
			throw;
		return refused.what();
	}
}

// One that took longer than this heartbeat is there answers an earlier one.
std::optional<std::uint64_t> Pinger::answer(Clock::time_point deadline)
{
	while (wait(deadline)) {
		for (const auto &message : listener_.hear(Clock::now())) {
			const auto event = read_event(message.get());
			if (event && event->kind == CCM_EVENT_KIND_HEARTBEAT &&
			    event->node == number_ &&
			    microseconds(event->rtt_us) <= Clock::now() - sent_)
				return event->rtt_us;
		}
	}
	return std::nullopt;
}

// True if there may be something to hear; false at the deadline, or stopped.
bool Pinger::wait(Clock::time_point deadline)
{
	using std::chrono::milliseconds;
	pollfd ready[] = {{listener_.fd(), POLLIN, 0},
			  {signals_.fd(), POLLIN, 0}};
	const auto left =
		std::chrono::ceil<milliseconds>(deadline - Clock::now());

	if (left.count() <= 0)
		return false;
	poll(ready, std::size(ready), static_cast<int>(left.count()));
	stopped_ = stopped_ || signals_.take().has_value();
	return !stopped_ && Clock::now() < deadline;
}

void Pinger::tell(const std::string &text) const
{
	if (!json_)
		std::cout << text << std::endl;
}

}

void ping_peer(std::uint32_t number, const PingOptions &options, bool json)
{
	Pinger pinger(number, options, json);
	const RoundTrips &trips = pinger.run();

	if (json)
		print_json(std::cout, number, trips);
	else
		std::cout << "node " << number << ": " << summary_text(trips)
			  << '\n';
	if (trips.answered == 0)
		throw Failure("node " + std::to_string(number) +
			      " has not answered; ccmctl show " +
			      std::to_string(number) + " says how it is");
}

}
