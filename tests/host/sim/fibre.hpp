// SPDX-License-Identifier: GPL-2.0
// A thread that runs until it gives way: a stack and a place in a function. The
// sanitizers are told of every change.
#pragma once

#include "host.hpp"

#include <cstddef>

struct ccm_thread;

namespace ccm_sim {

class Fibre;

// Fibres that wait for the same thing. It stands in what the core has made room
// for, and is never destroyed.
class Waiters {
public:
	void add(Fibre &fibre);
	void remove(Fibre &fibre);
	Fibre *first() const
	{
		return first_;
	}

private:
	Fibre *first_ = nullptr;
};

// Where fibres wait, and how often they have been woken there.
struct SimWaitq {
	u32 wakes;
	Waiters waiters;
};

// Where one fibre sleeps without a queue of the core's. It outlasts that as long as
// somebody will wake it.
struct Self {
	SimWaitq queue{};
	u32 references = 1;

	void put()
	{
		if (--references == 0)
			delete this;
	}
};

class Fibre {
public:
	// The one that the program began with.
	Fibre();
	Fibre(u32 id, void (*run)(void *arg), void *arg);
	~Fibre();
	Fibre(const Fibre &) = delete;
	Fibre &operator=(const Fibre &) = delete;

	// Leave the calling one for this one.
	void go_on(Fibre &from);

	const u32 id; // 0: the program's
	host::Context context;
	ccm_thread *thread = nullptr; // if it is one of the core's
	Waiters *waits_at = nullptr;
	Fibre *next = nullptr; // who waits there too
	u64 wake_us = 0;       // 0: nothing does by itself
	bool late = false;     // that has woken it
	bool ended = false;
	bool detached = false; // nobody waits for its end
	Waiters ending;	       // who does
	Self *const self = new Self;

private:
	struct Stack;
	[[noreturn]] static void begin();
	static Stack *take_stack();
	void arrive() const;

	void (*run_)(void *arg) = nullptr;
	void *arg_ = nullptr;
	Stack *stack_;
	void *tsan_ = nullptr; // what the thread sanitizer knows it by
};

} // namespace ccm_sim
