// SPDX-License-Identifier: GPL-2.0
// Random operations of two nodes, in rounds:
//
//	random [SEED [SECONDS]]
//
// Each round has a seed, the first the one given. It decides what threads do and
// for how long they rest after they have dropped a lock; the rest is chance. What
// is wrong ends the program, which then names the seed of the round, and what all
// threads were doing. SEED 0: another one each time.
#include "host.hpp"
#include "random/round.hpp"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <random>

extern "C" {
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

using namespace ccm_testing;

namespace {

constexpr unsigned kSecondsPerRound = 60;
#ifdef __SANITIZE_THREAD__
constexpr const char *kCase = "random.rounds__under_tsan";
#else
constexpr const char *kCase = "random.rounds__under_asan";
#endif

unsigned long long seed_of_round;

// The program ends in the middle of a round.
void on_signal(int signal)
{
	alarm(0);
	if (signal == SIGALRM)
		std::fprintf(stderr, "# it takes more than %u seconds\n",
			     kSecondsPerRound);
	Doing::print();
	std::printf("not ok %s: seed %llu ended the program\n", kCase,
		    seed_of_round);
	std::fflush(stdout);
	_exit(1);
}

unsigned long long given(int argc, char **argv, int nth,
			 unsigned long long otherwise)
{
	return argc > nth ? std::strtoull(argv[nth], nullptr, 0) : otherwise;
}

} // namespace

int main(int argc, char **argv)
{
	unsigned long long seed = given(argc, argv, 1, 0);
	unsigned long long seconds = given(argc, argv, 2, 30);
	u64 until = ccm_now_ms() + seconds * 1000;
	unsigned rounds = 0;

	if (!seed)
		seed = std::random_device()() % 1000000000;
	setvbuf(stdout, nullptr, _IOLBF, 0);
	std::printf("# seed %llu\n", seed);
	signal(SIGALRM, on_signal);
	signal(SIGABRT, on_signal);
	signal(SIGSEGV, on_signal);
	do {
		seed_of_round = seed++;
		alarm(kSecondsPerRound);
		Round(seed_of_round).run();
		rounds++;
	} while (ccm_now_ms() < until);
	alarm(0);
	std::printf("ok %s\n# %u rounds, the last of seed %llu\n", kCase,
		    rounds, seed_of_round);
	return 0;
}
