// SPDX-License-Identifier: GPL-2.0
// The functions of one module number that other nodes can call, and which of
// them run now.
#pragma once

#include "core/message.hpp"
#include "support/lock.hpp"
#include "support/result.hpp"
#include "support/tree.hpp"

namespace ccm {

class Mailbox;

// Whoever waits longer for a handler to end says in the log for which.
constexpr int kNamedAfterMs = 5000;

// A function that was registered.
struct Handler : Branch<Handler> {
	Handler(u32 function_, ccm_handler_kind kind_, ccm_handler call_,
		void *context_)
		: function(function_), kind(kind_), call(call_),
		  context(context_)
	{
	}

	u64 order() const
	{
		return function;
	}

	const u32 function;
	const ccm_handler_kind kind;
	const ccm_handler call;
	void *const context;
	u32 running = 0; // under the lock of Handlers
};

// One call of it; it stands on the stack of the thread that runs it.
struct Running : Hook<Running> {
	Running(const Message &message_, bool on_thread_)
		: message(message_), on_thread(on_thread_)
	{
	}

	const Message &message;
	const bool on_thread;	      // or else in the listener
	ccm_thread *thread = nullptr; // that runs it, if it is on one
	Handler *handler = nullptr;
	u64 number = 0; // under the lock of Handlers, in the order of entering
};

class Handlers {
public:
	explicit Handlers(Mailbox &mailbox) : mailbox_(mailbox)
	{
	}
	~Handlers();
	Handlers(const Handlers &) = delete;
	Handlers &operator=(const Handlers &) = delete;

	// EEXIST.
	Status add(Handler *handler);
	// No call begins any more and none runs when this returns: ENOENT. Not from
	// the handler itself: see Removals. Sleeps.
	Status remove(u32 function);
	// The same for all, also for those that others are removing. Sleeps.
	void remove_all();

	// Whether this thread runs one of them, or this one.
	bool runs(const ccm_thread *thread);
	bool runs(const ccm_thread *thread, u32 function);
	// What kind it is, or ENOENT.
	Result<ccm_handler_kind> kind(u32 function);
	// ENOENT (there is none). Then leave(), when the thread is out of the
	// handler: its module may go then.
	Status enter(Running &running);
	void leave(Running &running);

	// The next of a dump; false behind the last.
	bool report(ccm_cursor &at, ccm_handler_info &out);
	// The next call of those that ran as the dump began, and run now.
	bool report_running(ccm_cursor &at, ccm_call_info &out);

private:
	// The one that this thread runs, or nullptr.
	Handler *run_locked(const ccm_thread *thread) REQUIRES(lock_);
	template <class Which> void drain(Which which);
	template <class Which> bool name(u32 nth, Which which);

	Mailbox &mailbox_; // that it is part of

	Lock lock_{CCM_LOCK_HANDLERS}; // protects all that follows
	Tree<Handler> handlers_ GUARDED_BY(lock_);
	// In the order of their numbers; one a thread of the pool, and the
	// listener's.
	List<Running> running_ GUARDED_BY(lock_);
	u64 last_number_ GUARDED_BY(lock_) = 0;
	Sleepers left_; // asleep until a handler being removed does not run
};

} // namespace ccm
