// SPDX-License-Identifier: GPL-2.0
// What a step costs among a hundred others of its kind, and among a hundred thousand.
//
//	bench [GLOB]	those whose name matches
//
// The table is for people: instructions, and nanoseconds, which depend on the machine, its
// caches and what else it does. A line "ok bench.NAME" or "not ok bench.NAME" says whether
// the instructions stay within twice those among a hundred.
#include "bench/cases.hpp"
#include "bench/instructions.hpp"
#include "test.hpp"

#include <fnmatch.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

using namespace bench;

namespace {

constexpr const Case *kCases[] = {&kPlace,  &kTake,   &kCancel,
				  &kExpire, &kAnswer, &kReport,
				  &kLose,   &kAdmit,  &kJudge};
constexpr u32 kOthers[] = {100, 1000, 10000, 100000};
constexpr u32 kCounted = 8; // each instruction of a step stops the process
constexpr u32 kTimed = 20000;

struct Run {
	const Case *of;
	u32 others;
};

// The same numbers each time: what is measured has chance of its own.
u32 chance_of(u32 step)
{
	return (step + 1) * 2654435761u >> 3;
}

void counted(void *run)
{
	auto &[of, others] = *static_cast<Run *>(run);
	void *state = of->begin(others);

	of->step(state, 0);
	mark();
	for (u32 step = 0; step < kCounted; step++)
		of->step(state, chance_of(step));
	mark();
}

double instructions(const Case &of, u32 others)
{
	Run run{&of, others};

	return static_cast<double>(count_instructions(counted, &run)) /
	       kCounted;
}

double nanoseconds(const Case &of, u32 others)
{
	void *state = of.begin(others);
	timespec began, ended;

	clock_gettime(CLOCK_MONOTONIC, &began);
	for (u32 step = 0; step < kTimed; step++)
		of.step(state, chance_of(step));
	clock_gettime(CLOCK_MONOTONIC, &ended);
	of.end(state);
	return ((ended.tv_sec - began.tv_sec) * 1e9 +
		static_cast<double>(ended.tv_nsec - began.tv_nsec)) /
	       kTimed;
}

bool is_flat(const Case &of)
{
	double least = 0;
	double most = 0;

	std::printf("# %-8s", of.name);
	for (u32 others : kOthers) {
		double count = instructions(of, others);

		std::printf("  %6.0f %6.0f ns", count, nanoseconds(of, others));
		if (count <= 0)
			return false;
		if (least == 0)
			least = count;
		most = count > most ? count : most;
	}
	std::printf("  %s\n", of.what);
	return most <= 2 * least;
}

} // namespace

void bench::die(const char *why)
{
	std::fprintf(stderr, "# %s\n", why);
	std::abort();
}

void ccm_test_sleep(unsigned int ms)
{
	usleep(ms * 1000);
}

int main(int argc, char **argv)
{
	const char *glob = argc > 1 ? argv[1] : "*";
	int passed = 0;
	int failed = 0;

	std::printf("# among   ");
	for (u32 others : kOthers)
		std::printf("%8u          ", others);
	std::printf("\n");
	for (const Case *one : kCases) {
		if (fnmatch(glob, one->name, 0) != 0)
			continue;
		bool flat = is_flat(*one);
		std::printf("%s bench.%s\n", flat ? "ok" : "not ok", one->name);
		(flat ? passed : failed)++;
	}
	std::printf("%d passed, %d failed\n", passed, failed);
	return failed || !passed ? 1 : 0;
}
