// SPDX-License-Identifier: GPL-2.0
// Something the listener has to look at.
#pragma once

#include "support/atomic.hpp"
#include "support/list.hpp"

namespace ccm {

class Listener;

// What there is to do, beside the bits of enum ccm_ready.
constexpr u32 kTransmit = 1u << 8; // a connection has frames to send
constexpr u32 kConnect = 1u << 9;  // to a peer
constexpr u32 kArrived = 1u << 11; // calls of this node to itself
constexpr u32 kClose = 1u << 10;   // the connection with a peer
constexpr u32 kPolicy = 1u << 12;  // of a peer has changed
constexpr u32 kPokeIt = 1u << 13;  // a peer that we may not connect to
constexpr u32 kBacklog = 1u << 14; // of the listening socket is to be sized

struct Work : Hook<Work> {
	enum class Of { Connection, Peer, Acceptor, Poke };

	explicit Work(Of of_) : of(of_)
	{
	}

	const Of of;
	Listener *listener = nullptr;
	Atomic<u32> bits;
};

} // namespace ccm
