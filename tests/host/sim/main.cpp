// SPDX-License-Identifier: GPL-2.0
// A whole cluster in one program, in runs that their seeds decide:
//
//	sim [SEED [SECONDS]]
//
// Runs for so long, beginning with this seed; SEED 0: with another one each time.
// Without SECONDS there is only this run. The same seed, the same run: that is seen
// first. What is wrong ends the program, which then names the seed, and what all
// threads were doing.
#include "host.hpp"
#include "sim/round.hpp"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>

extern "C" {
const char *__asan_default_options();
const char *__ubsan_default_options();
const char *__tsan_default_options();

const char *__asan_default_options()
{
	return "abort_on_error=1:detect_stack_use_after_return=1:"
	       "malloc_context_size=12:quarantine_size_mb=32:"
	       "allocator_release_to_os_interval_ms=-1";
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

using namespace ccm_testing;

namespace {

constexpr unsigned kSecondsPerRun = 60; // of real time
#ifdef __SANITIZE_THREAD__
#define UNDER "tsan"
#else
#define UNDER "asan"
#endif
constexpr const char *kRuns = "sim.runs__under_" UNDER;
constexpr const char *kReplays = "sim.replays__the_same_seed_under_" UNDER;

const char *running = kRuns;
unsigned long long running_seed;

// The program ends in the middle of a run.
void on_signal(int signal)
{
	alarm(0);
	if (signal == SIGALRM)
		std::fprintf(stderr, "# it takes more than %u seconds\n",
			     kSecondsPerRun);
	Doing::print();
	std::printf("not ok %s: seed %llu ended the program\n", running,
		    running_seed);
	std::fflush(stdout);
	(void)raise(SIGKILL); // at once: a sanitizer may be in the middle of it
}

unsigned long long given(int argc, char **argv, int nth,
			 unsigned long long otherwise)
{
	return argc > nth ? std::strtoull(argv[nth], nullptr, 0) : otherwise;
}

Round::Outcome run(unsigned long long seed)
{
	running_seed = seed;
	alarm(kSecondsPerRun);
	return Round::run(seed);
}

// The second time they come in another order.
bool replays(unsigned long long first)
{
	constexpr u32 kSeeds = 5;
	u64 traces[kSeeds];
	bool same = true;

	running = kReplays;
	for (u32 i = 0; i < kSeeds; i++)
		traces[i] = run(first + i).trace;
	for (u32 i = kSeeds; i-- > 0;)
		if (run(first + i).trace != traces[i]) {
			std::printf("# seed %llu: not the same run\n",
				    first + i);
			same = false;
		}
	std::printf("%s %s\n", same ? "ok" : "not ok", kReplays);
	running = kRuns;
	return same;
}

void tell(const Round::Outcome &outcome)
{
	std::printf("# trace %016lx: %lu steps in %lu ms, %u messages, "
		    "%u calls\n",
		    static_cast<unsigned long>(outcome.trace),
		    static_cast<unsigned long>(outcome.steps),
		    static_cast<unsigned long>(outcome.ms), outcome.messages,
		    outcome.calls);
}

u32 run_for(unsigned long long seconds, unsigned long long seed)
{
	using Clock = std::chrono::steady_clock;
	auto until = Clock::now() + std::chrono::seconds(seconds);
	u32 runs = 0;

	while (Clock::now() < until) {
		(void)run(seed++);
		runs++;
	}
	return runs;
}

} // namespace

int main(int argc, char **argv)
{
	unsigned long long seed = given(argc, argv, 1, 0);
	unsigned long long seconds = given(argc, argv, 2, 0);

	if (!seed)
		seed = std::random_device()() % 1000000000;
	setvbuf(stdout, nullptr, _IOLBF, 0);
	std::printf("# seed %llu\n", seed);
	signal(SIGALRM, on_signal);
	signal(SIGABRT, on_signal);
	signal(SIGSEGV, on_signal);
	if (!seconds) {
		tell(run(seed));
	} else if (!replays(seed)) {
		return 1;
	} else {
		std::printf("# %u runs\n", run_for(seconds, seed));
	}
	alarm(0);
	std::printf("ok %s\n", kRuns);
	return 0;
}
