// SPDX-License-Identifier: GPL-2.0
// Tests of the core, written once: KUnit runs them in a kernel (kunit.c), and
// those that need no kernel run on the host too (tests/host).
//
//	CCM_TEST(suite, function__case)
//	{
//		EXPECT_EQ(4, 2 + 2);
//	}
//
// Every CCM_TEST at a line's begin is found by cases.sh and run.
#pragma once

#include "support/types.hpp"

struct ccm_test;

extern "C" {
// Says that the test has failed, and where.
void ccm_test_fail(ccm_test *test, const char *file, int line, const char *what,
		   long long expected, long long actual);
void ccm_test_sleep(unsigned int ms);
// In a thread that is not CCM's, and waits for its end.
void ccm_test_beside(void (*run)(void *arg), void *arg);
}

#define CCM_TEST(suite, name)                                 \
	extern "C" void ccm_##suite##_##name(ccm_test *test); \
	extern "C" void ccm_##suite##_##name([[maybe_unused]] ccm_test *test)

// The test goes on after an EXPECT, and ends at a REQUIRE, that does not hold.
#define EXPECT(condition)                                              \
	ccm_testing::equal(test, __FILE__, __LINE__, #condition, true, \
			   static_cast<bool>(condition))
#define EXPECT_EQ(expected, actual)                                            \
	ccm_testing::equal(test, __FILE__, __LINE__, #expected " == " #actual, \
			   static_cast<long long>(expected),                   \
			   static_cast<long long>(actual))
#define REQUIRE(condition)              \
	do {                            \
		if (!EXPECT(condition)) \
			return;         \
	} while (0)
#define REQUIRE_EQ(expected, actual)              \
	do {                                      \
		if (!EXPECT_EQ(expected, actual)) \
			return;                   \
	} while (0)

namespace ccm_testing {

inline bool equal(ccm_test *test, const char *file, int line, const char *what,
		  long long expected, long long actual)
{
	if (expected != actual)
		ccm_test_fail(test, file, line, what, expected, actual);
	return expected == actual;
}

// Wait until something is so, at most ten seconds.
template <class F> bool eventually(F is_so)
{
	for (int i = 0; i < 2000; i++) {
		if (is_so())
			return true;
		ccm_test_sleep(5);
	}
	return is_so();
}

} // namespace ccm_testing
