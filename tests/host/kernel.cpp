// SPDX-License-Identifier: GPL-2.0
// The boundary (src/kernel/kernel.h) on the host, for tests of the core in user
// space. It is stricter than it needs to be: what a debug kernel would complain
// of (sleeping in atomic context, locks out of order) ends the program. Sockets
// are in network.cpp.
#include "kernel/kernel.h"
#include "between.hpp"
#include "host.hpp"
#include "random.hpp"

#include <malloc.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <mutex>
#include <new>
#include <random>
#include <set>
#include <shared_mutex>
#include <thread>
#include <utility>
#include <vector>

extern "C" {
#include "kernel/memory.h"
}

namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

// What this thread is in, that forbids to sleep.
thread_local int held[CCM_LOCK_KINDS];
thread_local int rcu_depth;
thread_local int no_sleep_depth;
thread_local int mutexes_held[CCM_MUTEX_KINDS];

// An object of ours in the place that the core has for it. It is never
// destroyed, so it must not need to be.
template <class Ours, class Theirs> Ours &in(Theirs *place)
{
	static_assert(sizeof(Ours) <= sizeof(Theirs));
	static_assert(alignof(Ours) <= alignof(Theirs));
	return *std::launder(reinterpret_cast<Ours *>(place));
}

} // namespace

void host::die(const char *why)
{
	std::fprintf(stderr, "# %s\n", why);
	std::abort();
}

void host::might_sleep()
{
	for (int count : held)
		if (count)
			die("sleeps with a spinlock held");
	if (rcu_depth)
		die("sleeps inside RCU");
	if (no_sleep_depth)
		die("sleeps where nothing may");
}

void host::might_request_module()
{
	might_sleep();
	for (int count : mutexes_held)
		if (count)
			die("asks for a module with a mutex held");
}

host::NoSleep::NoSleep()
{
	no_sleep_depth++;
}

host::NoSleep::~NoSleep()
{
	no_sleep_depth--;
}

using host::die;
using host::might_request_module;
using host::might_sleep;

// --- others come in between ------------------------------------------------------

namespace {

// After what a thread may rest: dropping a lock of each kind, and these two.
enum : u32 { kAfterWake = CCM_LOCK_KINDS, kAfterRcu, kRestingPlaces };

std::atomic<u64> rest_seed;
std::atomic<u32> rested; // threads that have asked, of this seed

// This thread's chance, of this seed.
ccm_testing::Random &chance(u64 seed)
{
	thread_local u64 mine;
	thread_local ccm_testing::Random random(0);

	if (mine != seed) {
		mine = seed;
		random = ccm_testing::Random(seed * 1000 + rested++);
	}
	return random;
}

bool may_others_run()
{
	for (int count : held)
		if (count)
			return false;
	return !rcu_depth && !no_sleep_depth;
}

// Mostly short; now and then longer than a thread needs to end something.
void rest(u32 after, u64 seed, bool long_too)
{
	constexpr u32 kOften = 6;
	constexpr u32 kSeldom = 200;
	auto &random = chance(seed);

	if (random.below(after == seed % kRestingPlaces ? kOften : kSeldom))
		return;
	u32 how = random.below(16);
	if (how < 8 || !long_too)
		std::this_thread::yield();
	else if (how < 15)
		std::this_thread::sleep_for(
			std::chrono::microseconds(random.below(300)));
	else
		std::this_thread::sleep_for(Milliseconds(random.below(8)));
}

// Somebody else may come between here and what follows.
void pass(u32 after)
{
	u64 seed = rest_seed.load(std::memory_order_relaxed);
	bool may = may_others_run();

	if (may && after != kAfterWake)
		ccm_testing::Between::pass();
	if (seed)
		rest(after, seed, may);
}

} // namespace

void host::rest_by_chance(u64 seed)
{
	rested = 0;
	rest_seed = seed;
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

	for (int kind = ours.kind; kind < CCM_LOCK_KINDS; kind++)
		if (held[kind])
			die("takes spinlocks out of order");
	ours.mutex.lock();
	held[ours.kind]++;
	taken[ours.kind]++;
	return 0;
}

void ccm_lock_drop(ccm_lock *lock, unsigned long)
{
	auto &ours = in<HostLock>(lock);

	u32 kind = ours.kind;
	held[kind]--;
	ours.mutex.unlock();
	pass(kind);
}

void ccm_lock_assert_held(const ccm_lock *lock)
{
	if (!held[in<const HostLock>(lock).kind])
		die("a lock is not held that should be");
}

void ccm_mutex_init(ccm_mutex *mutex, ccm_mutex_kind kind)
{
	new (mutex) HostMutex{{}, kind};
}

void ccm_mutex_take(ccm_mutex *mutex)
{
	auto &ours = in<HostMutex>(mutex);

	might_sleep();
	for (int kind = ours.kind; kind < CCM_MUTEX_KINDS; kind++)
		if (mutexes_held[kind])
			die("takes mutexes out of order");
	ours.mutex.lock();
	mutexes_held[ours.kind]++;
}

void ccm_mutex_drop(ccm_mutex *mutex)
{
	auto &ours = in<HostMutex>(mutex);

	mutexes_held[ours.kind]--;
	ours.mutex.unlock();
}

void ccm_ref_init(ccm_ref *ref)
{
	new (ref) std::atomic<int>(1);
}

void ccm_ref_get(ccm_ref *ref)
{
	if (in<std::atomic<int>>(ref).fetch_add(1) <= 0)
		die("takes a reference to what is gone");
}

bool ccm_ref_get_live(ccm_ref *ref)
{
	auto &count = in<std::atomic<int>>(ref);
	int seen = count.load();

	while (seen > 0)
		if (count.compare_exchange_weak(seen, seen + 1))
			return true;
	return false;
}

bool ccm_ref_put(ccm_ref *ref)
{
	int was = in<std::atomic<int>>(ref).fetch_sub(1);

	if (was <= 0)
		die("puts a reference too many");
	return was == 1;
}

void ccm_rcu_enter()
{
	if (rcu_depth++ == 0)
		rcu.lock_shared();
}

void ccm_rcu_leave()
{
	if (--rcu_depth == 0)
		rcu.unlock_shared();
	pass(kAfterRcu);
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
	pass(kAfterWake);
}

int ccm_wait(ccm_waitq *queue, bool (*done)(void *arg), void *arg,
	     int timeout_ms)
{
	auto &ours = in<HostWaitq>(queue);

	if (!me)
		return wait(ours, done, arg, timeout_ms, nullptr);
	me->waits_at(&ours);
	int result = wait(ours, done, arg, timeout_ms, me);
	me->waits_at(nullptr);
	return result;
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

thread_local ccm_busy *busy_here;

}

void ccm_busy_begin(ccm_busy *busy)
{
	might_sleep();
	busy->next = busy_here;
	busy_here = busy;
}

void ccm_busy_end(ccm_busy *busy)
{
	if (busy_here != busy)
		die("ends to be busy out of order");
	busy_here = busy->next;
}

bool ccm_thread_may_wait()
{
	return !busy_here;
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

// --- secrets --------------------------------------------------------------------------

struct ccm_hmac {
	std::vector<u8> secret;
};

int ccm_hmac_create(const void *secret, size_t size, ccm_hmac **out)
{
	might_request_module();
	void *place = ccm_object_alloc(sizeof(ccm_hmac), true);
	auto *bytes = static_cast<const u8 *>(secret);

	if (!place)
		return -ENOMEM;
	*out = new (place) ccm_hmac{{bytes, bytes + size}};
	return 0;
}

void ccm_hmac_destroy(ccm_hmac *hmac)
{
	hmac->~ccm_hmac();
	ccm_object_free(hmac);
}

int ccm_hmac_of(ccm_hmac *hmac, const void *data, size_t size, u8 *to)
{
	unsigned int made = 32;

	might_sleep();
	return HMAC(EVP_sha256(), hmac->secret.data(),
		    static_cast<int>(hmac->secret.size()),
		    static_cast<const u8 *>(data), size, to, &made)
		       ? 0
		       : -EINVAL;
}

bool ccm_same_secret(const void *a, const void *b, size_t size)
{
	return CRYPTO_memcmp(a, b, size) == 0;
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

// --- memory ------------------------------------------------------------------------------

namespace {

// Larger buffers come from vmalloc(), and vfree() may sleep.
constexpr size_t kPagesMax = 65536;

std::atomic<int> fail_after;
std::atomic<bool> failed;
std::function<void()> before_failing; // changed before fail_after is set
std::atomic<long> live;
std::atomic<long> count;
std::atomic<int> patient;

bool must_fail()
{
	int nth = fail_after.load();

	while (nth > 0)
		if (fail_after.compare_exchange_weak(nth, nth - 1)) {
			if (nth == 1)
				failed = true;
			return nth == 1;
		}
	return false;
}

void *allocate(size_t size, bool may_sleep)
{
	if (may_sleep)
		might_sleep();
	bool fails = must_fail();
	void *place = fails ? nullptr : std::malloc(size);

	if (fails && may_sleep && before_failing)
		std::exchange(before_failing, nullptr)();
	if (place) {
		live += static_cast<long>(malloc_usable_size(place));
		count++;
	}
	return place;
}

void release(void *place)
{
	if (!place)
		return;
	live -= static_cast<long>(malloc_usable_size(place));
	count--;
	std::free(place);
}

} // namespace

void ccm_memory_fail(int nth)
{
	failed = false;
	fail_after = nth;
}

int host::patient_threads()
{
	return patient;
}

bool host::memory_has_failed()
{
	return failed;
}

void host::memory_fails(int nth, std::function<void()> first)
{
	before_failing = std::move(first);
	ccm_memory_fail(nth);
}

long ccm_memory_live()
{
	return live;
}

long ccm_memory_count()
{
	return count;
}

void *ccm_object_alloc(size_t size, bool may_sleep)
{
	void *object = allocate(size, may_sleep);

	return object ? std::memset(object, 0, size) : nullptr;
}

void ccm_object_free(void *object)
{
	release(object);
}

// What is in it is nobody's business: not zeros, at any rate.
void *ccm_buffer_alloc(size_t size, ccm_effort effort)
{
	if (effort == CCM_EFFORT_LONG && ccm_thread_mine())
		patient++;
	void *buffer = allocate(size, effort != CCM_EFFORT_NONE);

	return buffer ? std::memset(buffer, 0xa5, size) : nullptr;
}

void ccm_buffer_free(void *buffer, size_t size)
{
	if (buffer && malloc_usable_size(buffer) < size)
		die("frees a buffer of another size");
	if (size > kPagesMax)
		might_sleep();
	release(buffer);
}

// --- reports -----------------------------------------------------------------------------

namespace {

std::mutex warnings_mutex; // protects:
host::Warnings *heard;

} // namespace

host::Warnings::Warnings()
{
	std::lock_guard guard(warnings_mutex);

	heard = this;
}

host::Warnings::~Warnings()
{
	std::lock_guard guard(warnings_mutex);

	heard = nullptr;
}

int host::Warnings::count() const
{
	std::lock_guard guard(warnings_mutex);

	return count_;
}

bool host::Warnings::last_has(const char *text) const
{
	std::lock_guard guard(warnings_mutex);

	return std::strstr(last_, text);
}

void ccm_warn(const char *format, ...)
{
	std::lock_guard guard(warnings_mutex);
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	std::vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (heard) {
		heard->count_++;
		std::memcpy(heard->last_, text, sizeof(text));
	} else {
		std::fprintf(stderr, "# %s\n", text);
	}
}

void ccm_trace_send(u32, const ccm_msg *, int)
{
}

void ccm_trace_receive(u32, const ccm_msg *, int)
{
}

void ccm_trace_deliver(u32, const ccm_msg *, bool)
{
}

void ccm_trace_call(u32, u32, u32, u32, u32, bool, int, int)
{
}

void ccm_trace_state(u32, u32, ccm_state, ccm_state, ccm_reason)
{
}

const char *ccm_module_name(const module *owner)
{
	return owner ? "somebody" : "";
}
