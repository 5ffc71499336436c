// SPDX-License-Identifier: GPL-2.0
// The boundary (src/kernel/kernel.h) for fibres: what in kernel.cpp of the host
// needs threads. Each call is a step, at which others may come in between. Sockets
// are in network.cpp.
#include "sim/world.hpp"
#include "support/atomic.hpp"
#include "test.hpp"

#include <cerrno>

using ccm_sim::Fibre;
using ccm_sim::kNever;
using ccm_sim::Outside;
using ccm_sim::Self;
using ccm_sim::SimWaitq;
using ccm_sim::Waiters;
using ccm_sim::World;
using host::in;
using host::might_sleep;
using host::Place;

namespace {

constexpr int kRestartSys = 512; // ERESTARTSYS, which user space never sees

World &world()
{
	return World::the();
}

} // namespace

host::Context &host::context()
{
	return world().current().context;
}

void host::step(Place place)
{
	world().step(place);
}

bool host::memory_is_short()
{
	return world().memory_is_short();
}

void ccm_step()
{
	world().step(Place::Atomic);
}

// --- locks -----------------------------------------------------------------------

namespace {

// That it is held is what threads tell each other, and so the thread sanitizer
// sees it.
struct SimLock {
	u32 taken;
	u32 kind;
	Waiters waiters;

	void take()
	{
		while (__atomic_exchange_n(&taken, 1, __ATOMIC_ACQUIRE))
			(void)world().wait_at(waiters);
	}
	void drop()
	{
		__atomic_store_n(&taken, 0, __ATOMIC_RELEASE);
		world().wake(waiters);
	}
};

// Readers by phases: who waits begins a new one, and waits for those of the old.
struct {
	u32 phase;
	u32 inside[2];
	u32 left; // how often one has: for the thread sanitizer
	bool waiting;
	Waiters waiters;
} rcu;

} // namespace

void ccm_lock_init(ccm_lock *lock, ccm_lock_kind kind)
{
	new (lock) SimLock{0, kind, {}};
}

unsigned long ccm_lock_take(ccm_lock *lock)
{
	auto &ours = in<SimLock>(lock);

	world().step(Place::Take);
	host::takes(ours.kind);
	ours.take();
	return 0;
}

void ccm_lock_drop(ccm_lock *lock, unsigned long)
{
	auto &ours = in<SimLock>(lock);

	host::context().held[ours.kind]--;
	ours.drop();
	if (host::may_sleep())
		world().step(Place::Drop);
}

void ccm_lock_assert_held(const ccm_lock *lock)
{
	if (!host::context().held[in<const SimLock>(lock).kind])
		host::die("a lock is not held that should be");
}

void ccm_mutex_init(ccm_mutex *mutex, ccm_mutex_kind kind)
{
	new (mutex) SimLock{0, kind, {}};
}

void ccm_mutex_take(ccm_mutex *mutex)
{
	auto &ours = in<SimLock>(mutex);

	world().step(Place::Take);
	host::takes_mutex(ours.kind);
	ours.take();
}

void ccm_mutex_drop(ccm_mutex *mutex)
{
	auto &ours = in<SimLock>(mutex);

	host::context().mutexes_held[ours.kind]--;
	ours.drop();
	world().step(Place::Drop);
}

void ccm_rcu_enter()
{
	host::Context &mine = host::context();

	world().step(Place::Rcu);
	Outside outside;
	if (mine.rcu_depth++ == 0) {
		mine.rcu_phase = rcu.phase;
		rcu.inside[rcu.phase]++;
	}
}

void ccm_rcu_leave()
{
	host::Context &mine = host::context();

	if (--mine.rcu_depth == 0) {
		__atomic_fetch_add(&rcu.left, 1, __ATOMIC_RELEASE);
		Outside outside;
		if (--rcu.inside[mine.rcu_phase] == 0)
			world().wake(rcu.waiters);
	}
	world().step(Place::Rcu);
}

// It takes its time in a kernel too.
void ccm_rcu_wait()
{
	might_sleep();
	world().step(Place::Rcu);
	{
		Outside outside;

		while (rcu.waiting)
			(void)world().wait_at(rcu.waiters);
		rcu.waiting = true;
		u32 old = rcu.phase;
		rcu.phase = 1 - old;
		while (rcu.inside[old])
			(void)world().wait_at(rcu.waiters);
		rcu.waiting = false;
		world().wake(rcu.waiters);
	}
	if (world().chance(2))
		world().sleep_until(world().now_us() + world().below(10000));
	(void)__atomic_load_n(&rcu.left, __ATOMIC_ACQUIRE);
}

// --- waiting -----------------------------------------------------------------------

namespace {

void wake(SimWaitq &queue)
{
	Outside outside;

	queue.wakes++;
	world().wake(queue.waiters);
}

} // namespace

struct ccm_thread {
	Fibre *fibre; // the world's
	int (*run)(void *arg);
	void *arg;
	u32 stop; // these are read without a lock, as a kernel's are
	u32 interrupted;
	u32 signalled;
	u32 ended;
	SimWaitq *asleep; // where it waits, if the first three end that

	void set(u32 &flag)
	{
		__atomic_store_n(&flag, 1, __ATOMIC_RELEASE);
		Outside outside;
		if (asleep)
			wake(*asleep);
	}
	static bool is(const u32 &flag)
	{
		return __atomic_load_n(&flag, __ATOMIC_ACQUIRE);
	}
	// Why it should not go on waiting, or 0. What kills it is its stop.
	int interruption(bool only_kills)
	{
		if (is(interrupted) && !only_kills)
			return -ECANCELED;
		if (is(stop))
			return -EINTR;
		if (!only_kills &&
		    __atomic_exchange_n(&signalled, 0, __ATOMIC_ACQ_REL))
			return -kRestartSys;
		return 0;
	}
};

namespace {

// done() takes the lock that the other side holds as it wakes; a wake in between
// is seen by its number.
int wait(SimWaitq &queue, bool (*done)(void *arg), void *arg, int timeout_ms,
	 ccm_thread *mine, bool only_kills)
{
	u64 end = timeout_ms < 0 ? kNever
				 : world().now_us() +
					   static_cast<u64>(timeout_ms) * 1000;

	might_sleep();
	for (;;) {
		u32 since;
		{
			Outside outside;
			since = queue.wakes;
		}
		world().step(Place::Wait);
		if (done(arg))
			return 0;
		int why = mine ? mine->interruption(only_kills) : 0;
		if (why)
			return why;
		if (world().now_us() >= end)
			return -ETIMEDOUT;
		Outside outside;
		if (queue.wakes == since)
			(void)world().wait_at(queue.waiters, end);
	}
}

int wait_interruptibly(SimWaitq &queue, bool (*done)(void *arg), void *arg,
		       int timeout_ms, bool only_kills)
{
	ccm_thread *mine = ccm_thread_mine();

	if (mine) {
		Outside outside;
		mine->asleep = &queue;
	}
	int result = wait(queue, done, arg, timeout_ms, mine, only_kills);
	if (mine) {
		Outside outside;
		mine->asleep = nullptr;
	}
	return result;
}

} // namespace

void ccm_waitq_init(ccm_waitq *queue)
{
	new (queue) SimWaitq{};
}

void ccm_wake(ccm_waitq *queue)
{
	world().step(Place::Wake);
	wake(in<SimWaitq>(queue));
}

int ccm_wait(ccm_waitq *queue, bool (*done)(void *arg), void *arg,
	     int timeout_ms)
{
	return wait_interruptibly(in<SimWaitq>(queue), done, arg, timeout_ms,
				  false);
}

int ccm_wait_killable(ccm_waitq *queue, bool (*done)(void *arg), void *arg)
{
	return wait_interruptibly(in<SimWaitq>(queue), done, arg, CCM_FOREVER,
				  true);
}

int ccm_wait_idle(ccm_waitq *queue, bool (*done)(void *arg), void *arg,
		  int timeout_ms)
{
	return wait(in<SimWaitq>(queue), done, arg, timeout_ms, nullptr, false);
}

namespace {

SimWaitq &here()
{
	Outside outside;

	return world().current().self->queue;
}

} // namespace

task_struct *ccm_self()
{
	Outside outside;

	return reinterpret_cast<task_struct *>(world().current().self);
}

void ccm_self_get(task_struct *task)
{
	Outside outside;

	reinterpret_cast<Self *>(task)->references++;
}

void ccm_self_wake(task_struct *task)
{
	auto *self = reinterpret_cast<Self *>(task);

	world().step(Place::Wake);
	wake(self->queue);
	Outside outside;
	self->put();
}

int ccm_sleep(bool (*done)(void *arg), void *arg, int timeout_ms)
{
	return wait_interruptibly(here(), done, arg, timeout_ms, false);
}

int ccm_sleep_idle(bool (*done)(void *arg), void *arg, int timeout_ms)
{
	return wait(here(), done, arg, timeout_ms, nullptr, false);
}

void ccm_test_sleep(unsigned int ms)
{
	might_sleep();
	world().sleep_until(world().now_us() + u64{ms} * 1000);
}

// --- threads -----------------------------------------------------------------------

namespace {

// Stopped before it first ran it ends without running, as a kernel's does.
void thread_main(void *started)
{
	auto *thread = static_cast<ccm_thread *>(started);

	{
		Outside outside;
		world().current().thread = thread;
	}
	if (!ccm_thread::is(thread->stop))
		thread->run(thread->arg);
	might_sleep(); // it may not end with a lock either
	__atomic_store_n(&thread->ended, 1, __ATOMIC_RELEASE);
}

} // namespace

ccm_thread *ccm_thread_start(int (*run)(void *arg), void *arg, const char *,
			     u32)
{
	might_sleep();
	void *place = ccm_object_alloc(sizeof(ccm_thread), true);
	if (!place)
		return nullptr;

	auto *thread = new (place) ccm_thread{.run = run, .arg = arg};
	Fibre &fibre = world().start(thread_main, thread);
	thread->fibre = &fibre;
	world().step(Place::Other);
	return thread;
}

void ccm_thread_stop(ccm_thread *thread)
{
	might_sleep();
	world().step(Place::Other);
	thread->set(thread->stop);
	world().join(*thread->fibre);
	(void)ccm_thread::is(thread->ended);
	ccm_object_free(thread);
}

ccm_thread *ccm_thread_mine()
{
	Outside outside;

	return world().current().thread;
}

void ccm_thread_interrupt(ccm_thread *thread)
{
	world().step(Place::Other);
	thread->set(thread->interrupted);
}

void ccm_thread_resume(ccm_thread *thread)
{
	__atomic_store_n(&thread->interrupted, 0, __ATOMIC_RELEASE);
}

void ccm_sim::signal(ccm_thread *thread)
{
	thread->set(thread->signalled);
}

void ccm_yield()
{
	might_sleep();
	world().step(Place::Other);
}

// --- tasks -------------------------------------------------------------------------

namespace {

// A thread for as long as there is something to run.
struct SimTask {
	void (*run)(void *arg);
	void *arg;
	u32 asked;
	u32 running;
	Waiters waiters;

	bool take()
	{
		return __atomic_exchange_n(&asked, 0, __ATOMIC_ACQ_REL);
	}
};

void run_task(void *started)
{
	auto &task = *static_cast<SimTask *>(started);

	while (task.take()) {
		world().step(Place::Other);
		task.run(task.arg);
		might_sleep(); // as with a thread
	}
	__atomic_store_n(&task.running, 0, __ATOMIC_RELEASE);
	world().wake(task.waiters);
}

} // namespace

void ccm_task_init(ccm_task *task, void (*run)(void *arg), void *arg)
{
	new (task) SimTask{.run = run, .arg = arg};
}

void ccm_task_start(ccm_task *task)
{
	auto &ours = in<SimTask>(task);

	world().step(Place::Other);
	__atomic_store_n(&ours.asked, 1, __ATOMIC_RELEASE);
	if (!__atomic_exchange_n(&ours.running, 1, __ATOMIC_ACQ_REL))
		(void)world().start(run_task, &ours, true);
}

void ccm_task_wait(ccm_task *task)
{
	auto &ours = in<SimTask>(task);

	might_sleep();
	while (__atomic_load_n(&ours.running, __ATOMIC_ACQUIRE))
		(void)world().wait_at(ours.waiters);
}

// --- time and chance ---------------------------------------------------------------

u64 ccm_now_ms()
{
	return ccm_now_us() / 1000;
}

u64 ccm_now_us()
{
	world().step(Place::Other);
	return world().now_us();
}

void ccm_random(void *to, size_t size)
{
	for (size_t i = 0; i < size; i++)
		static_cast<u8 *>(to)[i] = static_cast<u8>(world().below(256));
}
