// SPDX-License-Identifier: GPL-2.0
//
// connect, listen and close: they start something, and can wait for its end.
#include "commands.hpp"

#include <cerrno>
#include <chrono>
#include <string>

#include "ccm.hpp"
#include "words.hpp"

namespace ccmctl {

namespace {

using Clock = Listener::Clock;

enum class Progress { Going, Reached, Failed };

struct Verb {
	const char *name;
	void (Ccm::*ask)(std::uint32_t number);
	Progress (*progress)(const Peer &peer);
};

// One attempt, which has ended when the peer is down again.
Progress connect_progress(const Peer &peer)
{
	if (peer.state == CCM_STATE_UP)
		return Progress::Reached;
	return peer.state == CCM_STATE_DOWN ? Progress::Failed
					    : Progress::Going;
}

// The peer may try as often as it likes, until somebody closes it.
Progress listen_progress(const Peer &peer)
{
	if (peer.state == CCM_STATE_UP)
		return Progress::Reached;
	return peer.listening ? Progress::Going : Progress::Failed;
}

Progress close_progress(const Peer &peer)
{
	return peer.state == CCM_STATE_DOWN ? Progress::Reached
					    : Progress::Going;
}

constexpr Verb kConnect = {"connect", &Ccm::connect, connect_progress};

constexpr Verb kListen = {"listen", &Ccm::listen, listen_progress};

constexpr Verb kClose = {"close", &Ccm::close, close_progress};

// The other side tells its own administrator why it refuses, not us.
std::string advice_for(const Peer &peer)
{
	if (peer.reason != CCM_REASON_FAILED)
		return "";
	if (peer.error == ECONNREFUSED)
		return "; is there a node at this address and port?";
	if (peer.error == ECONNRESET || peer.error == EPROTO)
		return "; 'ccmctl monitor' on the peer says why it refuses";
	return "";
}

// Waits for the end of what was asked. Events only say when to look again:
// what the module tells about the peer is never out of date.
class Waiter {
public:
	Waiter(Ccm &ccm, const Verb &verb, std::uint32_t number)
		: ccm_(ccm), verb_(verb), number_(number),
		  listener_(ccm.listener())
	{
	}

	void wait(Clock::time_point deadline);

private:
	void hear(Clock::time_point deadline);
	[[noreturn]] void fail(const Peer &peer, const char *how) const;

	Ccm &ccm_;
	const Verb &verb_;
	std::uint32_t number_;
	Listener listener_;
	std::string refusal_; // the last one that concerned the peer
};

void Waiter::wait(Clock::time_point deadline)
{
	for (;;) {
		const Peer peer = ccm_.peer(number_);
		const Progress progress = verb_.progress(peer);

		if (progress == Progress::Reached)
			return;
		if (progress == Progress::Failed)
			fail(peer, "failed");
		if (Clock::now() >= deadline)
			fail(peer, "is not done in time");
		hear(deadline);
	}
}

void Waiter::hear(Clock::time_point deadline)
{
	for (const auto &message : listener_.hear(deadline)) {
		const auto event = read_event(message.get());
		if (event && event->kind == CCM_EVENT_KIND_REFUSED &&
		    (event->node == number_ || event->node == 0))
			refusal_ = event_text(*event);
	}
}

void Waiter::fail(const Peer &peer, const char *how) const
{
	const std::string why = why_text(peer.reason, peer.error);
	std::string text = std::string(verb_.name) + " " +
			   std::to_string(number_) + " " + how +
			   ": the peer is " + state_text(peer);

	if (!why.empty())
		text += " (" + why + ")" + advice_for(peer);
	if (!refusal_.empty())
		text += "; this node " + refusal_;
	throw Failure(text);
}

void run(const Verb &verb, std::uint32_t number, std::optional<double> wait)
{
	Ccm ccm;
	std::optional<Waiter> waiter;

	// It has to listen before there is anything to hear.
	if (wait)
		waiter.emplace(ccm, verb, number);
	(ccm.*verb.ask)(number);
	if (wait)
		waiter->wait(Clock::now() +
			     std::chrono::ceil<Clock::duration>(
				     std::chrono::duration<double>(*wait)));
}

}

void connect_peer(std::uint32_t number, std::optional<double> wait)
{
	run(kConnect, number, wait);
}

void listen_to_peer(std::uint32_t number, std::optional<double> wait)
{
	run(kListen, number, wait);
}

void close_peer(std::uint32_t number, std::optional<double> wait)
{
	run(kClose, number, wait);
}

}
