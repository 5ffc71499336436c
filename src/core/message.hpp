// SPDX-License-Identifier: GPL-2.0
// A message in CCM's own memory: waiting to be sent, arriving, or queued.
#pragma once

#include "core/wire.hpp"
#include "kernel/kernel.h"
#include "support/list.hpp"
#include "support/memory.hpp"
#include "support/tree.hpp"

namespace ccm {

struct Channel;
class Mailbox;
struct Peer;
struct Sender;

// What tells messages of one module number apart.
struct Key {
	u32 node; // the other node: destination of ours, source of theirs
	u32 type; // of a call: the function
	u32 seqn;
};

// Bytes in front of every message's payload, and part of what it is charged.
constexpr size_t kMessageOverhead = 128;

// The memory that a buffer of this size takes, which is what the allocator
// gives and both ends of a connection charge.
constexpr u64 buffer_cost(u64 size)
{
	constexpr u64 kSmallest = 256;
	constexpr u64 kLargestSlab = 8192;
	constexpr u64 kPage = 4096;
	u64 cost = kSmallest;

	if (size > kLargestSlab)
		return (size + kPage - 1) / kPage * kPage;
	while (cost < size)
		cost *= 2;
	return cost;
}

// What a message of this size is charged against its receiver's limit.
constexpr u64 charge_of(u32 size)
{
	return buffer_cost(kMessageOverhead + size);
}

// Header of one allocation; the payload follows at kMessageOverhead.
struct Message : Hook<Message>, Branch<Message> {
	static Message *make(u32 module, const Key &key, u32 size,
			     MaySleep may_sleep);
	static void drop(Message *message);
	static Message *of_payload(void *payload);

	u64 order() const
	{
		return turn;
	}
	u8 *payload();
	// While nobody else knows it.
	void shorten(u32 to)
	{
		size = to;
	}
	// A call, to its own answer, which takes over what the call is charged.
	void become_answer(u32 answer_size)
	{
		kind = wire::Kind::Answer;
		owed = owed ? owed : charge();
		size = answer_size;
	}
	u64 charge() const
	{
		return charge_of(size);
	}

	wire::Kind kind = wire::Kind::Message; // set by who makes it
	const u32 module;
	const Key key;
	u32 size;		    // changed by these two alone
	Peer *peer = nullptr;	    // of the channel; referenced while charged
	Channel *channel = nullptr; // whose held bytes this is part of
	Sender *sender = nullptr;   // asleep until it is accepted
	u64 since_ms = 0;	    // when a call arrived
	u64 turn = 0;		    // of a call that waits for a thread
	// Of a call that arrived: in which of the peer's sessions. The next
	// one's calls may have the same ids.
	u64 session = 0;
	// Of a call that arrived: what is held for it. Of an answer that waits, or was
	// its call: that of the call, which its peer gets back when the answer is
	// accepted. So those that wait are bounded.
	u64 owed = 0;

private:
	Message(u32 module_, const Key &key_, u32 size_)
		: module(module_), key(key_), size(size_), room_(size_)
	{
	}

	const u32 room_; // for the payload
};

// The message is no longer queued here: its sender gets the room back.
void uncharge(Message &message);

// Nobody wants it any more, or all that was in it has been done.
inline void discard(Message *message)
{
	uncharge(*message);
	Message::drop(message);
}

// A call that has arrived, for reports.
inline ccm_call_info describe(const Message &call, ccm_call_what what)
{
	return {.what = what,
		.node = call.key.node,
		.module = call.module,
		.function = call.key.type,
		.seqn = call.key.seqn,
		.age_ms = ccm_now_ms() - call.since_ms};
}

static_assert(sizeof(Message) <= kMessageOverhead);

} // namespace ccm
