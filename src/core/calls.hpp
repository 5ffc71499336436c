// SPDX-License-Identifier: GPL-2.0
// The calls of this node whose answers are awaited.
#pragma once

#include "core/mailbox.hpp"
#include "core/wire.hpp"
#include "support/tree.hpp"

namespace ccm {

// When an asynchronous one is late.
struct Due {
	u64 ms = 0; // 0: never
	u64 id = 0;

	bool operator<(const Due &other) const
	{
		return ms < other.ms || (ms == other.ms && id < other.id);
	}
};

constexpr u64 number_in(const Due &due)
{
	return due.id;
}

struct Deadline : Branch<Deadline> {
	Due order() const
	{
		return due;
	}

	Due due;
};

struct OfModule;
struct OfNode;

// One of them; on the caller's stack, or allocated if somebody is told later.
struct Pending : Hook<Pending>,
		 Branch<Pending>,
		 Linked<OfNode>,
		 Linked<OfModule>,
		 Deadline {
	Pending(u32 node_, u32 module_, u32 function_, u32 seqn_)
		: node(node_), module(module_), function(function_),
		  seqn(seqn_), since_ms(ccm_now_ms())
	{
	}

	u64 order() const
	{
		return id;
	}
	u32 its_node() const
	{
		return node;
	}
	u32 its_module() const
	{
		return module;
	}

	const u32 node, module, function, seqn;
	const u64 since_ms;
	u64 id = 0;

	// Asynchronous: whom to tell; until then the mailbox's consumer stays.
	ccm_done tell = nullptr;
	void *context = nullptr;
	Mailbox *mailbox = nullptr;
	struct net *net = nullptr;

	// Under the lock of Calls, the caller's own when done.
	bool done = false;
	int error = 0;
	Message *answer = nullptr;
	Sleeper sleeper;
};

class Calls {
public:
	Calls() = default;
	Calls(const Calls &) = delete;
	Calls &operator=(const Calls &) = delete;

	// From here on an answer is expected, under this id. One that tells
	// somebody may be gone when this returns.
	u64 expect(Pending &pending);
	// Wait for it. Done when this returns, with the error given if that came
	// first. Sleeps.
	void await(Pending &pending, int timeout_ms);
	// It is not expected any more; false if it is done already.
	bool forget(Pending &pending, int error);

	// One that could not be sent; nullptr if it is done, and its caller told.
	Pending *take_back(u64 id);
	// The listener: the answer, whose memory is taken over; false if nobody
	// expects it.
	bool answered(Message *answer, const wire::Answer &head);
	// What was asked of this node will not be answered.
	void lost(u32 node);
	void lost_all();
	// Asynchronous ones that are late; when to look again, or 0.
	u64 expire(u64 now_ms);
	// Those of this module number.
	void cancel(u32 module);
	// The next of a dump; false behind the last that there was as it began.
	bool report(ccm_cursor &at, ccm_call_info &out);

private:
	// How many end before the lock is given to others.
	enum : u32 { kAtOnce = Wakes::kMost };

	template <class Next> void end_those(Next next, int error);
	template <class Next>
	bool end_some(Next next, int error, u64 &last, List<Pending> &to_tell);
	Pending *first_locked(ccm_cursor &at) REQUIRES(lock_);
	void unlink_locked(Pending &pending) REQUIRES(lock_);
	void end_locked(Pending &pending, int error, List<Pending> &to_tell,
			Wakes &wakes) REQUIRES(lock_);
	void tell_all(List<Pending> &ended);

	Lock lock_{CCM_LOCK_CALLS}; // protects all that follows
	u64 last_id_ GUARDED_BY(lock_) = 0;
	Tree<Pending> by_id_ GUARDED_BY(lock_);	       // all of them
	Tree<Deadline, Due> by_due_ GUARDED_BY(lock_); // those that can be late
	Index<ByNumber<Pending, OfNode, &Pending::its_node>>
		by_node_ GUARDED_BY(lock_);
	Index<ByNumber<Pending, OfModule, &Pending::its_module>>
		by_module_ GUARDED_BY(lock_);
};

// What a caller gets of an answer's message.
void open_answer(Message &message, struct net *net, ccm_answer &out);

} // namespace ccm
