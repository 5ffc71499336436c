// SPDX-License-Identifier: GPL-2.0
// Locks, references and sleepers of the kernel, held by scope.
#pragma once

#include "kernel/kernel.h"
#include "support/annotations.hpp"
#include "support/atomic.hpp"

namespace ccm {

// A spinlock, taken with interrupts off.
class CAPABILITY("lock") Lock {
public:
	explicit Lock(ccm_lock_kind kind)
	{
		ccm_lock_init(&lock_, kind);
	}
	Lock(const Lock &) = delete;
	Lock &operator=(const Lock &) = delete;

	// For those who are called with it held, where the compiler cannot see that:
	// it believes this, and the builds for tests look.
	void assert_held() const ASSERT_CAPABILITY(this)
	{
#ifdef CCM_KUNIT
		ccm_lock_assert_held(&lock_);
#endif
	}

private:
	friend class Guard;

	ccm_lock lock_;
};

// Holds a Lock while in scope.
class SCOPED_CAPABILITY Guard {
public:
	explicit Guard(Lock &lock) ACQUIRE(lock) : lock_(lock)
	{
		take();
	}
	~Guard() RELEASE()
	{
		drop();
	}
	Guard(const Guard &) = delete;
	Guard &operator=(const Guard &) = delete;

private:
	void take()
	{
		flags_ = ccm_lock_take(&lock_.lock_);
	}
	void drop()
	{
		ccm_lock_drop(&lock_.lock_, flags_);
	}

	Lock &lock_;
	unsigned long flags_ = 0;
};

// A lock that its waiters sleep for.
class CAPABILITY("mutex") Mutex {
public:
	explicit Mutex(ccm_mutex_kind kind)
	{
		ccm_mutex_init(&mutex_, kind);
	}
	Mutex(const Mutex &) = delete;
	Mutex &operator=(const Mutex &) = delete;

private:
	friend class MutexGuard;

	ccm_mutex mutex_;
};

class SCOPED_CAPABILITY MutexGuard {
public:
	explicit MutexGuard(Mutex &mutex) ACQUIRE(mutex) : mutex_(mutex)
	{
		ccm_mutex_take(&mutex_.mutex_);
	}
	~MutexGuard() RELEASE()
	{
		ccm_mutex_drop(&mutex_.mutex_);
	}
	MutexGuard(const MutexGuard &) = delete;
	MutexGuard &operator=(const MutexGuard &) = delete;

private:
	Mutex &mutex_;
};

// Inside, nothing that was found without a lock is freed.
class RcuGuard {
public:
	RcuGuard()
	{
		ccm_rcu_enter();
	}
	~RcuGuard()
	{
		ccm_rcu_leave();
	}
	RcuGuard(const RcuGuard &) = delete;
	RcuGuard &operator=(const RcuGuard &) = delete;
};

// How many use an object; begins with one.
class Count {
public:
	Count()
	{
		ccm_ref_init(&ref_);
	}
	void get()
	{
		ccm_ref_get(&ref_);
	}
	[[nodiscard]] bool get_live()
	{
		return ccm_ref_get_live(&ref_);
	}
	[[nodiscard]] bool put()
	{
		return ccm_ref_put(&ref_);
	}

private:
	ccm_ref ref_;
};

// A function that the kernel runs later, behind whoever asks for it.
class Task {
public:
	Task(void (*run)(void *arg), void *arg)
	{
		ccm_task_init(&task_, run, arg);
	}
	Task(const Task &) = delete;
	Task &operator=(const Task &) = delete;

	void start()
	{
		ccm_task_start(&task_);
	}
	// Sleeps.
	void wait()
	{
		ccm_task_wait(&task_);
	}

private:
	ccm_task task_;
};

// Everybody waits for this thread: nothing that it calls may wait.
class Busy {
public:
	Busy()
	{
		ccm_busy_begin(&busy_);
	}
	~Busy()
	{
		ccm_busy_end(&busy_);
	}
	Busy(const Busy &) = delete;
	Busy &operator=(const Busy &) = delete;

private:
	ccm_busy busy_;
};

// Threads asleep until something is true.
class Sleepers {
public:
	Sleepers()
	{
		ccm_waitq_init(&queue_);
	}
	Sleepers(const Sleepers &) = delete;
	Sleepers &operator=(const Sleepers &) = delete;

	void wake()
	{
		ccm_wake(&queue_);
	}
	// done() must not sleep. 0, or -ETIMEDOUT, -ERESTARTSYS, -EINTR.
	template <class F> int wait(F done, int timeout_ms)
	{
		return ccm_wait(&queue_, call<F>, &done, timeout_ms);
	}
	// Ended by a signal that kills, and nothing else. 0, or -EINTR.
	template <class F> int wait_killable(F done)
	{
		return ccm_wait_killable(&queue_, call<F>, &done);
	}
	// Ended by neither signals nor a stop. 0, or -ETIMEDOUT.
	template <class F> int wait_idle(F done, int timeout_ms)
	{
		return ccm_wait_idle(&queue_, call<F>, &done, timeout_ms);
	}

private:
	template <class F> static bool call(void *done)
	{
		return (*static_cast<F *>(done))();
	}

	ccm_waitq queue_;
};

// One thread, asleep until somebody ends that, once. It stands on its stack.
class Sleeper {
public:
	Sleeper() = default;
	Sleeper(const Sleeper &) = delete;
	Sleeper &operator=(const Sleeper &) = delete;

	// It is the calling thread that will sleep. Before others know of it.
	void begin()
	{
		task_ = ccm_self();
	}
	// What was written before is seen now.
	bool ended() const
	{
		return ended_.load();
	}
	// For this thread: until it is ended, or has to look at something else. 0, or
	// -ETIMEDOUT, -ERESTARTSYS, -EINTR.
	template <class F> int wait(F or_else, int timeout_ms)
	{
		auto done = [&] {
			return ended() || or_else();
		};

		return ccm_sleep(call<decltype(done)>, &done, timeout_ms);
	}
	void wait_idle()
	{
		auto done = [this] {
			return ended();
		};

		(void)ccm_sleep_idle(call<decltype(done)>, &done, CCM_FOREVER);
	}

private:
	friend class Wakes;

	template <class F> static bool call(void *done)
	{
		return (*static_cast<F *>(done))();
	}

	task_struct *task_ = nullptr;
	Atomic<bool> ended_{false};
};

// Threads that are woken when this goes. Declare it before the lock's guard, so that no
// lock is held any more then, unless the caller holds one. Of the woken nothing else is
// touched.
class Wakes {
public:
	enum : u32 { kMost = 64 };

	Wakes() = default;
	~Wakes()
	{
		while (count_)
			ccm_self_wake(tasks_[--count_]);
	}
	Wakes(const Wakes &) = delete;
	Wakes &operator=(const Wakes &) = delete;

	bool full() const
	{
		return count_ == kMost;
	}
	// There is more to know for it, under a lock. Not when full.
	void nudge(Sleeper &sleeper)
	{
		ccm_self_get(sleeper.task_);
		tasks_[count_++] = sleeper.task_;
	}
	// All has been written that it waits for: it may be gone from here on.
	void end(Sleeper &sleeper)
	{
		nudge(sleeper);
		sleeper.ended_.store(true);
	}

private:
	task_struct *tasks_[kMost];
	u32 count_ = 0;
};

} // namespace ccm
