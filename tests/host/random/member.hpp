// SPDX-License-Identifier: GPL-2.0
// One of the two nodes: what administrators and consumers do with it.
#pragma once

#include "cable.hpp"
#include "random/ledger.hpp"

#include <shared_mutex>

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

class Member {
public:
	// at: 0 or 1.
	Member(Ledger &ledger, net &network, u32 at);
	~Member();
	Member(const Member &) = delete;
	Member &operator=(const Member &) = delete;

	u32 number() const
	{
		return at + 1;
	}
	u32 other() const
	{
		return kNodes - at;
	}

	// --- administrators; what fails, fails ---

	void set_node();
	void delete_node();
	void add_peer();
	void delete_peer();
	// Listen, or connect; how long to wait for it.
	void meet(int timeout_ms);
	void close(int timeout_ms);
	void set_policy(u32 interval_ms);
	void ping();
	void poke();
	void look();
	void print_calls();
	ccm_peer_info peer(u32 number);
	// Connected, and nothing that was asked for will end that.
	bool is_joined();
	struct Calls {
		u32 on_threads = 0;
		u32 queued = 0;
		u32 awaited = 0;
	};
	// Adds those of this node.
	void count(Calls &calls);

	// --- consumers ---

	void attach(u32 module);
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

	Ledger &ledger;
	const u32 at;
	ccm_node *const node;
	// A string that is another by the time it is read again, as a task's name
	// may be. Not under the thread sanitizer, which would be right.
	char name[48] = {};
	std::atomic<u32> running[kFunctions] = {};
	// From now on functions stay: calls that are on their way may run still.
	std::atomic<bool> quiet{false};

private:
	std::atomic<bool> claimed_[kFunctions] = {};
	std::shared_mutex ending_; // protects:
	bool ended_ = false;
};

// The function behind a number.
struct Offered {
	ccm_handler_kind kind;
	ccm_handler handler;
};
extern const Offered kOffered[kFunctions];

} // namespace ccm_testing
