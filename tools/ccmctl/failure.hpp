// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <stdexcept>

namespace ccmctl {

// What went wrong and what to do, for people. ccmctl ends with status 1.
class Failure : public std::runtime_error {
public:
	using std::runtime_error::runtime_error;
};

}
