// SPDX-License-Identifier: GPL-2.0
// Asks a peer that we may not connect to, as its number is lower, to connect now:
// a Hello that says so, on a connection for this alone.
#pragma once

#include "core/work.hpp"
#include "kernel/kernel.h"

namespace ccm {

struct Node;
struct OfPokes;

// The listener's thread's own. Nothing depends on its arrival.
class Poke : public Work, public Hook<OfPokes> {
public:
	Poke(Listener &listener, const Node &node,
	     const ccm_peer_config &config);
	~Poke();

	// When these return it may be gone.
	void begin();
	void serve();

	const u32 to;
	const u64 deadline_ms;
	ccm_socket *socket = nullptr;

private:
	void say();

	const Node &node_;
	const ccm_endpoint remote_;
	bool said_ = false;
};

} // namespace ccm
