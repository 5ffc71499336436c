// SPDX-License-Identifier: GPL-2.0
#include "words.hpp"

#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>

namespace ccmctl {

namespace {

constexpr std::array kStates = {
	"down", "connecting", "up", "suspect", "stalled", "closing",
};

struct Reason {
	const char *name;
	const char *words;
};

constexpr auto kReasons = std::to_array<Reason>({
	{"none", ""},
	{"admin", "asked for on this node"},
	{"goodbye", "the peer said goodbye"},
	{"broken", "the connection broke"},
	{"failed", "connecting failed"},
	{"late", "no handshake in time"},
	{"replaced", "the peer came with a new connection"},
	{"protocol", "it broke the protocol"},
	{"urgent", "urgent data on the connection"},
	{"stranger", "unknown node, or another address than configured"},
	{"cluster", "the clusters' names differ"},
	{"version", "the versions of the protocol differ"},
	{"unwanted", "the peer is not allowed to connect now"},
	{"crowded", "too many connections without a handshake"},
	{"silent", "it gave no sign of life for too long"},
	{"proof", "no proof of the cluster's key, or a wrong one"},
	{"keyless", "one of the two nodes has a key, the other is insecure"},
	{"taken",
	 "something else in the kernel, such as BPF, took the connection"},
	{"claimed", "another machine claims the same number"},
	{"path",
	 "what we send does not arrive: check the MTU of the path between"},
});

constexpr std::array kKinds = {
	"node",		"peer-add",  "peer-delete", "state", "refused",
	"call-refused", "heartbeat", "poke",	    "key",
};

constexpr std::array kCallKinds = {"none", "short", "long"};

constexpr std::array kCallWhats = {"short", "long", "queued", "awaited"};

// A newer module may know more.
template <class Table>
auto find(const Table &table, unsigned int number) -> decltype(&table[0])
{
	return number < table.size() ? &table[number] : nullptr;
}

std::string unknown(const char *what, unsigned int number)
{
	return std::string(what) + "-" + std::to_string(number);
}

std::string messages_text(std::uint64_t count, const char *what)
{
	if (count == 0)
		return "";
	return "; " + std::to_string(count) +
	       (count == 1 ? " message " : " messages ") + what;
}

std::string after_colon(const std::string &words)
{
	return words.empty() ? "" : ": " + words;
}

// Tells a peer that was away from one that is new.
std::string incarnation_text(std::uint64_t incarnation)
{
	std::array<char, 40> text{};

	if (incarnation == 0)
		return "";
	std::snprintf(text.data(), text.size(), ", incarnation 0x%016" PRIx64,
		      incarnation);
	return text.data();
}

// Says which number it is about.
std::string event_why_text(const Event &event)
{
	if (event.reason == CCM_REASON_CLAIMED)
		return "another machine claims number " +
		       std::to_string(event.node);
	return why_text(event.reason, event.error);
}

std::string refused_text(const Event &event, const std::string &number)
{
	std::string text = "refused a connection";

	if (event.remote)
		text += " from " + endpoint_text(*event.remote);
	if (event.node != 0)
		text += " by node " + number;
	return text + after_colon(event_why_text(event));
}

std::string refused_call_text(const Event &event)
{
	return "refused a call by node " + std::to_string(event.node) +
	       " to function " + std::to_string(event.function) +
	       " of module " + std::to_string(event.module) +
	       after_colon(refused_call_why(event.error));
}

}

std::string name_of(ccm_state state)
{
	const auto *name = find(kStates, state);
	return name != nullptr ? *name : unknown("state", state);
}

std::string name_of(ccm_reason reason)
{
	const auto *known = find(kReasons, reason);
	return known != nullptr ? known->name : unknown("reason", reason);
}

std::string name_of(ccm_event_kind kind)
{
	const auto *name = find(kKinds, kind);
	return name != nullptr ? *name : unknown("kind", kind);
}

std::string name_of(ccm_call_kind kind)
{
	const auto *name = find(kCallKinds, kind);
	return name != nullptr ? *name : unknown("kind", kind);
}

std::string name_of(ccm_call_what what)
{
	const auto *name = find(kCallWhats, what);
	return name != nullptr ? *name : unknown("what", what);
}

std::string refused_call_why(int error)
{
	switch (error) {
	case EOPNOTSUPP:
		return "there is no such handler";
	case EACCES:
		return "its handler is a long one, or there is no thread for "
		       "it";
	default:
		return std::strerror(error);
	}
}

std::string why_text(ccm_reason reason, int error)
{
	const auto *known = find(kReasons, reason);
	std::string words = known != nullptr ? known->words
					     : unknown("reason", reason);

	if (error != 0) {
		const char *cause = std::strerror(error);
		words += words.empty() ? cause : after_colon(cause);
	}
	return words;
}

std::string state_text(const Peer &peer)
{
	if (peer.self)
		return "self";
	return peer.deleting ? "deleting" : name_of(peer.state);
}

std::string event_text(const Event &event, const std::string &name)
{
	const std::string number = name.empty() ? std::to_string(event.node)
						: name;

	switch (event.kind) {
	case CCM_EVENT_KIND_NODE:
		return event.node != 0 ? "this is node " + number
				       : "this node is no longer configured";
	case CCM_EVENT_KIND_PEER_ADD:
		return "peer " + number + " was added";
	case CCM_EVENT_KIND_PEER_DELETE:
		return "peer " + number + " was deleted";
	case CCM_EVENT_KIND_STATE:
		return "peer " + number + " is " + name_of(event.state) +
		       incarnation_text(event.incarnation) +
		       after_colon(event_why_text(event)) +
		       messages_text(event.unsent, "not sent") +
		       messages_text(event.unknown, "of unknown fate");
	case CCM_EVENT_KIND_REFUSED:
		return refused_text(event, number);
	case CCM_EVENT_KIND_CALL_REFUSED:
		return refused_call_text(event);
	case CCM_EVENT_KIND_HEARTBEAT:
		return "peer " + number + " answered a heartbeat in " +
		       round_trip_text(event.rtt_us);
	case CCM_EVENT_KIND_POKE:
		return "peer " + number + " asks to be connected to";
	case CCM_EVENT_KIND_KEY:
		return "the cluster's key was set";
	}
	return "unknown event: " + name_of(event.kind);
}

std::string round_trip_text(std::uint64_t microseconds)
{
	constexpr double kUsPerMs = 1000;
	std::array<char, 32> text{};

	std::snprintf(text.data(), text.size(), "%.3f ms",
		      static_cast<double>(microseconds) / kUsPerMs);
	return text.data();
}

std::string quantity_text(std::size_t count, const std::string &what)
{
	return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string duration_text(std::uint64_t milliseconds)
{
	const std::uint64_t seconds = milliseconds / 1000;
	const std::uint64_t minutes = seconds / 60;
	const std::uint64_t hours = minutes / 60;

	if (minutes < 2)
		return std::to_string(seconds) + " s";
	if (hours < 2)
		return std::to_string(minutes) + " min";
	if (hours < 48)
		return std::to_string(hours) + " h";
	return std::to_string(hours / 24) + " d";
}

std::string size_text(std::uint64_t bytes)
{
	constexpr std::array kUnits = {"KiB", "MiB", "GiB", "TiB"};
	std::array<char, 32> text{};
	double size = static_cast<double>(bytes) / 1024;
	std::size_t unit = 0;

	if (bytes < 1024)
		return std::to_string(bytes);
	while (size >= 1024 && unit + 1 < kUnits.size()) {
		size /= 1024;
		unit++;
	}
	std::snprintf(text.data(), text.size(), "%.1f %s", size, kUnits[unit]);
	return text.data();
}

}
