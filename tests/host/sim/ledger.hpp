// SPDX-License-Identifier: GPL-2.0
// What was sent and called in a round, and what came of it. Each number is
// written down by whoever sends and by whoever receives, and the second of them
// finds what must not be. Without locks, so that the threads of a round are not
// put in order by it.
#pragma once

#include "sim/fault.hpp"

#include <memory>

namespace ccm_testing {

constexpr u32 kNodesMax = 4;
constexpr u32 kWorkersMax = 4;	   // threads of each node
constexpr u32 kMessageModules = 2; // module numbers that messages go to
constexpr u32 kNumbersMax = 1 << 10;

// The messages of one thread to one node, under one module number.
class Flow {
public:
	// Of the next attempt; 0: enough for one round.
	u32 begin();
	void refused(u32 number);
	void received(u32 number);
	// Whoever alone receives sees them in their order.
	void received_in_order(u32 number);
	bool claim()
	{
		return !claimed_.exchange(true, std::memory_order_acquire);
	}
	void let_go()
	{
		claimed_.store(false, std::memory_order_release);
	}
	u32 newest() const
	{
		return last_.load(std::memory_order_relaxed);
	}

private:
	enum : u8 { kReceived = 1, kRefused = 2 };

	std::atomic<u32> last_{0};
	std::atomic<u8> seen_[kNumbersMax] = {};
	std::atomic<bool> claimed_{false};
	u32 received_ = 0; // whoever has claimed it
};

// One thread's calls to short handlers of one node, without an answer: they run
// in the order in which they were accepted, and before messages that follow.
class ShortCalls {
public:
	void run(u32 number);
	// A message has been received that was sent after this call.
	void passed_by(u32 number);

private:
	std::atomic<u32> last_{0};
	std::atomic<u32> passed_{0};
};

// All calls.
class CallLog {
public:
	// 0: enough for one round.
	u64 begin();
	void run(u64 id);
	// Its caller was told that it has not run, and will not.
	void not_run(u64 id);
	// An asynchronous one has begun, or has ended.
	void begun(u64 id);
	void ended(u64 id);
	u32 count() const
	{
		return static_cast<u32>(last_.load(std::memory_order_relaxed));
	}
	// At the end: each that has begun has ended.
	void check() const;

private:
	enum : u8 { kRun = 1, kNotRun = 2, kBegun = 4, kEnded = 8 };
	static constexpr u64 kCallsMax = 1 << 14;

	u8 note(u64 id, u8 bit);

	std::atomic<u64> last_{0};
	std::atomic<u8> seen_[kCallsMax] = {};
};

// Nodes are counted from 0 here.
struct Ledger {
	explicit Ledger(u32 nodes_) : nodes(nodes_)
	{
	}

	u32 count_messages() const;

	const u32 nodes;
	Flow flows[kNodesMax][kWorkersMax][kNodesMax][kMessageModules];
	ShortCalls shorts[kNodesMax][kWorkersMax][kNodesMax];
	CallLog calls;
};

// The error says that a call has not run (api.rst, CCM_rcall).
bool says_not_run(int error);

} // namespace ccm_testing
