// SPDX-License-Identifier: GPL-2.0
// Who waits for handlers to end. A handler may remove others, and so may wait for
// one that waits for it: whoever would close such a circle is refused.
#pragma once

#include "core/handlers.hpp"

namespace ccm {

// It stands on the stack of the thread that removes.
struct Removal : Hook<Removal> {
	// Every handler there, or one.
	explicit Removal(Handlers &of_)
		: of(of_), all(true), by(ccm_thread_mine())
	{
	}
	Removal(Handlers &of_, u32 function_)
		: of(of_), all(false), function(function_),
		  by(ccm_thread_mine())
	{
	}
	// Whether it waits for a handler that this thread runs.
	bool waits_for(const ccm_thread *thread) const
	{
		return all ? of.runs(thread) : of.runs(thread, function);
	}

	Handlers &of;
	const bool all;
	const u32 function = 0;
	ccm_thread *const by; // nullptr: nobody waits for such a thread
	bool reached = false; // under the lock of Removals
};

class Removals {
public:
	Removals() = default;
	Removals(const Removals &) = delete;
	Removals &operator=(const Removals &) = delete;

	// EDEADLK: it would wait for itself, perhaps over others. Then end().
	Status begin(Removal &removal);
	void end(Removal &removal);

private:
	bool is_circle_locked(Removal &added) REQUIRES(lock_);
	bool is_awaited_locked(const Removal &removal) REQUIRES(lock_);

	Lock lock_{CCM_LOCK_REMOVALS}; // protects the list
	List<Removal> removals_ GUARDED_BY(lock_);
};

} // namespace ccm
