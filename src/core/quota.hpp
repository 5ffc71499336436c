// SPDX-License-Identifier: GPL-2.0
// How often something may be: so many times at once, and then once a step.
#pragma once

#include "support/types.hpp"

namespace ccm {

// All calls tell it the time, which does not go back.
class Quota {
public:
	constexpr Quota(u32 step_ms, u32 at_once)
		: step_ms_(step_ms), ahead_ms_(u64{step_ms} * (at_once - 1))
	{
	}

	// Whether it may be now, and then it is.
	bool take(u64 now)
	{
		if (now < again())
			return false;
		used_up_ms_ =
			(used_up_ms_ > now ? used_up_ms_ : now) + step_ms_;
		return true;
	}
	// When it may be again, or a time that has passed.
	u64 again() const
	{
		return used_up_ms_ > ahead_ms_ ? used_up_ms_ - ahead_ms_ : 0;
	}

private:
	u32 step_ms_;
	u64 ahead_ms_;
	u64 used_up_ms_ = 0; // all before that time is
};

} // namespace ccm
