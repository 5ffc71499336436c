// SPDX-License-Identifier: GPL-2.0
#include "sim/world.hpp"

namespace ccm_sim {

namespace {

constexpr u32 kOften = 4;
constexpr u64 kStepsMax = 1'000'000; // without anybody waiting

World *the_world;

} // namespace

// How often threads change places differs from run to run, and in most there is one
// kind of step at which they do so more often.
World::World(u64 seed) : random_(seed)
{
	static constexpr u32 kSeldom[] = {10, 40, 150, 600};

	the_world = this;
	seldom_ = kSeldom[below(sizeof(kSeldom) / sizeof(*kSeldom))];
	often_place_ = below(2 * static_cast<u32>(host::Place::Places));
}

World::~World()
{
	the_world = nullptr;
}

World &World::the()
{
	return *the_world;
}

// --- chance ----------------------------------------------------------------------

u32 World::below(u32 end)
{
	Outside outside;
	u32 chosen = random_.below(end);

	trace_ ^= u64{current_->id} << 32 | chosen;
	trace_ *= 0x9e3779b97f4a7c15;
	trace_ ^= trace_ >> 29;
	return chosen;
}

void World::let_memory_be_short(u64 us)
{
	Outside outside;

	short_until_us_ = now_us_ + us;
}

bool World::memory_is_short()
{
	Outside outside;

	return now_us_ < short_until_us_ && chance(4);
}

// --- threads ---------------------------------------------------------------------

Fibre &World::current()
{
	Outside outside;

	return *current_;
}

u64 World::now_us() const
{
	Outside outside;

	return now_us_;
}

void World::run(void (*main)(void *arg), void *arg)
{
	Outside outside;

	(void)start(main, arg, true);
	Fibre &first = choose();
	current_ = &first;
	first.go_on(program_);
	bury();
	(void)__atomic_load_n(&ends_, __ATOMIC_ACQUIRE);
}

Fibre &World::start(void (*run)(void *arg), void *arg, bool detached)
{
	Outside outside;
	auto *made = new Fibre(++last_id_, run, arg);

	made->detached = detached;
	alive_++;
	ready_.push_back(made);
	return *made;
}

void World::begin()
{
	Outside outside;

	bury();
}

// The program itself goes on when all have ended.
void World::end()
{
	Outside outside;
	Fibre &mine = *current_;

	__atomic_fetch_add(&ends_, 1, __ATOMIC_RELEASE);
	mine.ended = true;
	alive_--;
	wake(mine.ending);
	dead_ = mine.detached ? &mine : nullptr;
	current_ = alive_ ? &choose() : &program_;
	current_->go_on(mine);
}

// One that has left its stack for good.
void World::bury()
{
	delete dead_;
	dead_ = nullptr;
}

void World::join(Fibre &fibre)
{
	Outside outside;

	if (!fibre.ended)
		wait_at(fibre.ending);
	delete &fibre;
}

void World::step(host::Place place)
{
	Outside outside;

	if (current_ == &program_)
		return;
	all_steps_++;
	if (++steps_ > kStepsMax)
		host::die("for a million steps nobody waits");
	if (below(static_cast<u32>(place) == often_place_ ? kOften : seldom_) ==
	    0)
		change_places();
}

// Mostly with somebody who is ready. Who rests may do so for longer than others
// need to end something, or a node needs to end.
void World::change_places()
{
	u32 how = below(16);

	if (how < 9 || !host::may_sleep()) {
		ready_.push_back(current_);
		give_way();
	} else {
		u32 most_us = how < 15 ? 300 : below(16) ? 8000 : 200000;

		sleep_until(now_us_ + below(most_us));
	}
}

void World::sleep_until(u64 us)
{
	Waiters nowhere;

	(void)wait_at(nowhere, us);
}

bool World::wait_at(Waiters &there, u64 until_us)
{
	Outside outside;
	Fibre &mine = *current_;

	there.add(mine);
	mine.late = false;
	if (until_us != kNever) {
		mine.wake_us = until_us > now_us_ ? until_us : now_us_ + 1;
		asleep_.insert(&mine);
	}
	give_way();
	return !mine.late;
}

void World::wake(Waiters &there)
{
	Outside outside;

	while (Fibre *fibre = there.first()) {
		there.remove(*fibre);
		if (fibre->wake_us)
			asleep_.erase(fibre);
		fibre->wake_us = 0;
		ready_.push_back(fibre);
	}
}

// The current one is in some list, or has ended.
void World::give_way()
{
	Fibre &mine = *current_;
	Fibre &next = choose();

	if (&next == &mine)
		return;
	current_ = &next;
	next.go_on(mine);
	bury();
}

Fibre &World::choose()
{
	while (ready_.empty())
		advance();
	u32 at = below(static_cast<u32>(ready_.size()));
	Fibre *chosen = ready_[at];
	ready_[at] = ready_.back();
	ready_.pop_back();
	return *chosen;
}

// All wait: until the first of them wakes by itself.
void World::advance()
{
	if (asleep_.empty())
		host::die("all wait for each other");
	now_us_ = (*asleep_.begin())->wake_us;
	steps_ = 0;
	while (!asleep_.empty() && (*asleep_.begin())->wake_us == now_us_) {
		Fibre *fibre = *asleep_.begin();

		asleep_.erase(asleep_.begin());
		fibre->wake_us = 0;
		fibre->late = true;
		fibre->waits_at->remove(*fibre);
		ready_.push_back(fibre);
	}
}

} // namespace ccm_sim
