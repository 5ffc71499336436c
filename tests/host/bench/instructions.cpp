// SPDX-License-Identifier: GPL-2.0
#include "bench/instructions.hpp"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

// Whether it has stopped, and by which signal.
bool stops(pid_t child, int &by)
{
	int status;

	if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
		return false;
	by = WSTOPSIG(status);
	return true;
}

// From a mark to the next.
long count(pid_t child)
{
	int by;

	if (!stops(child, by) || by != SIGSTOP)
		return -1;
	for (long instructions = 0;; instructions++) {
		if (ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) != 0 ||
		    !stops(child, by))
			return -1;
		if (by == SIGSTOP)
			return instructions;
		if (by != SIGTRAP)
			return -1;
	}
}

} // namespace

void bench::mark()
{
	raise(SIGSTOP);
}

long bench::count_instructions(void (*run)(void *arg), void *arg)
{
	pid_t child = fork();

	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
		run(arg);
		_exit(0);
	}
	if (child < 0)
		return -1;
	long instructions = count(child);

	kill(child, SIGKILL);
	waitpid(child, nullptr, 0);
	return instructions;
}
