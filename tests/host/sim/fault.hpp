// SPDX-License-Identifier: GPL-2.0
// What the random test ends with, and what it says then.
#pragma once

#include "support/types.hpp"

#include <atomic>

namespace ccm_testing {

// A promise is broken: says so, and what everybody was doing. Ends the program.
[[noreturn]] void fault(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

// What a thread is doing, as others may read it.
class Doing {
public:
	explicit Doing(const char *who, u32 node);
	~Doing();
	Doing(const Doing &) = delete;
	Doing &operator=(const Doing &) = delete;

	void set(const char *what);

	// Of all threads.
	static void print();

private:
	const char *const who_;
	const u32 node_;
	std::atomic<const char *> what_{"nothing"};
	std::atomic<u64> since_ms_;
};

} // namespace ccm_testing
