// SPDX-License-Identifier: GPL-2.0
#include "log.hpp"

#include <cstdlib>
#include <iostream>
#include <optional>

#include "words.hpp"

namespace ccmctl {

namespace {

constexpr std::chrono::minutes kBetweenRepeats{1};
constexpr std::size_t kMostRepeats = 1000; // to keep in mind

// Nothing for what is of no interest, or is said by whoever did it.
std::optional<int> priority_of(const Event &event)
{
	switch (event.kind) {
	case CCM_EVENT_KIND_STATE:
		if (event.state == CCM_STATE_UP)
			return LOG_NOTICE;
		if (event.state == CCM_STATE_CONNECTING ||
		    event.state == CCM_STATE_CLOSING)
			return std::nullopt;
		return LOG_WARNING;
	case CCM_EVENT_KIND_REFUSED:
		return LOG_WARNING;
	case CCM_EVENT_KIND_PEER_ADD:
	case CCM_EVENT_KIND_PEER_DELETE:
	case CCM_EVENT_KIND_POKE:
	case CCM_EVENT_KIND_KEY:
		return LOG_INFO;
	default:
		return std::nullopt;
	}
}

bool is_attempt(const Event &event)
{
	return event.kind == CCM_EVENT_KIND_REFUSED ||
	       event.kind == CCM_EVENT_KIND_POKE ||
	       (event.kind == CCM_EVENT_KIND_STATE &&
		event.reason == CCM_REASON_FAILED);
}

}

void Log::say(int priority, std::string_view text)
{
	static const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
	std::string line;

	if (journal)
		line = "<" + std::to_string(priority) + ">";
	line.append(text).append("\n");
	std::cerr << line; // at once
}

void Log::say(const Event &event, const Names &names, Time now)
{
	const auto priority = priority_of(event);
	const auto name = names.find(event.node);

	// What fails after the peer was up is news.
	if (event.kind == CCM_EVENT_KIND_STATE && event.state == CCM_STATE_UP)
		std::erase_if(said_, [&](const auto &entry) {
			return entry.first.first == event.node;
		});
	if (!priority || (is_attempt(event) && repeated(event, now)))
		return;
	say(*priority,
	    event_text(event, name == names.end() ? "" : name->second));
}

bool Log::repeated(const Event &event, Time now)
{
	// Strangers may come from anywhere, at each attempt from another port.
	Event what = event;
	if (what.remote)
		what.remote->port = 0;
	if (said_.size() >= kMostRepeats)
		said_.clear();
	const auto [at, is_new] =
		said_.emplace(What(event.node, event_text(what)), now);

	if (!is_new && now - at->second < kBetweenRepeats)
		return true;
	at->second = now;
	return false;
}

}
