// SPDX-License-Identifier: GPL-2.0
// Memory that runs out when a test says so.
#pragma once

extern "C" {
#include "kernel/memory.h"
}

namespace ccm_testing {

// The nth allocation fails while this is in scope, and no other.
class OutOfMemory {
public:
	explicit OutOfMemory(int nth = 1)
	{
		ccm_memory_fail(nth);
	}
	~OutOfMemory()
	{
		ccm_memory_fail(0);
	}
	OutOfMemory(const OutOfMemory &) = delete;
	OutOfMemory &operator=(const OutOfMemory &) = delete;
};

} // namespace ccm_testing
