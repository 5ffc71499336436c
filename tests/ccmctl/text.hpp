// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdio>
#include <string>

#include "test.hpp"

// As EXPECT_EQ, for text.
#define EXPECT_TEXT(expected, actual) \
	same_text(test, __FILE__, __LINE__, #actual, expected, actual)

inline bool same_text(ccm_test *test, const char *file, int line,
		      const char *what, const std::string &expected,
		      const std::string &actual)
{
	if (expected == actual)
		return true;
	std::printf("# expected \"%s\"\n# is       \"%s\"\n", expected.c_str(),
		    actual.c_str());
	ccm_test_fail(test, file, line, what, true, false);
	return false;
}
