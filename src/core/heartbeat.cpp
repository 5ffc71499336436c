// SPDX-License-Identifier: GPL-2.0
#include "core/heartbeat.hpp"

namespace ccm {

namespace {

// TCP acknowledges no later than that, even for one who does not read.
constexpr u32 kDelayedAckMs = 200;

} // namespace

void Heartbeat::begin(u32 interval, u32 limit, u64 now)
{
	interval_ = interval;
	limit_ = limit;
	heard_ = last_ = now;
	next_ = look_ = now + interval;
	asked_ = 0;
	told_ = false;
}

void Heartbeat::change(u32 interval, u32 limit, u64 now)
{
	interval_ = interval;
	limit_ = limit;
	if (now + interval < next_)
		next_ = now + interval;
	look_ = now;
}

void Heartbeat::heard(u64 now, bool by_itself)
{
	heard_ = now;
	if (by_itself)
		last_ = now;
	asked_ = 0;
	told_ = false;
}

// To answer, and TCP to acknowledge.
bool Heartbeat::has_had_time(u64 now) const
{
	return asked_ && now - asked_ >= interval_ / 2 + kDelayedAckMs;
}

// A machine that lives acknowledges each heartbeat, so within an interval and
// TCP's delay; half an interval is for the machine's.
Heartbeat::Verdict Heartbeat::judge(u64 now, u64 quiet) const
{
	u64 silence = now - heard_;
	u64 most = u64{interval_} * limit_;

	if (silence >= most && has_had_time(now))
		return quiet < interval_ + interval_ / 2 + kDelayedAckMs
			       ? Verdict::Stalled
			       : Verdict::Dead;
	if (asked_ && now - asked_ >= interval_)
		return Verdict::Suspect;
	return Verdict::Alive;
}

u64 Heartbeat::next_look(u64 now) const
{
	u64 next = next_;
	u64 end = heard_ + u64{interval_} * limit_;
	u64 answered = asked_ + interval_ / 2 + kDelayedAckMs;

	if (asked_ && answered > end)
		end = answered;
	if (now < end && end < next)
		next = end;
	if (asked_ && !told_ && asked_ + interval_ < next)
		next = asked_ + interval_;
	return next;
}

// Who looks late has neither asked nor read in time, and begins anew.
Heartbeat::Look Heartbeat::look(u64 now, u64 quiet)
{
	if (now >= look_ + interval_ / 2) {
		heard(now, false);
		next_ = now;
	}
	Look look{.verdict = judge(now, quiet),
		  .ask = false,
		  .missed = false,
		  .again = 0};

	if (asked_ && !told_ && now - asked_ >= interval_)
		look.missed = told_ = true;
	// Who says something anyway need not be asked.
	if (now >= next_) {
		next_ = now + interval_;
		look.ask = now - last_ >= interval_ / 2;
	}
	if (look.ask && !asked_)
		asked_ = now;
	look.again = look_ = next_look(now);
	return look;
}

} // namespace ccm
