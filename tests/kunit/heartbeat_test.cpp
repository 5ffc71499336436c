// SPDX-License-Identifier: GPL-2.0
#include "core/heartbeat.hpp"

#include "test.hpp"

using namespace ccm;
using Verdict = Heartbeat::Verdict;

namespace {

constexpr u32 kInterval = 1000;
constexpr u32 kLimit = 3;
constexpr u64 kBegin = 50000;
constexpr u64 kDead = 100000; // the machine has been quiet for ever

Heartbeat begun()
{
	Heartbeat heartbeat;

	heartbeat.begin(kInterval, kLimit, kBegin);
	return heartbeat;
}

// How it goes from here if nothing comes any more: when each verdict is first
// given, 0 for never.
struct Course {
	u64 suspect = 0, stalled = 0, dead = 0;
	u32 asked = 0, missed = 0;
};

Course course(Heartbeat &heartbeat, u64 from, u64 to, bool acknowledges)
{
	Course course;

	for (u64 now = from; now <= to;) {
		Heartbeat::Look look =
			heartbeat.look(now, acknowledges ? 0 : kDead);

		course.asked += look.ask;
		course.missed += look.missed;
		if (look.verdict == Verdict::Suspect && !course.suspect)
			course.suspect = now;
		if (look.verdict == Verdict::Stalled && !course.stalled)
			course.stalled = now;
		if (look.verdict == Verdict::Dead) {
			course.dead = now;
			break;
		}
		now = look.again > now ? look.again : to + 1;
	}
	return course;
}

} // namespace

CCM_TEST(heartbeat, none__unless_there_is_an_interval)
{
	Heartbeat heartbeat;

	EXPECT(!heartbeat.beats());
	heartbeat.begin(0, kLimit, kBegin);
	EXPECT(!heartbeat.beats());
	heartbeat.begin(kInterval, kLimit, kBegin);
	EXPECT(heartbeat.beats());
}

CCM_TEST(heartbeat, silence__is_suspect_then_dead_at_the_limit)
{
	Heartbeat heartbeat = begun();
	Course went = course(heartbeat, kBegin, kBegin + 10000, false);

	EXPECT_EQ(kBegin + 2 * kInterval, went.suspect);
	EXPECT_EQ(0, went.stalled);
	EXPECT_EQ(kBegin + kLimit * kInterval, went.dead);
	EXPECT_EQ(1, went.missed);
}

// Whenever the last sign came, death is found by that and not by the beat.
CCM_TEST(heartbeat, silence__is_counted_from_the_last_sign)
{
	for (u64 offset = 0; offset < 2 * kInterval; offset += 50) {
		Heartbeat heartbeat = begun();
		u64 last = kBegin + offset;

		for (u64 now = kBegin; now < last; now += 50) {
			(void)heartbeat.look(now, 0);
			heartbeat.heard(now, true);
		}
		heartbeat.heard(last, true);
		Course went = course(heartbeat, last, last + 10000, false);

		EXPECT_EQ(last + kLimit * kInterval, went.dead);
		EXPECT(went.suspect > last && went.suspect < went.dead);
	}
}

CCM_TEST(heartbeat, silence__of_a_machine_that_acknowledges_is_a_stall)
{
	Heartbeat heartbeat = begun();
	Course went = course(heartbeat, kBegin, kBegin + 60000, true);

	EXPECT_EQ(kBegin + kLimit * kInterval, went.stalled);
	EXPECT_EQ(0, went.dead);
	// It is asked on, else nothing would have to be acknowledged.
	EXPECT(went.asked >= 58);
	// And then the machine is gone too.
	went = course(heartbeat, kBegin + 61000, kBegin + 70000, false);
	EXPECT_EQ(kBegin + 61000, went.dead);
}

CCM_TEST(heartbeat, stall__needs_a_recent_acknowledgement)
{
	constexpr u64 kRecent = kInterval + kInterval / 2 + 200;
	const u64 quiets[] = {kRecent - 1, kRecent};

	for (u64 quiet : quiets) {
		Heartbeat heartbeat = begun();

		(void)heartbeat.look(kBegin + kInterval, 0);
		(void)heartbeat.look(kBegin + 2 * kInterval, 0);
		EXPECT(heartbeat.look(kBegin + kLimit * kInterval, quiet)
			       .verdict ==
		       (quiet < kRecent ? Verdict::Stalled : Verdict::Dead));
	}
}

CCM_TEST(heartbeat, answers__keep_a_peer_alive)
{
	Heartbeat heartbeat = begun();
	u32 asked = 0;

	for (u64 now = kBegin; now < kBegin + 100000;) {
		Heartbeat::Look look = heartbeat.look(now, kDead);

		EXPECT(look.verdict == Verdict::Alive);
		EXPECT(!look.missed);
		if (look.ask) {
			asked++;
			heartbeat.heard(now + 1, false); // its echo
		}
		REQUIRE(look.again > now);
		now = look.again;
	}
	EXPECT_EQ(99, asked);
}

CCM_TEST(heartbeat, busy__connections_carry_none)
{
	Heartbeat heartbeat = begun();

	for (u64 now = kBegin; now < kBegin + 10000; now += 100) {
		Heartbeat::Look look = heartbeat.look(now, kDead);

		EXPECT(!look.ask);
		EXPECT(look.verdict == Verdict::Alive);
		heartbeat.heard(now, true);
	}
	// Half an interval without anything is no longer busy.
	EXPECT(!heartbeat.look(kBegin + 10000, kDead).ask);
	EXPECT(heartbeat.look(kBegin + 11000, kDead).ask);
}

CCM_TEST(heartbeat, suspect__is_alive_again_by_any_sign)
{
	Heartbeat heartbeat = begun();

	(void)heartbeat.look(kBegin + kInterval, kDead);
	Heartbeat::Look look = heartbeat.look(kBegin + 2 * kInterval, kDead);
	EXPECT(look.verdict == Verdict::Suspect);
	EXPECT(look.missed);
	heartbeat.heard(kBegin + 2 * kInterval + 10, false);
	look = heartbeat.look(kBegin + 2 * kInterval + 10, kDead);
	EXPECT(look.verdict == Verdict::Alive);
	EXPECT(!look.missed);
}

// It has neither asked nor read meanwhile.
CCM_TEST(heartbeat, late__is_not_the_peers_fault)
{
	Heartbeat heartbeat = begun();
	u64 late = kBegin + 10 * kInterval;

	(void)heartbeat.look(kBegin + kInterval, 0);
	Heartbeat::Look look = heartbeat.look(late, kDead);
	EXPECT(look.verdict == Verdict::Alive);
	EXPECT(look.ask);
	EXPECT(!look.missed);
	Course went = course(heartbeat, look.again, late + 20000, false);
	EXPECT_EQ(late + kLimit * kInterval, went.dead);
}

CCM_TEST(heartbeat, change__is_no_sign_of_life)
{
	Heartbeat heartbeat = begun();

	(void)heartbeat.look(kBegin + kInterval, 0);
	EXPECT(heartbeat.is(kInterval, kLimit));
	heartbeat.change(kInterval / 2, kLimit + 1, kBegin + kInterval + 1);
	EXPECT(!heartbeat.is(kInterval, kLimit));
	Course went = course(heartbeat, kBegin + kInterval + 1, kBegin + 20000,
			     false);
	EXPECT_EQ(kBegin + (kLimit + 1) * kInterval / 2, went.dead);
}

// Asked just before the limit, as it was busy until then.
CCM_TEST(heartbeat, limit__waits_for_an_answer_that_may_be_on_its_way)
{
	constexpr u32 kShort = 400;
	Heartbeat heartbeat;

	heartbeat.begin(kShort, 2, kBegin);
	u64 last = kBegin + kShort / 2 + 1;
	heartbeat.heard(last, true);
	EXPECT(!heartbeat.look(kBegin + kShort, 0).ask);
	u64 asked = kBegin + 2 * kShort;
	EXPECT(heartbeat.look(asked, 0).ask);
	Heartbeat::Look look = heartbeat.look(last + 2 * kShort, kDead);
	EXPECT(look.verdict != Verdict::Dead);
	EXPECT_EQ(asked + kShort / 2 + 200, look.again);
	EXPECT(heartbeat.look(look.again, kDead).verdict == Verdict::Dead);
}

CCM_TEST(heartbeat, limit__of_two_leaves_time_to_answer)
{
	Heartbeat heartbeat;

	heartbeat.begin(kInterval, 2, kBegin);
	EXPECT(heartbeat.look(kBegin + kInterval, 0).ask);
	EXPECT(heartbeat.look(kBegin + 2 * kInterval - 1, kInterval).verdict ==
	       Verdict::Alive);
	EXPECT(heartbeat.look(kBegin + 2 * kInterval, 2 * kInterval - 40)
		       .verdict == Verdict::Dead);
}
