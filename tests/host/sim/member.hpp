// SPDX-License-Identifier: GPL-2.0
// One of the nodes: what administrators and consumers do with it.
#pragma once

#include "kernel/kernel.h"
#include "random.hpp"
#include "sim/ledger.hpp"

#include <vector>

namespace ccm_testing {

// Module numbers: two that messages go to, and one for calls alone, so that
// nothing that nobody receives stops a call.
constexpr u32 kModules[] = {7, 9, 8};
constexpr u32 kCallModule = 2; // index
constexpr u32 kLargest = 150000;

enum Function : u32 {
	kShort,
	kLong,
	kWaits,
	kNested,
	kRemoves,     // the next
	kRemovesBack, // the one before
	kFunctions
};

// Peers are named by their numbers, from 1.
class Member {
public:
	// at: from 0.
	Member(Ledger &ledger, net &network, u32 at);
	~Member();
	Member(const Member &) = delete;
	Member &operator=(const Member &) = delete;

	u32 number() const
	{
		return at + 1;
	}
	// The one that the machine has now. One that is gone stays until the end:
	// somebody may be using it still.
	ccm_node *node() const
	{
		return node_.load(std::memory_order_acquire);
	}

	// --- administrators; what fails, fails ---

	void set_node();
	void delete_node();
	void add_peer(u32 peer);
	void delete_peer(u32 peer);
	// Listen, or connect; how long to wait for it.
	void meet(u32 peer, int timeout_ms);
	void close(u32 peer, int timeout_ms);
	void set_policy(u32 peer, u32 interval_ms);
	void ping(u32 peer);
	void poke(u32 peer);
	void look();
	ccm_peer_info peer(u32 number);
	// Connected with all, and nothing that was asked for will end that.
	bool is_joined();
	// Nobody has revoked it: it listens still.
	void see_that_it_listens(u32 peer);
	struct Calls {
		u32 on_threads = 0;
		u32 queued = 0;
		u32 awaited = 0;
	};
	// Adds those of this node.
	void count(Calls &calls);
	// As a fault is told.
	void print_calls();

	// --- consumers ---

	void attach(u32 module);
	void attach_all();
	void detach(u32 module);
	void regist(u32 function);
	// Whether it was, or why not; 1: somebody else is at it.
	int unregist(u32 function);
	// All that is missing.
	void join();
	// The consumers end, and begin no more. What waits in them ends.
	void end_consumers();
	// The namespace ends.
	void destroy();
	// And there is another one.
	void begin_again();

	Ledger &ledger;
	const u32 at;
	// A string that is another by the time it is read again, as a task's name
	// may be. Not under the thread sanitizer, which would be right.
	char name[48] = {};
	std::atomic<u32> running[kFunctions] = {};
	// From now on functions stay: calls that are on their way may run still.
	std::atomic<bool> quiet{false};

private:
	// Whatever ends an administrator's wish that a peer may connect, and the wish:
	// how many of these had begun by then.
	struct Wish {
		std::atomic<u32> begun{0};
		std::atomic<u32> ended{0};
		std::atomic<u32> since{~0u};
	};
	class Revoking;

	void make_node();
	void listen(u32 peer, int timeout_ms);
	bool enter();
	void leave();

	net &network_;
	std::atomic<ccm_node *> node_{nullptr};
	std::vector<ccm_node *> nodes_; // all there ever were
	Wish wishes_[kNodesMax];
	std::atomic<bool> claimed_[kFunctions] = {};
	std::atomic<u32> attaching_{0}; // or detaching
	std::atomic<bool> ended_{false};
};

// The function behind a number.
struct Offered {
	ccm_handler_kind kind;
	ccm_handler handler;
};
extern const Offered kOffered[kFunctions];

} // namespace ccm_testing
