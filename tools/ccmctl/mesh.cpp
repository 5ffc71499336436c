// SPDX-License-Identifier: GPL-2.0
#include "mesh.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace ccmctl {

namespace {

// The kernel takes no more of them, and the other side tries by itself.
constexpr std::chrono::seconds kBetweenPokes{1};

bool connected(ccm_state state)
{
	return state == CCM_STATE_UP || state == CCM_STATE_SUSPECT ||
	       state == CCM_STATE_STALLED;
}

bool same_times(const PeerConfig &a, const PeerConfig &b)
{
	return a.timeout_ms == b.timeout_ms && a.interval_ms == b.interval_ms &&
	       a.limit == b.limit;
}

PeerConfig config_of(const Peer &peer)
{
	return {peer.number, peer.remote.value_or(Endpoint()), peer.timeout_ms,
		peer.interval_ms, peer.limit};
}

}

// --- what is known ------------------------------------------------------------

void Mesh::want(const Wanted &wanted, Time now)
{
	wanted_ = wanted;
	for (auto &[number, link] : links_)
		link.wanted.reset();
	for (const PeerConfig &peer : wanted.peers) {
		if (peer.number == wanted.self)
			continue;
		Link &link = links_[peer.number];
		link.wanted = peer;
		link.rest = std::min(link.rest, now);
	}
	std::erase_if(links_, [](const auto &entry) {
		return !entry.second.wanted && !entry.second.seen;
	});
}

void Mesh::see(const std::vector<Peer> &peers, Time now)
{
	std::map<std::uint32_t, Link> there;

	for (const Peer &peer : peers) {
		if (peer.self)
			continue;
		Link link = links_[peer.number];
		if (!link.seen) {
			link.seen = Seen{{}, peer.state, false, false};
			link.next = now;
			link.up =
				now - std::chrono::milliseconds(peer.since_ms);
		}
		link.seen->config = config_of(peer);
		link.seen->listening = peer.listening;
		link.seen->deleting = peer.deleting;
		change(peer.number, link, peer.state, now);
		there.emplace(peer.number, link);
	}
	for (auto &[number, link] : links_) {
		link.seen.reset();
		if (link.wanted)
			there.emplace(number,
				      link); // if it is not yet in there
	}
	links_ = std::move(there);
	stale_ = false;
}

void Mesh::hear(const Event &event, Time now)
{
	const auto at = links_.find(event.node);
	const bool seen = at != links_.end() && at->second.seen;

	switch (event.kind) {
	case CCM_EVENT_KIND_STATE:
		if (!seen) {
			stale_ = true;
			break;
		}
		if (event.state == CCM_STATE_CLOSING ||
		    (event.state == CCM_STATE_DOWN &&
		     event.reason == CCM_REASON_ADMIN))
			at->second.seen->listening = false;
		change(event.node, at->second, event.state, now);
		break;
	case CCM_EVENT_KIND_PEER_ADD:
		stale_ = stale_ || !seen;
		break;
	case CCM_EVENT_KIND_PEER_DELETE:
		if (!seen)
			break;
		if (at->second.seen->deleting)
			gone(at);
		else // it may be the old one of a peer that has come back
			stale_ = true;
		break;
	case CCM_EVENT_KIND_POKE:
		if (seen && event.node > wanted_.self)
			poked(at->second, now);
		break;
	default:
		break;
	}
}

void Mesh::gone(Links::iterator at)
{
	at->second.seen.reset();
	if (!at->second.wanted)
		links_.erase(at);
}

void Mesh::change(std::uint32_t number, Link &link, ccm_state to, Time now)
{
	const ccm_state from = std::exchange(link.seen->state, to);

	if (connected(to) && !connected(from))
		link.up = now;
	if (to != CCM_STATE_DOWN || from == CCM_STATE_DOWN)
		return;
	// One that comes up only to go down again gets longer pauses too.
	if (connected(from) && now - link.up >= wanted_.most)
		link.failures = 0;
	const Pause wait = pause(link.failures++);
	if (number < wanted_.self)
		link.next = now + std::max<Time::duration>(wait, kBetweenPokes);
	else
		link.next = std::max(
			(from == CCM_STATE_CONNECTING ? link.began : now) +
				wait,
			now + pause(0));
}

// It is there, and has no connection: if we think that it has, the other end of
// it may be gone, and will say so to whatever is sent.
void Mesh::poked(Link &link, Time now)
{
	link.failures = 0;
	link.next = std::min(link.next, now);
	link.ping = connected(link.seen->state);
}

Mesh::Pause Mesh::pause(unsigned int failures) const
{
	Pause whole = wanted_.first;

	for (; failures > 0 && whole < wanted_.most; failures--)
		whole *= 2;
	whole = std::min(whole, wanted_.most);
	return std::chrono::duration_cast<Pause>(whole * (1 - chance_() / 2));
}

// --- what to do -----------------------------------------------------------------

std::optional<Mesh::What> Mesh::what_for(std::uint32_t number, const Link &link,
					 Time now) const
{
	if (now < link.rest)
		return std::nullopt;
	if (!link.seen)
		return link.wanted ? std::optional(What::Add) : std::nullopt;
	if (link.seen->deleting)
		return std::nullopt;
	const bool stays = link.wanted &&
			   link.wanted->remote == link.seen->config.remote;
	if (stays && !same_times(*link.wanted, link.seen->config))
		return What::Set;
	if (stays)
		return what_for_connection(number, link, now);
	// So that its goodbye is told as one.
	if (link.seen->state == CCM_STATE_DOWN)
		return What::Delete;
	if (link.seen->state == CCM_STATE_CLOSING)
		return std::nullopt;
	return What::Close;
}

std::optional<Mesh::What> Mesh::what_for_connection(std::uint32_t number,
						    const Link &link,
						    Time now) const
{
	const ccm_state state = link.seen->state;

	if (state == CCM_STATE_CLOSING)
		return std::nullopt;
	if (number < wanted_.self && !link.seen->listening)
		return What::Listen;
	if (connected(state) && link.ping)
		return What::Ping;
	if (state != CCM_STATE_DOWN || now < link.next)
		return std::nullopt;
	return number < wanted_.self ? What::Poke : What::Connect;
}

std::vector<Mesh::Operation> Mesh::due(Time now) const
{
	std::vector<Operation> operations;

	for (const auto &[number, link] : links_) {
		const auto what = what_for(number, link, now);
		if (!what)
			continue;
		PeerConfig peer = link.wanted.value_or(PeerConfig());
		peer.number = number;
		operations.push_back({*what, peer});
	}
	return operations;
}

std::optional<Mesh::Time> Mesh::next(Time now) const
{
	std::optional<Time> first;

	for (const auto &[number, link] : links_) {
		for (const Time when :
		     {std::max(link.rest, now),
		      std::max({link.rest, link.next, now})}) {
			if (!what_for(number, link, when))
				continue;
			first = std::min(first.value_or(when), when);
			break;
		}
	}
	return first;
}

void Mesh::did(const Operation &operation, int error, Time now)
{
	Link &link = links_[operation.peer.number];

	// These two only ask; nothing is wrong here if they fail.
	if (operation.what == What::Ping)
		link.ping = false;
	else if (operation.what == What::Poke)
		link.next =
			now + std::max<Time::duration>(pause(link.failures++),
						       kBetweenPokes);
	else if (error == 0)
		done(operation, link, now);
	else
		link.rest = now + pause(link.failures++);
	// Somebody else may have changed the peer.
	stale_ = stale_ || error != 0;
}

void Mesh::done(const Operation &operation, Link &link, Time now)
{
	switch (operation.what) {
	case What::Add:
		link.seen = Seen{operation.peer, CCM_STATE_DOWN, false, false};
		link.failures = 0;
		link.next = now;
		break;
	case What::Set:
		link.seen->config = operation.peer;
		break;
	case What::Delete:
		link.seen->deleting = true;
		break;
	case What::Connect:
		link.seen->state = CCM_STATE_CONNECTING;
		link.began = now;
		break;
	case What::Listen:
		link.seen->listening = true;
		break;
	case What::Close:
		link.seen->state = CCM_STATE_CLOSING;
		link.seen->listening = false;
		break;
	case What::Poke:
	case What::Ping:
		break;
	}
}

}
