// SPDX-License-Identifier: GPL-2.0
// Chance that a test can repeat: the same seed, the same numbers.
#pragma once

#include "support/types.hpp"

namespace ccm_testing {

class Random {
public:
	explicit Random(u64 seed) : state_(seed * 0x9e3779b97f4a7c15 + 1)
	{
	}
	// 0 to end - 1.
	u32 below(u32 end)
	{
		state_ ^= state_ << 13;
		state_ ^= state_ >> 7;
		state_ ^= state_ << 17;
		return static_cast<u32>(state_ >> 32) % end;
	}
	u32 between(u32 first, u32 last)
	{
		return first + below(last - first + 1);
	}

private:
	u64 state_;
};

} // namespace ccm_testing
