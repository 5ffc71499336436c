// SPDX-License-Identifier: GPL-2.0
#include "sim/fault.hpp"

#include "kernel/kernel.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <set>

namespace ccm_testing {

namespace {

std::mutex all_mutex; // protects:
std::set<Doing *> all;

} // namespace

Doing::Doing(const char *who, u32 node)
	: who_(who), node_(node), since_ms_(ccm_now_ms())
{
	std::lock_guard guard(all_mutex);

	all.insert(this);
}

Doing::~Doing()
{
	std::lock_guard guard(all_mutex);

	all.erase(this);
}

void Doing::set(const char *what)
{
	what_.store(what, std::memory_order_relaxed);
	since_ms_.store(ccm_now_ms(), std::memory_order_relaxed);
}

// The program is ending: it does not wait for somebody who ended it.
void Doing::print()
{
	std::unique_lock lock(all_mutex, std::try_to_lock);

	for (const Doing *one : all)
		std::fprintf(stderr, "# %s of node %u: %s, for %llu ms\n",
			     one->who_, one->node_, one->what_.load(),
			     static_cast<unsigned long long>(
				     ccm_now_ms() - one->since_ms_.load()));
}

void fault(const char *format, ...)
{
	va_list arguments;

	std::fputs("# fault: ", stderr);
	va_start(arguments, format);
	std::vfprintf(stderr, format, arguments);
	va_end(arguments);
	std::fputc('\n', stderr);
	std::abort();
}

} // namespace ccm_testing
