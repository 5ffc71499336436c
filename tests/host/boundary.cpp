// SPDX-License-Identifier: GPL-2.0
// The half of the boundary (src/kernel/kernel.h) on the host that does not depend
// on what a thread is: what a debug kernel would complain of (sleeping in atomic
// context, locks out of order) ends the program.
#include "host.hpp"

#include <malloc.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

extern "C" {
#include "kernel/memory.h"
}

void host::die(const char *why)
{
	std::fprintf(stderr, "# %s\n", why);
	std::abort();
}

void host::might_sleep()
{
	const Context &mine = context();

	for (int count : mine.held)
		if (count)
			die("sleeps with a spinlock held");
	if (mine.rcu_depth)
		die("sleeps inside RCU");
	if (mine.no_sleep_depth)
		die("sleeps where nothing may");
}

void host::takes(u32 kind)
{
	Context &mine = context();

	for (u32 other = kind; other < CCM_LOCK_KINDS; other++)
		if (mine.held[other])
			die("takes spinlocks out of order");
	mine.held[kind]++;
}

void host::takes_mutex(u32 kind)
{
	Context &mine = context();

	might_sleep();
	for (u32 other = kind; other < CCM_MUTEX_KINDS; other++)
		if (mine.mutexes_held[other])
			die("takes mutexes out of order");
	mine.mutexes_held[kind]++;
}

bool host::may_sleep()
{
	const Context &mine = context();

	for (int count : mine.held)
		if (count)
			return false;
	return !mine.rcu_depth && !mine.no_sleep_depth;
}

void host::might_request_module()
{
	might_sleep();
	for (int count : context().mutexes_held)
		if (count)
			die("asks for a module with a mutex held");
}

host::NoSleep::NoSleep()
{
	context().no_sleep_depth++;
}

host::NoSleep::~NoSleep()
{
	context().no_sleep_depth--;
}

using host::die;
using host::in;
using host::might_request_module;
using host::might_sleep;

// --- references, and who is busy ---------------------------------------------------

void ccm_ref_init(ccm_ref *ref)
{
	new (ref) std::atomic<int>(1);
}

void ccm_ref_get(ccm_ref *ref)
{
	host::step(host::Place::Count);
	if (in<std::atomic<int>>(ref).fetch_add(1) <= 0)
		die("takes a reference to what is gone");
}

bool ccm_ref_get_live(ccm_ref *ref)
{
	auto &count = in<std::atomic<int>>(ref);

	host::step(host::Place::Count);
	int seen = count.load();

	while (seen > 0)
		if (count.compare_exchange_weak(seen, seen + 1))
			return true;
	return false;
}

bool ccm_ref_put(ccm_ref *ref)
{
	host::step(host::Place::Count);
	int was = in<std::atomic<int>>(ref).fetch_sub(1);

	if (was <= 0)
		die("puts a reference too many");
	return was == 1;
}

void ccm_busy_begin(ccm_busy *busy)
{
	might_sleep();
	busy->next = host::context().busy;
	host::context().busy = busy;
}

void ccm_busy_end(ccm_busy *busy)
{
	if (host::context().busy != busy)
		die("ends to be busy out of order");
	host::context().busy = busy->next;
}

bool ccm_thread_may_wait()
{
	return !host::context().busy;
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
	host::step(host::Place::Memory);
	bool fails = must_fail() || host::memory_is_short();
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

const char *ccm_module_name(const module *owner)
{
	return owner ? "somebody" : "";
}
