// SPDX-License-Identifier: GPL-2.0
// What this node and a peer have to do with each other under one module number.
#pragma once

#include "core/limit.hpp"

namespace ccm {

// All under the peer's lock.
struct Channel : Hook<Channel> {
	explicit Channel(u32 module_) : module(module_)
	{
	}

	const u32 module;
	SendLimit send;
	ReceiveLimit receive;
	u32 waiting = 0;   // senders asleep
	u64 passed_by = 0; // the last round in which one of them did not fit
};

} // namespace ccm
