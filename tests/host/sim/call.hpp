// SPDX-License-Identifier: GPL-2.0
// A call between nodes, with arguments and an answer that can be checked.
#pragma once

#include "sim/member.hpp"

#include <vector>

namespace ccm_testing {

// Who calls, and how; all of it goes along.
struct Question {
	u64 id;
	u32 source; // node, from 0
	u32 thread;
	u32 number;   // of ShortCalls; 0: not of these
	size_t bytes; // of arguments besides

	// Of what has come; whatever is wrong with it is a fault.
	static Question read(ccm_args &args);
};

// Begin one with an answer, which is written down and checked; without waiting
// nothing sleeps, in short handlers too.
void call_async(Member &caller, u32 target, u32 function, Random &random,
		int timeout_ms, bool nowait);
// Wait for it.
void call_and_wait(Member &caller, u32 target, u32 function, Random &random,
		   int timeout_ms);
// The same when nothing is disturbed: it has its answer.
void call_in_quiet(Member &caller, u32 target, u32 function, Random &random,
		   int timeout_ms);
// Without an answer; the number as of ShortCalls. Whether it was accepted.
bool call_one_way(Member &caller, u32 target, u32 function, Random &random,
		  bool on_thread, bool nowait, u32 thread, u32 number);

// The answer that a handler gives, and what its result is.
int answer(ccm_args &args, const Question &question);

} // namespace ccm_testing
