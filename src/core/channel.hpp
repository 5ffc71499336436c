// SPDX-License-Identifier: GPL-2.0
// What this node and a peer have to do with each other under one module number.
#pragma once

#include "core/limit.hpp"
#include "support/lock.hpp"

namespace ccm {

struct Channel;

// A thread that sends and waits for room; it stands on its stack. All under the peer's
// lock.
struct Sender : Hook<Sender> {
	explicit Sender(Message *message_) : message(message_)
	{
	}

	Message *const message;	    // not its own any more once it is accepted
	Channel *channel = nullptr; // in which it waits
	u64 turn = 0;		    // among all that wait
	int error = 0;
	Sleeper sleeper;
};

// All under the peer's lock.
struct Channel : Hook<Channel>, Branch<Channel> {
	explicit Channel(u32 module_) : module(module_)
	{
	}

	u64 order() const
	{
		return turn;
	}

	const u32 module;
	SendLimit send;
	ReceiveLimit receive;
	List<Sender> waiting;  // asleep, in the order of their coming
	bool eligible = false; // the first of them has room here
	u64 turn = 0;	       // of that one, then
};

} // namespace ccm
