// SPDX-License-Identifier: GPL-2.0
// What the parts of the boundary on the host share.
#pragma once

#include "kernel/kernel.h"
#include "support/types.hpp"

#include <functional>
#include <new>

namespace host {

// What a thread is in, and what that forbids; one for each.
struct Context {
	int held[CCM_LOCK_KINDS] = {};
	int rcu_depth = 0;
	u32 rcu_phase = 0; // of the outermost
	int no_sleep_depth = 0;
	int mutexes_held[CCM_MUTEX_KINDS] = {};
	ccm_busy *busy = nullptr;
};

// The calling one's; by whoever makes threads, as what follows.
Context &context();

// A step of the boundary's: somebody else may come before it.
enum class Place : u32 {
	Atomic,
	Count,
	Take,
	Drop,
	Rcu,
	Wake,
	Wait,
	Memory,
	Socket,
	Other,
	Places
};
void step(Place place);
// Whether this allocation fails.
bool memory_is_short();

// An object of ours in the place that the core has for it. It is never
// destroyed, so it must not need to be.
template <class Ours, class Theirs> Ours &in(Theirs *place)
{
	static_assert(sizeof(Ours) <= sizeof(Theirs));
	static_assert(alignof(Ours) <= alignof(Theirs));
	return *std::launder(reinterpret_cast<Ours *>(place));
}

// Ends the program, as a debug kernel would.
[[noreturn]] void die(const char *why);

// Dies where nothing may sleep.
void might_sleep();

// A spinlock, or a mutex, of this kind is taken; dies if one of a later kind is.
void takes(u32 kind);
void takes_mutex(u32 kind);
bool may_sleep();

// Dies where a module must not be asked for: with a mutex held that consumers
// wait for, maybe while they hold what loading a module waits for.
void might_request_module();

// Nothing may sleep while this is in scope.
class NoSleep {
public:
	NoSleep();
	~NoSleep();
	NoSleep(const NoSleep &) = delete;
	NoSleep &operator=(const NoSleep &) = delete;
};

// What CCM says in the log while this is in scope.
class Warnings {
public:
	Warnings();
	~Warnings();
	Warnings(const Warnings &) = delete;
	Warnings &operator=(const Warnings &) = delete;

	int count() const;
	bool none() const
	{
		return count() == 0;
	}
	bool last_has(const char *text) const;

private:
	friend void ::ccm_warn(const char *format, ...);

	int count_ = 0;
	char last_[256] = {};
};

// While this is in scope time stands still for the core, but for what the test
// says. No thread of the core may be there yet when it begins; none that lasts
// longer may mind that its sleep ends early when it does.
class StoppedClock {
public:
	StoppedClock();
	~StoppedClock();
	StoppedClock(const StoppedClock &) = delete;
	StoppedClock &operator=(const StoppedClock &) = delete;

	// Until all threads of the core are asleep: whether they are within ten
	// seconds of real time.
	bool rests();
	// Only while they are.
	void advance(u64 ms);

private:
	static void wake_all();
};

// How many times this thread has taken such a lock.
unsigned long locks_taken(ccm_lock_kind kind);

// The allocation that ccm_memory_fail() asked for has failed, or is about to.
bool memory_has_failed();
// ccm_memory_fail(), where the allocation that fails, which may sleep, does this first.
void memory_fails(int nth, std::function<void()> first);

// While this is in scope no thread comes to be: whoever makes one waits, as if the
// kernel waited for memory. One at a time.
class NoNewThreads {
public:
	NoNewThreads();
	~NoNewThreads()
	{
		end();
	}
	NoNewThreads(const NoNewThreads &) = delete;
	NoNewThreads &operator=(const NoNewThreads &) = delete;

	static void end();
};

// How often a thread of CCM's has asked for a buffer and would have waited long.
int patient_threads();

} // namespace host
