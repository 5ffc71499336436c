// SPDX-License-Identifier: GPL-2.0
#include "core/heartbeat.hpp"

namespace ccm {

namespace {

// TCP acknowledges no later than that, even for one who does not read.
constexpr u32 kDelayedAckMs = 200;

// TCP answers probes of a shut window no more often than twice a second.
constexpr u32 kProbeAnswerMs = 700;

// TCP sends again what was lost after 200 ms at least, and once more after 400.
constexpr u32 kResendMs = 1000;

} // namespace

void Heartbeat::begin(u32 interval, u32 limit, u64 now)
{
	interval_ = interval;
	limit_ = limit;
	heard_ = last_ = now;
	next_ = look_ = now + interval;
	asked_ = 0;
	told_ = false;
	stuck_ = 0;
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
// TCP's delay; half an interval is for the machine's. While its window is shut it
// answers a probe instead, one for each heartbeat.
u64 Heartbeat::most_quiet(const ccm_signs &signs) const
{
	u64 most = interval_ + interval_ / 2 + kDelayedAckMs;
	u64 probed = interval_ + kProbeAnswerMs;

	return signs.shut && most < probed ? probed : most;
}

u64 Heartbeat::most_stuck() const
{
	u64 most = u64{interval_} * limit_;

	return most < kResendMs ? kResendMs : most;
}

// What is in flight at the first look that finds something was sent since the look
// before, or has arrived in part since then.
void Heartbeat::note_progress(u64 now, const ccm_signs &signs)
{
	if (!signs.in_flight)
		stuck_ = 0;
	else if (signs.acknowledged != arrived_)
		stuck_ = now;
	else if (!stuck_)
		stuck_ = now - (signs.busy_ms < now ? signs.busy_ms : 0);
	arrived_ = signs.acknowledged;
}

// What the peer sends proves that it lives and not that we reach it: a path may
// lose large packets only, or one direction.
Heartbeat::Verdict Heartbeat::judge(u64 now, const ccm_signs &signs) const
{
	u64 silence = now - heard_;
	u64 most = u64{interval_} * limit_;

	bool silent = silence >= most && has_had_time(now);

	if (silent && signs.quiet_ms >= most_quiet(signs))
		return Verdict::Dead;
	if (stuck_ && now - stuck_ >= most_stuck() &&
	    signs.quiet_ms < most_stuck())
		return Verdict::Lost;
	if (silent)
		return Verdict::Stalled;
	if (asked_ && now - asked_ >= interval_)
		return Verdict::Suspect;
	return Verdict::Alive;
}

u64 Heartbeat::next_look(u64 now, const ccm_signs &signs) const
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
	// A peer that is stalled, and of which nothing more comes.
	u64 quiet = signs.quiet_ms;
	if (now >= end && quiet < most_quiet(signs) &&
	    now + most_quiet(signs) - quiet < next)
		next = now + most_quiet(signs) - quiet;
	// To see soon whether what is in flight arrives.
	if (stuck_ && now + interval_ / 4 < next)
		next = now + interval_ / 4;
	if (stuck_ && now < stuck_ + most_stuck() &&
	    stuck_ + most_stuck() < next)
		next = stuck_ + most_stuck();
	return next;
}

// Who looks late has neither asked nor read in time, and begins anew.
Heartbeat::Look Heartbeat::look(u64 now, const ccm_signs &signs)
{
	bool late = now >= look_ + interval_ / 2;

	note_progress(now, signs);
	if (late) {
		heard(now, false);
		next_ = now;
		stuck_ = stuck_ ? now : 0;
	}
	Look look{.verdict = judge(now, signs),
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
	look.again = look_ = next_look(now, signs);
	return look;
}

} // namespace ccm
