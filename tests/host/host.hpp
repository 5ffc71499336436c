// SPDX-License-Identifier: GPL-2.0
// What the parts of the boundary on the host share.
#pragma once

#include "kernel/kernel.h"
#include "support/types.hpp"

#include <functional>

namespace host {

// Ends the program, as a debug kernel would.
[[noreturn]] void die(const char *why);

// Dies where nothing may sleep.
void might_sleep();

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

// From now on threads rest by chance when they have dropped a lock, woken
// somebody or left RCU, so that others come in between; most often after one of
// these, which the seed chooses. 0: never.
void rest_by_chance(u64 seed);

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
