// SPDX-License-Identifier: GPL-2.0
// A message in CCM's own memory: waiting to be sent, arriving, or queued.
#pragma once

#include "core/key.hpp"
#include "core/wire.hpp"
#include "support/index.hpp"
#include "support/list.hpp"
#include "support/memory.hpp"
#include "support/tree.hpp"

namespace ccm {

class Mailbox;
struct Peer;

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

// What there is to know of a message depends on where it is. In the place of the one
// stands the other, so that all of it fits into the overhead.
struct Whereabouts {
	union {
		struct {
			u64 since_ms; // when a call arrived
			u64 turn;     // of a call that waits for a thread
			// Of a call that arrived: in which of the peer's
			// sessions. The next one's calls may have the same ids.
			u64 session;
			// Of a call that arrived: what is held for it. Of an answer
			// that waits, or was its call: that of the call, which its
			// peer gets back when the answer is accepted. So those that
			// wait are bounded.
			u64 owed;
		};
		Link filed[kForms]; // queued in a mailbox
	};
};

// Header of one allocation; the payload follows at kMessageOverhead.
struct Message : Hook<Message>, Branch<Message>, Whereabouts {
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

	// Of a message that is queued.
	Key file_key() const
	{
		return key;
	}
	static Message &of_filed(Link *filed)
	{
		auto *where = reinterpret_cast<Whereabouts *>(filed);

		return *static_cast<Message *>(where);
	}
	// It is queued no longer.
	void unfile()
	{
		since_ms = turn = session = owed = 0;
	}

	wire::Kind kind = wire::Kind::Message; // set by who makes it
	const u16 module;
	const Key key;
	u32 size; // changed by these two alone
private:
	const u32 room_; // for the payload
public:
	Peer *peer = nullptr; // it is charged to; referenced while it is

private:
	Message(u32 module_, const Key &key_, u32 size_)
		: module(static_cast<u16>(module_)), key(key_), size(size_),
		  room_(size_)
	{
		unfile();
	}
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
