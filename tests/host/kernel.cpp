// SPDX-License-Identifier: GPL-2.0
// The boundary (src/kernel/kernel.h) on the host, for tests of the core in user
// space. It is stricter than it needs to be: what a debug kernel would complain
// of (sleeping in atomic context, locks out of order) ends the program. Here is what
// needs threads; the rest is in boundary.cpp, and sockets are in network.cpp.
#include "kernel/kernel.h"
#include "between.hpp"
#include "host.hpp"

#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <new>
#include <random>
#include <set>
#include <shared_mutex>
#include <thread>

namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

} // namespace

using host::die;
using host::in;
using host::might_sleep;

host::Context &host::context()
{
	thread_local Context mine;

	return mine;
}

// Here threads come in between when they like; in the simulator, at these.
void host::step(Place)
{
}

bool host::memory_is_short()
{
	return false;
}

void ccm_step()
{
}

// Somebody else may come between here and what follows.
static void pass()
{
	if (host::may_sleep())
		ccm_testing::Between::pass();
}

// --- locks -----------------------------------------------------------------------

namespace {

struct HostLock {
	std::mutex mutex;
	ccm_lock_kind kind;
};

struct HostMutex {
	std::mutex mutex;
	ccm_mutex_kind kind;
};

std::shared_mutex rcu;
thread_local unsigned long taken[CCM_LOCK_KINDS];

} // namespace

unsigned long host::locks_taken(ccm_lock_kind kind)
{
	return taken[kind];
}

void ccm_lock_init(ccm_lock *lock, ccm_lock_kind kind)
{
	new (lock) HostLock{{}, kind};
}

unsigned long ccm_lock_take(ccm_lock *lock)
{
	auto &ours = in<HostLock>(lock);

	host::takes(ours.kind);
	ours.mutex.lock();
	taken[ours.kind]++;
	return 0;
}

void ccm_lock_drop(ccm_lock *lock, unsigned long)
{
	auto &ours = in<HostLock>(lock);

	host::context().held[ours.kind]--;
	ours.mutex.unlock();
	pass();
}

void ccm_lock_assert_held(const ccm_lock *lock)
{
	if (!host::context().held[in<const HostLock>(lock).kind])
		die("a lock is not held that should be");
}

void ccm_mutex_init(ccm_mutex *mutex, ccm_mutex_kind kind)
{
	new (mutex) HostMutex{{}, kind};
}

void ccm_mutex_take(ccm_mutex *mutex)
{
	auto &ours = in<HostMutex>(mutex);

	host::takes_mutex(ours.kind);
	ours.mutex.lock();
}

void ccm_mutex_drop(ccm_mutex *mutex)
{
	auto &ours = in<HostMutex>(mutex);

	host::context().mutexes_held[ours.kind]--;
	ours.mutex.unlock();
}

void ccm_rcu_enter()
{
	if (host::context().rcu_depth++ == 0)
		rcu.lock_shared();
}

void ccm_rcu_leave()
{
	if (--host::context().rcu_depth == 0)
		rcu.unlock_shared();
	pass();
}

void ccm_rcu_wait()
{
	might_sleep();
	std::lock_guard all_have_left(rcu);
}

// --- waiting -------------------------------------------------------------------------

namespace {

struct HostWaitq;

// Of all the core's threads; see StoppedClock.
struct Time {
	std::mutex mutex; // protects all that follows
	std::condition_variable changed;
	bool stopped = false;
	Clock::time_point stands_at;
	Clock::duration ahead{}; // of the machine's, once it goes on
	long threads = 0;
	std::multiset<HostWaitq *> asleep; // while it is stopped

	Clock::time_point now()
	{
		std::lock_guard guard(mutex);

		return stopped ? stands_at : Clock::now() + ahead;
	}
	Clock::time_point of_the_machine(Clock::time_point ours)
	{
		std::lock_guard guard(mutex);

		return ours - ahead;
	}
	bool is_stopped()
	{
		std::lock_guard guard(mutex);

		return stopped;
	}
	void count_thread(long more)
	{
		std::lock_guard guard(mutex);

		threads += more;
		changed.notify_all();
	}
	void falls_asleep(HostWaitq *queue)
	{
		std::lock_guard guard(mutex);

		asleep.insert(queue);
		changed.notify_all();
	}
	void wakes(HostWaitq *queue)
	{
		std::lock_guard guard(mutex);

		asleep.erase(queue);
	}
};

Time timekeeper;

struct HostWaitq {
	std::mutex mutex;
	std::condition_variable woken;
	u32 wakes = 0;

	u32 seen()
	{
		std::lock_guard guard(mutex);

		return wakes;
	}
	void wake()
	{
		std::lock_guard guard(mutex);

		wakes++;
		timekeeper.wakes(this);
		woken.notify_all();
	}
	// While time stands still a wake is all that ends it.
	void sleep_without_time(u32 since, bool of_the_core)
	{
		std::unique_lock guard(mutex);

		if (wakes != since)
			return;
		if (of_the_core)
			timekeeper.falls_asleep(this);
		woken.wait(guard, [&] { return wakes != since; });
	}
	void sleep(u32 since, Clock::time_point until)
	{
		std::unique_lock guard(mutex);
		auto another = [&] {
			return wakes != since;
		};

		if (until == Clock::time_point::max())
			woken.wait(guard, another);
		else
			woken.wait_until(guard,
					 timekeeper.of_the_machine(until),
					 another);
	}
};

} // namespace

struct ccm_thread {
	pthread_t thread;
	int (*run)(void *arg);
	void *arg;
	std::atomic<bool> stop;
	std::mutex mutex;  // protects:
	HostWaitq *asleep; // where it waits, if a stop ends that
	std::atomic<bool> interrupted;

	void waits_at(HostWaitq *queue)
	{
		std::lock_guard guard(mutex);

		asleep = queue;
	}
	void ask_to_stop()
	{
		std::lock_guard guard(mutex);

		stop = true;
		if (asleep)
			asleep->wake();
	}
	void interrupt()
	{
		std::lock_guard guard(mutex);

		interrupted = true;
		if (asleep)
			asleep->wake();
	}
};

namespace {

thread_local ccm_thread *me;

// done() takes the lock that the other side holds as it wakes, so it is asked
// outside of ours; a wake in between is seen by its number.
int wait(HostWaitq &queue, bool (*done)(void *arg), void *arg, int timeout_ms,
	 const ccm_thread *stopped)
{
	auto end = timeout_ms < 0 ? Clock::time_point::max()
				  : timekeeper.now() + Milliseconds(timeout_ms);

	might_sleep();
	for (;;) {
		u32 since = queue.seen();
		auto now = timekeeper.now();

		if (done(arg))
			return 0;
		if (stopped && stopped->interrupted)
			return -ECANCELED;
		if (stopped && stopped->stop)
			return -EINTR;
		if (now >= end)
			return -ETIMEDOUT;
		if (timekeeper.is_stopped())
			queue.sleep_without_time(since, me != nullptr);
		else
			queue.sleep(since, end);
	}
}

} // namespace

void ccm_waitq_init(ccm_waitq *queue)
{
	new (queue) HostWaitq;
}

void ccm_wake(ccm_waitq *queue)
{
	in<HostWaitq>(queue).wake();
}

// A thread of the core's is stopped, and interrupted, where it waits.
static int wait_here(HostWaitq &queue, bool (*done)(void *arg), void *arg,
		     int timeout_ms)
{
	if (!me)
		return wait(queue, done, arg, timeout_ms, nullptr);
	me->waits_at(&queue);
	int result = wait(queue, done, arg, timeout_ms, me);
	me->waits_at(nullptr);
	return result;
}

int ccm_wait(ccm_waitq *queue, bool (*done)(void *arg), void *arg,
	     int timeout_ms)
{
	return wait_here(in<HostWaitq>(queue), done, arg, timeout_ms);
}

// What kills a thread of the tests is its stop.
int ccm_wait_killable(ccm_waitq *queue, bool (*done)(void *arg), void *arg)
{
	auto &ours = in<HostWaitq>(queue);

	if (!me)
		return wait(ours, done, arg, CCM_FOREVER, nullptr);
	me->waits_at(&ours);
	int result = wait(ours, done, arg, CCM_FOREVER, me);
	me->waits_at(nullptr);
	// No thread that is interrupted waits so: handlers set no node.
	if (result == -ECANCELED)
		die("interrupts what only a kill may end");
	return result;
}

int ccm_wait_idle(ccm_waitq *queue, bool (*done)(void *arg), void *arg,
		  int timeout_ms)
{
	return wait(in<HostWaitq>(queue), done, arg, timeout_ms, nullptr);
}

namespace {

// Of a thread that sleeps without a queue; it outlasts it as long as somebody will wake it.
struct HostSelf {
	HostWaitq queue;
	std::atomic<int> references{1};

	void put()
	{
		if (references.fetch_sub(1) == 1)
			delete this;
	}
};

struct SelfOfThread {
	HostSelf *self = new HostSelf;

	~SelfOfThread()
	{
		self->put();
	}
};

HostSelf &self()
{
	thread_local SelfOfThread mine;

	return *mine.self;
}

} // namespace

task_struct *ccm_self()
{
	return reinterpret_cast<task_struct *>(&self());
}

void ccm_self_get(task_struct *task)
{
	reinterpret_cast<HostSelf *>(task)->references.fetch_add(1);
}

void ccm_self_wake(task_struct *task)
{
	auto *theirs = reinterpret_cast<HostSelf *>(task);

	theirs->queue.wake();
	theirs->put();
}

int ccm_sleep(bool (*done)(void *arg), void *arg, int timeout_ms)
{
	return wait_here(self().queue, done, arg, timeout_ms);
}

int ccm_sleep_idle(bool (*done)(void *arg), void *arg, int timeout_ms)
{
	return wait(self().queue, done, arg, timeout_ms, nullptr);
}

// --- threads -----------------------------------------------------------------------

namespace {

void *thread_main(void *started)
{
	auto *thread = static_cast<ccm_thread *>(started);

	me = thread;
	thread->run(thread->arg);
	might_sleep(); // it may not end with a lock either
	timekeeper.count_thread(-1);
	return nullptr;
}

} // namespace

namespace {

std::mutex making; // protects:
std::condition_variable makes_again;
bool makes_none;

} // namespace

host::NoNewThreads::NoNewThreads()
{
	std::lock_guard guard(making);

	makes_none = true;
}

void host::NoNewThreads::end()
{
	{
		std::lock_guard guard(making);

		makes_none = false;
	}
	makes_again.notify_all();
}

ccm_thread *ccm_thread_start(int (*run)(void *arg), void *arg, const char *,
			     u32)
{
	might_sleep();
	{
		std::unique_lock guard(making);

		makes_again.wait(guard, [] { return !makes_none; });
	}
	void *place = ccm_object_alloc(sizeof(ccm_thread), true);
	if (!place)
		return nullptr;

	auto *thread = new (place)
		ccm_thread{{}, run, arg, false, {}, nullptr, false};
	timekeeper.count_thread(1);
	if (pthread_create(&thread->thread, nullptr, thread_main, thread) == 0)
		return thread;
	timekeeper.count_thread(-1);
	ccm_object_free(thread);
	return nullptr;
}

void ccm_thread_stop(ccm_thread *thread)
{
	might_sleep();
	thread->ask_to_stop();
	pthread_join(thread->thread, nullptr);
	ccm_object_free(thread);
}

ccm_thread *ccm_thread_mine()
{
	return me;
}

void ccm_thread_interrupt(ccm_thread *thread)
{
	thread->interrupt();
}

void ccm_thread_resume(ccm_thread *thread)
{
	thread->interrupted = false;
}

namespace {

// A thread for as long as there is something to run.
struct HostTask {
	void (*run)(void *arg);
	void *arg;
	std::mutex mutex; // protects:
	std::condition_variable ended;
	bool asked = false;
	bool running = false;
};

void *run_task(void *started)
{
	auto &task = *static_cast<HostTask *>(started);
	std::unique_lock guard(task.mutex);

	while (task.asked) {
		task.asked = false;
		guard.unlock();
		task.run(task.arg);
		might_sleep(); // as with a thread
		guard.lock();
	}
	task.running = false;
	task.ended.notify_all();
	return nullptr;
}

}

void ccm_task_init(ccm_task *task, void (*run)(void *arg), void *arg)
{
	static_assert(sizeof(HostTask) <= sizeof(ccm_task));
	new (task) HostTask{run, arg, {}, {}};
}

void ccm_task_start(ccm_task *task)
{
	auto &ours = in<HostTask>(task);
	std::lock_guard guard(ours.mutex);
	pthread_t thread;

	ours.asked = true;
	if (ours.running)
		return;
	ours.running = true;
	if (pthread_create(&thread, nullptr, run_task, &ours) != 0)
		die("no thread for a task");
	pthread_detach(thread);
}

void ccm_task_wait(ccm_task *task)
{
	auto &ours = in<HostTask>(task);
	std::unique_lock guard(ours.mutex);

	might_sleep();
	ours.ended.wait(guard, [&] { return !ours.running; });
}

void ccm_yield()
{
	might_sleep();
}

// --- time and chance -------------------------------------------------------------------

u64 ccm_now_ms()
{
	auto since = timekeeper.now().time_since_epoch();

	return std::chrono::duration_cast<Milliseconds>(since).count();
}

u64 ccm_now_us()
{
	auto since = timekeeper.now().time_since_epoch();

	return std::chrono::duration_cast<std::chrono::microseconds>(since)
		.count();
}

void ccm_random(void *to, size_t size)
{
	std::random_device device;

	for (size_t i = 0; i < size; i++)
		static_cast<u8 *>(to)[i] = static_cast<u8>(device());
}

host::StoppedClock::StoppedClock()
{
	std::lock_guard guard(timekeeper.mutex);

	timekeeper.stopped = true;
	timekeeper.stands_at = Clock::now() + timekeeper.ahead;
}

host::StoppedClock::~StoppedClock()
{
	{
		std::lock_guard guard(timekeeper.mutex);

		timekeeper.stopped = false;
		timekeeper.ahead = timekeeper.stands_at - Clock::now();
	}
	wake_all();
}

bool host::StoppedClock::rests()
{
	std::unique_lock guard(timekeeper.mutex);

	return timekeeper.changed.wait_for(guard, std::chrono::seconds(10), [] {
		return timekeeper.threads ==
		       static_cast<long>(timekeeper.asleep.size());
	});
}

void host::StoppedClock::advance(u64 ms)
{
	{
		std::lock_guard guard(timekeeper.mutex);

		timekeeper.stands_at += Milliseconds(ms);
	}
	wake_all();
}

void host::StoppedClock::wake_all()
{
	std::multiset<HostWaitq *> asleep;
	{
		std::lock_guard guard(timekeeper.mutex);

		asleep = timekeeper.asleep;
	}
	for (HostWaitq *queue : asleep)
		queue->wake();
}

void ccm_trace_state(u32, u32, ccm_state, ccm_state, ccm_reason)
{
}
