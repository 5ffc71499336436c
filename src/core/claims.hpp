// SPDX-License-Identifier: GPL-2.0
// Whether two machines say to be the same peer.
#pragma once

#include "support/types.hpp"

namespace ccm {

constexpr u64 kFirstTurnMs = 1000;
constexpr u64 kLongestTurnMs = 64000;
constexpr u64 kForgottenMs = 600000; // without another such claim

// A machine that restarts has a new incarnation, and never an old one again. So one
// that comes back when another has been here since tells that both are there: a
// cloned machine, a copied file. Each would replace the other's connection as soon
// as it can connect; so they take turns, each longer than the one before.
class Claims {
public:
	// Whether another machine than this has been here since this was.
	bool contested(u64 incarnation) const
	{
		return incarnation != current_ && is_earlier(incarnation);
	}
	// It is not the turn of the one that comes.
	bool is_early(u64 incarnation, u64 now_ms) const
	{
		return contested(incarnation) && now_ms < turn_ends_ms_;
	}
	// This one is the peer from now on.
	void admit(u64 incarnation, u64 now_ms)
	{
		if (contested(incarnation))
			lengthen(now_ms);
		if (incarnation == current_)
			return;
		for (u64 &earlier : earlier_) {
			if (earlier != incarnation)
				continue;
			earlier = current_;
			current_ = incarnation;
			return;
		}
		earlier_[next_++ % kKept] = current_;
		current_ = incarnation;
	}

private:
	enum : u32 { kKept = 4 };

	bool is_earlier(u64 incarnation) const
	{
		for (u64 earlier : earlier_)
			if (incarnation && earlier == incarnation)
				return true;
		return false;
	}
	void lengthen(u64 now_ms)
	{
		if (!turn_ms_ || now_ms > turn_ends_ms_ + kForgottenMs)
			turn_ms_ = kFirstTurnMs;
		else if (turn_ms_ < kLongestTurnMs)
			turn_ms_ *= 2;
		turn_ends_ms_ = now_ms + turn_ms_;
	}

	u64 current_ = 0; // incarnations; 0: none
	u64 earlier_[kKept] = {};
	u32 next_ = 0;
	u64 turn_ms_ = 0;
	u64 turn_ends_ms_ = 0; // until then the others wait
};

} // namespace ccm
