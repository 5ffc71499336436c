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

// Nothing of ours is on its way.
ccm_signs quiet_for(u64 ms)
{
	return {.quiet_ms = ms,
		.acknowledged = 0,
		.in_flight = false,
		.busy_ms = 0,
		.shut = false};
}

// Some is, of which so many bytes have arrived; its machine has just answered.
ccm_signs in_flight(u64 acknowledged, u64 quiet_ms = 0, u64 busy_ms = 0)
{
	return {.quiet_ms = quiet_ms,
		.acknowledged = acknowledged,
		.in_flight = true,
		.busy_ms = busy_ms,
		.shut = false};
}

// It takes nothing more.
ccm_signs shut_for(u64 quiet_ms)
{
	return {.quiet_ms = quiet_ms,
		.acknowledged = 0,
		.in_flight = false,
		.busy_ms = 0,
		.shut = true};
}

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
		Heartbeat::Look look = heartbeat.look(
			now, quiet_for(acknowledges ? 0 : kDead));

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
			(void)heartbeat.look(now, quiet_for(0));
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

		(void)heartbeat.look(kBegin + kInterval, quiet_for(0));
		(void)heartbeat.look(kBegin + 2 * kInterval, quiet_for(0));
		EXPECT(heartbeat
			       .look(kBegin + kLimit * kInterval,
				     quiet_for(quiet))
			       .verdict ==
		       (quiet < kRecent ? Verdict::Stalled : Verdict::Dead));
	}
}

CCM_TEST(heartbeat, answers__keep_a_peer_alive)
{
	Heartbeat heartbeat = begun();
	u32 asked = 0;

	for (u64 now = kBegin; now < kBegin + 100000;) {
		Heartbeat::Look look = heartbeat.look(now, quiet_for(kDead));

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
		Heartbeat::Look look = heartbeat.look(now, quiet_for(kDead));

		EXPECT(!look.ask);
		EXPECT(look.verdict == Verdict::Alive);
		heartbeat.heard(now, true);
	}
	// Half an interval without anything is no longer busy.
	EXPECT(!heartbeat.look(kBegin + 10000, quiet_for(kDead)).ask);
	EXPECT(heartbeat.look(kBegin + 11000, quiet_for(kDead)).ask);
}

CCM_TEST(heartbeat, suspect__is_alive_again_by_any_sign)
{
	Heartbeat heartbeat = begun();

	(void)heartbeat.look(kBegin + kInterval, quiet_for(kDead));
	Heartbeat::Look look =
		heartbeat.look(kBegin + 2 * kInterval, quiet_for(kDead));
	EXPECT(look.verdict == Verdict::Suspect);
	EXPECT(look.missed);
	heartbeat.heard(kBegin + 2 * kInterval + 10, false);
	look = heartbeat.look(kBegin + 2 * kInterval + 10, quiet_for(kDead));
	EXPECT(look.verdict == Verdict::Alive);
	EXPECT(!look.missed);
}

// It has neither asked nor read meanwhile.
CCM_TEST(heartbeat, late__is_not_the_peers_fault)
{
	Heartbeat heartbeat = begun();
	u64 late = kBegin + 10 * kInterval;

	(void)heartbeat.look(kBegin + kInterval, quiet_for(0));
	Heartbeat::Look look = heartbeat.look(late, quiet_for(kDead));
	EXPECT(look.verdict == Verdict::Alive);
	EXPECT(look.ask);
	EXPECT(!look.missed);
	Course went = course(heartbeat, look.again, late + 20000, false);
	EXPECT_EQ(late + kLimit * kInterval, went.dead);
}

CCM_TEST(heartbeat, change__is_no_sign_of_life)
{
	Heartbeat heartbeat = begun();

	(void)heartbeat.look(kBegin + kInterval, quiet_for(0));
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
	EXPECT(!heartbeat.look(kBegin + kShort, quiet_for(0)).ask);
	u64 asked = kBegin + 2 * kShort;
	EXPECT(heartbeat.look(asked, quiet_for(0)).ask);
	Heartbeat::Look look =
		heartbeat.look(last + 2 * kShort, quiet_for(kDead));
	EXPECT(look.verdict != Verdict::Dead);
	EXPECT_EQ(asked + kShort / 2 + 200, look.again);
	EXPECT(heartbeat.look(look.again, quiet_for(kDead)).verdict ==
	       Verdict::Dead);
}

CCM_TEST(heartbeat, limit__of_two_leaves_time_to_answer)
{
	Heartbeat heartbeat;

	heartbeat.begin(kInterval, 2, kBegin);
	EXPECT(heartbeat.look(kBegin + kInterval, quiet_for(0)).ask);
	EXPECT(heartbeat.look(kBegin + 2 * kInterval - 1, quiet_for(kInterval))
		       .verdict == Verdict::Alive);
	EXPECT(heartbeat
		       .look(kBegin + 2 * kInterval,
			     quiet_for(2 * kInterval - 40))
		       .verdict == Verdict::Dead);
}

// --- what we send ----------------------------------------------------------------

namespace {

// Looks from here on while bytes of ours are in flight and the peer itself talks;
// arrived(now) of them have come there. When that is found to be lost; 0: never.
template <class F>
u64 lost_at(Heartbeat &heartbeat, u64 from, u64 to, F arrived)
{
	for (u64 now = from; now <= to;) {
		heartbeat.heard(now, true);
		Heartbeat::Look look =
			heartbeat.look(now, in_flight(arrived(now)));

		if (look.verdict == Verdict::Lost)
			return now;
		if (look.again <= now)
			return 0; // it would look for ever
		now = look.again;
	}
	return 0;
}

} // namespace

CCM_TEST(heartbeat, lost__is_what_does_not_arrive_whatever_the_peer_says)
{
	Heartbeat heartbeat = begun();
	u64 sent = kBegin + kInterval;
	u64 lost =
		lost_at(heartbeat, sent, sent + 60000, [](u64) { return 1; });

	EXPECT(lost >= sent + kLimit * kInterval);
	EXPECT(lost <= sent + kLimit * kInterval + kInterval / 4);
}

CCM_TEST(heartbeat, lost__is_nothing_that_arrives_slowly)
{
	Heartbeat heartbeat = begun();
	u64 sent = kBegin + kInterval;
	auto slowly = [](u64 now) {
		return now / (kLimit * kInterval - kInterval / 2);
	};

	EXPECT_EQ(0, lost_at(heartbeat, sent, sent + 60000, slowly));
	// The last of it arrived a moment ago, and now it is.
	u64 from = sent + 61000;
	u64 lost = lost_at(heartbeat, from, from + 60000,
			   [&](u64) { return slowly(from); });
	EXPECT(lost >= from + kLimit * kInterval);
	EXPECT(lost <= from + kLimit * kInterval + kInterval / 4);
}

// Sent right after a look, and found by the next one: counted from then.
CCM_TEST(heartbeat, lost__is_counted_from_the_time_it_was_sent)
{
	for (u64 after = 1; after < kInterval; after += 111) {
		Heartbeat heartbeat = begun();
		u64 looked = kBegin + kInterval;
		u64 sent = looked + after;

		heartbeat.heard(looked, true);
		(void)heartbeat.look(looked, quiet_for(0));
		for (u64 now = looked + kInterval;;) {
			heartbeat.heard(now, true);
			Heartbeat::Look look = heartbeat.look(
				now, in_flight(0, 0, now - sent));

			if (look.verdict == Verdict::Lost) {
				EXPECT_EQ(sent + kLimit * kInterval, now);
				break;
			}
			REQUIRE(look.again > now && now < sent + 60000);
			now = look.again;
		}
	}
}

// What has arrived meanwhile is no reason to count from before.
CCM_TEST(heartbeat, lost__is_not_counted_from_before_something_arrived)
{
	Heartbeat heartbeat = begun();
	u64 looked = kBegin + kInterval;
	u64 next = looked + kInterval;

	heartbeat.heard(looked, true);
	(void)heartbeat.look(looked, quiet_for(0));
	heartbeat.heard(next, true);
	Heartbeat::Look look =
		heartbeat.look(next, in_flight(100, 0, kInterval));
	EXPECT(look.verdict == Verdict::Alive);
	u64 lost = lost_at(heartbeat, look.again, next + 60000,
			   [](u64) { return 100; });
	EXPECT_EQ(next + kLimit * kInterval, lost);
}

// TCP needs that long to send something twice.
CCM_TEST(heartbeat, lost__is_not_before_a_second)
{
	Heartbeat heartbeat;

	heartbeat.begin(100, 2, kBegin);
	u64 lost = lost_at(heartbeat, kBegin + 100, kBegin + 60000,
			   [](u64) { return 1; });
	EXPECT(lost >= kBegin + 100 + 1000);
	EXPECT(lost <= kBegin + 100 + 1025);
}

// Who has been late itself has not seen what arrived.
CCM_TEST(heartbeat, lost__is_not_what_nobody_looked_at)
{
	Heartbeat heartbeat = begun();
	u64 sent = kBegin + kInterval;
	u64 late = sent + 10 * kInterval;

	(void)heartbeat.look(sent, in_flight(1));
	EXPECT(heartbeat.look(late, in_flight(1, 0, late - sent)).verdict ==
	       Verdict::Alive);
	u64 lost =
		lost_at(heartbeat, late, late + 60000, [](u64) { return 1; });
	EXPECT(lost >= late + kLimit * kInterval);
}

// What is in flight when the machine dies is not the path's fault.
CCM_TEST(heartbeat, lost__is_not_what_a_dead_machine_was_sent)
{
	Heartbeat heartbeat = begun();
	u64 died = kBegin + kInterval;

	heartbeat.heard(died, true);
	for (u64 now = died;;) {
		Heartbeat::Look look =
			heartbeat.look(now, in_flight(1, now - died));

		REQUIRE(look.verdict != Verdict::Lost);
		REQUIRE(look.verdict != Verdict::Stalled);
		if (look.verdict == Verdict::Dead) {
			EXPECT(now <=
			       died + kLimit * kInterval + kInterval / 4);
			break;
		}
		REQUIRE(look.again > now && now < died + 60000);
		now = look.again;
	}
}

// --- a window that is shut -------------------------------------------------------

namespace {

// How long after its last answer a peer with a shut window is found dead, if it
// was stalled for so long before; it has answered a probe every_ms until then.
u64 found_after(u32 interval, u32 limit, u64 shut_ms, u64 every_ms)
{
	Heartbeat heartbeat;
	u64 died = kBegin + shut_ms;

	heartbeat.begin(interval, limit, kBegin);
	for (u64 now = kBegin; now < died + 600000;) {
		u64 last = now < died ? now - now % every_ms : died;
		Heartbeat::Look look =
			heartbeat.look(now, shut_for(now - last));

		if (look.verdict == Verdict::Dead)
			return now < died ? 0 : now - died;
		if (look.again <= now)
			return 0;
		now = look.again;
	}
	return 0;
}

} // namespace

CCM_TEST(heartbeat, shut__then_dead_is_found_within_the_limit)
{
	const u32 intervals[] = {100, 1000, 10000};

	for (u32 interval : intervals) {
		for (u32 limit = 2; limit <= 100; limit += 7) {
			u64 most = u64{interval} * limit + 1000;
			// It answers no more often than twice a second.
			u64 every = interval < 600 ? 600 : interval;
			u64 shut = 5 * interval * limit + 77;
			u64 found = found_after(interval, limit, shut, every);

			EXPECT(found > 0);
			EXPECT(found <= most);
		}
	}
}
