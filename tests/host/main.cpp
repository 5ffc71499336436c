// SPDX-License-Identifier: GPL-2.0
// Runs the tests of tests/kunit that need no kernel, and those in this folder.
//
//	core_tests [GLOB]	those whose SUITE.CASE matches
//
// A line "ok SUITE.CASE" or "not ok SUITE.CASE" each, then "N passed, N failed".
// What a test leaves allocated is a failure of its own.
#include "test.hpp"

#include <fnmatch.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <thread>

extern "C" {
#include "kernel/memory.h"

// What a sanitizer finds ends the program by SIGABRT, so that we can say where.
const char *__asan_default_options();
const char *__ubsan_default_options();
const char *__tsan_default_options();

const char *__asan_default_options()
{
	return "abort_on_error=1:detect_stack_use_after_return=1";
}

const char *__ubsan_default_options()
{
	return "abort_on_error=1:print_stacktrace=1";
}

const char *__tsan_default_options()
{
	return "abort_on_error=1:halt_on_error=1";
}
}

struct ccm_test {
	std::atomic<bool> failed{false};
};

namespace {

struct Case {
	const char *suite;
	const char *name;
	void (*run)(ccm_test *test);
};

constexpr unsigned kSecondsPerTest = 120;

char running[256] = "at the beginning";

} // namespace

#define CCM_SUITE(suite)
#define CCM_SUITE_END(suite)
#define CCM_CASE(suite, name) \
	extern "C" void ccm_##suite##_##name(ccm_test *test);
#include "cases.h"
#undef CCM_CASE

#define CCM_CASE(suite, name) {#suite, #name, ccm_##suite##_##name},
static const Case kCases[] = {
#include "cases.h"
};

void ccm_test_fail(ccm_test *test, const char *file, int line, const char *what,
		   long long expected, long long actual)
{
	test->failed = true;
	std::printf("# %s:%d: %s: expected %lld, is %lld\n", file, line, what,
		    expected, actual);
}

void ccm_test_sleep(unsigned int ms)
{
	std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

void ccm_test_beside(void (*run)(void *arg), void *arg)
{
	std::thread(run, arg).join();
}

static bool passes(const Case &run)
{
	ccm_test test;
	long count = ccm_memory_count();
	long live = ccm_memory_live();

	alarm(kSecondsPerTest);
	run.run(&test);
	ccm_memory_fail(0);
	if (ccm_memory_count() != count || ccm_memory_live() != live) {
		std::printf("# leaks %ld objects, %ld bytes\n",
			    ccm_memory_count() - count,
			    ccm_memory_live() - live);
		test.failed = true;
	}
	return !test.failed;
}

// The program ends in the middle of a test: say in which.
static void on_signal(int signal)
{
	alarm(0);
	if (signal == SIGALRM)
		std::printf("# takes more than %u seconds\n", kSecondsPerTest);
	std::printf("not ok %s: ended the program\n", running);
	std::fflush(stdout);
	_exit(1);
}

int main(int argc, char **argv)
{
	const char *glob = argc > 1 ? argv[1] : "*";
	int passed = 0;
	int failed = 0;

	setvbuf(stdout, nullptr, _IOLBF, 0);
	signal(SIGALRM, on_signal);
	signal(SIGABRT, on_signal);
	for (const Case &run : kCases) {
		std::snprintf(running, sizeof(running), "%s.%s", run.suite,
			      run.name);
		if (fnmatch(glob, running, 0) != 0)
			continue;
		bool fine = passes(run);
		std::printf("%s %s\n", fine ? "ok" : "not ok", running);
		(fine ? passed : failed)++;
	}
	alarm(0);
	std::printf("%d passed, %d failed\n", passed, failed);
	std::snprintf(running, sizeof(running), "at the end");
	return failed || !passed ? 1 : 0;
}
