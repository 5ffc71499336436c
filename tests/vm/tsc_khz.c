// SPDX-License-Identifier: GPL-2.0
/* Prints the rate of this machine's TSC in kHz, which is the rate of an emulated guest's too. */
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

int main(void)
{
	double start = seconds();
	unsigned long long ticks = __rdtsc();

	while (seconds() - start < 0.1)
		;
	ticks = __rdtsc() - ticks;
	printf("%.0f\n", ticks / (seconds() - start) / 1e3);
	return 0;
}
