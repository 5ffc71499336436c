// SPDX-License-Identifier: GPL-2.0
// All that happens in one run: which thread goes on, what time it is, and what
// chance says. All from one seed: the same seed, the same run, whose trace() is the
// same number.
//
// The threads are fibres of one thread of the machine's. They change places where
// they wait, and at each step of the boundary by chance: another goes on, or this
// one rests for a while. The clock moves when all wait.
#pragma once

#include "random.hpp"
#include "sim/fibre.hpp"
#include "sim/outside.hpp"

#include <set>
#include <vector>

namespace ccm_sim {

constexpr u64 kNever = ~u64{0};
constexpr u64 kBegin = 1'000'000'000; // of time

class World {
public:
	explicit World(u64 seed);
	~World();
	World(const World &) = delete;
	World &operator=(const World &) = delete;

	// The one that runs.
	static World &the();

	// Until main() has returned, and all others have.
	void run(void (*main)(void *arg), void *arg);

	// --- chance: whatever is decided is decided here ---

	u32 below(u32 end);
	u32 between(u32 first, u32 last)
	{
		return first + below(last - first + 1);
	}
	bool chance(u32 one_in)
	{
		return below(one_in) == 0;
	}
	// A number for all decisions so far.
	u64 trace() const
	{
		return trace_;
	}

	// --- threads ---

	// detached: nobody will join it.
	Fibre &start(void (*run)(void *arg), void *arg, bool detached = false);
	// Wait for its end; it is gone then.
	void join(Fibre &fibre);
	Fibre &current();
	// Of the current one.
	void begin();
	void end(); // returns as another one

	// Somebody else may come here.
	void step(host::Place place);
	// Until somebody wakes those who wait there: true; or it is late.
	bool wait_at(Waiters &there, u64 until_us = kNever);
	void wake(Waiters &there);
	void sleep_until(u64 us);
	// For so long one allocation of four fails.
	void let_memory_be_short(u64 us);
	bool memory_is_short();

	u64 all_steps() const
	{
		return all_steps_;
	}
	u64 now_us() const;

private:
	void give_way();
	void change_places();
	Fibre &choose();
	void advance();
	void bury();

	struct ByTime {
		bool operator()(const Fibre *a, const Fibre *b) const
		{
			return a->wake_us != b->wake_us
				       ? a->wake_us < b->wake_us
				       : a->id < b->id;
		}
	};

	ccm_testing::Random random_;
	u64 trace_ = 0;
	u64 now_us_ = kBegin;
	u64 all_steps_ = 0;
	u64 steps_ = 0; // since the clock has moved
	u32 seldom_;	// a change at a step is one in so many
	u32 often_place_;
	u32 last_id_ = 0;
	Fibre program_;
	Fibre *current_ = &program_;
	Fibre *dead_ =
		nullptr; // nobody waited for it, and it has just been left
	std::vector<Fibre *> ready_;
	std::set<Fibre *, ByTime> asleep_;
	u32 alive_ = 0;
	u64 short_until_us_ = 0;
	u32 ends_ = 0; // for the thread sanitizer
};

// A thread of the core's, which stands for a task, has a signal: what it waits for
// by ccm_wait() ends.
void signal(ccm_thread *thread);

} // namespace ccm_sim
