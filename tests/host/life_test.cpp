// SPDX-License-Identifier: GPL-2.0
// Signs of life on a connection whose other end the test plays.
#include "background.hpp"
#include "host.hpp"
#include "played.hpp"
#include "test.hpp"

using namespace ccm_testing;
using ccm::wire::Kind;

namespace {

constexpr u32 kInterval = 2 * CCM_INTERVAL_MIN;
constexpr u32 kLimit = 5;

bool watch(Played &play, u32 interval_ms = kInterval)
{
	ccm_peer_policy policy{
		.timeout_ms = 0, .interval_ms = interval_ms, .limit = kLimit};
	const char *why;

	return ccm_core_peer_set(play.node, play.they, &policy, true, &why) ==
	       0;
}

// Frames of one kind among those from a place in the stream on.
std::vector<Frame> of_kind(Kind kind, Stream stream)
{
	std::vector<Frame> found;

	for (const Frame &frame : cut(stream))
		if (frame.header.kind == kind)
			found.push_back(frame);
	return found;
}

// The first that the node sends from there on.
std::optional<ccm::wire::Header> next(const Played &play, Kind kind,
				      size_t from = 0)
{
	std::vector<Frame> found;

	(void)eventually([&] {
		found = of_kind(kind, rest_of(play.wire->sent(), from));
		return !found.empty();
	});
	if (found.empty())
		return std::nullopt;
	return found.front().header;
}

bool becomes(Played &play, ccm_state state)
{
	auto change = play.network.changes();

	return change && change->state == state;
}

} // namespace

CCM_TEST(life, heartbeat__is_answered_with_its_number)
{
	Played play;

	REQUIRE(play.begin() && play.up());
	size_t before = play.wire->sent().size();
	play.wire->deliver(
		play.frame({.kind = Kind::Heartbeat, .seqn = 0xfedcba98}));
	auto echo = next(play, Kind::Echo, before);
	REQUIRE(echo.has_value());
	EXPECT_EQ(0xfedcba98, echo->seqn);
}

// A peer that comes back from a stall is not answered a hundred times.
CCM_TEST(life, heartbeat__many_at_once_get_one_answer)
{
	Played play;
	Stream many;

	REQUIRE(play.begin() && play.up());
	size_t before = play.wire->sent().size();
	for (u32 i = 1; i <= 50; i++)
		many = many + play.frame({.kind = Kind::Heartbeat, .seqn = i});
	play.wire->deliver(many);
	auto echo = next(play, Kind::Echo, before);
	REQUIRE(echo.has_value());
	REQUIRE(play.wire->settles());
	auto echoes = of_kind(Kind::Echo, rest_of(play.wire->sent(), before));
	EXPECT(echoes.size() < 5);
	EXPECT_EQ(50, echoes.back().header.seqn);
}

CCM_TEST(life, none__before_an_interval_is_set)
{
	Played play;

	REQUIRE(play.begin() && play.up());
	ccm_test_sleep(3 * kInterval);
	EXPECT(of_kind(Kind::Heartbeat, play.wire->sent()).empty());
}

CCM_TEST(life, silence__is_suspect_and_then_down)
{
	constexpr u64 kStep = kInterval / 20;
	host::StoppedClock clock;
	Played play;
	auto passes_until = [&](ccm_state state) {
		for (u64 ms = 0; ms < 2 * kLimit * kInterval; ms += kStep) {
			if (!clock.rests() || play.info().state == state)
				break;
			clock.advance(kStep);
		}
		return play.info().state == state;
	};

	REQUIRE(play.begin() && watch(play) && play.up());
	u64 since = ccm_now_ms();
	EXPECT(passes_until(CCM_STATE_SUSPECT));
	EXPECT(next(play, Kind::Heartbeat).has_value());
	EXPECT(becomes(play, CCM_STATE_SUSPECT));
	// Messages still go, and so does the next heartbeat.
	size_t before = play.wire->sent().size();
	EXPECT_EQ(0, play.send(1));
	EXPECT(next(play, Kind::Message, before).has_value());
	EXPECT(passes_until(CCM_STATE_DOWN));
	u64 took = ccm_now_ms() - since;
	EXPECT(next(play, Kind::Heartbeat, before).has_value());
	EXPECT(play.goes_down(CCM_REASON_SILENT, ETIMEDOUT));
	EXPECT(took >= kLimit * kInterval - 5);
	EXPECT(took <= (kLimit + 1) * kInterval);
	EXPECT(play.info().stats.missed >= 1);
	EXPECT_EQ(1, play.info().stats.breaks);
	EXPECT(play.wire->closes());
}

CCM_TEST(life, echo__is_life_and_gives_the_round_trip)
{
	Played play;

	REQUIRE(play.begin() && watch(play) && play.up());
	for (u32 round = 0; round < 2 * kLimit; round++) {
		size_t before = play.wire->sent().size();
		auto asked = next(play, Kind::Heartbeat, before);

		REQUIRE(asked.has_value());
		ccm_test_sleep(2);
		play.wire->deliver(
			play.frame({.kind = Kind::Echo, .seqn = asked->seqn}));
		REQUIRE(play.wire->settles());
	}
	EXPECT_EQ(CCM_STATE_UP, play.info().state);
	EXPECT(play.info().rtt_us >= 2000);
	EXPECT(play.info().rtt_us < 10000000);
	EXPECT(play.info().stats.heartbeats >= 2 * kLimit);
}

CCM_TEST(life, echo__of_another_heartbeat_gives_no_round_trip)
{
	Played play;

	REQUIRE(play.begin() && watch(play) && play.up());
	auto asked = next(play, Kind::Heartbeat);
	REQUIRE(asked.has_value());
	play.wire->deliver(
		play.frame({.kind = Kind::Echo, .seqn = asked->seqn - 1}));
	REQUIRE(play.wire->settles());
	EXPECT_EQ(0, play.info().rtt_us);
}

// Each is an interval and a half late, and by then another is on its way.
CCM_TEST(life, echo__later_than_the_next_heartbeat)
{
	Played play;
	u32 echoed = 0;

	REQUIRE(play.begin() && watch(play) && play.up());
	for (u32 round = 0; round < 6; round++) {
		auto heartbeats = [&] {
			return of_kind(Kind::Heartbeat, play.wire->sent());
		};

		REQUIRE(eventually(
			[&] { return heartbeats().size() > echoed + 1; }));
		echoed++;
		play.wire->deliver(
			play.frame({.kind = Kind::Echo, .seqn = echoed}));
	}
	REQUIRE(play.wire->settles());
	EXPECT(play.info().rtt_us >= 900 * kInterval);
	EXPECT_EQ(CCM_STATE_UP, play.info().state);
}

// A short handler of our own keeps the listener: nothing was asked, nothing read.
CCM_TEST(life, silence__of_our_own_is_not_the_peers)
{
	Played play;
	auto keeps = [](ccm_args *, u32) {
		ccm_test_sleep(2 * kLimit * kInterval);
		return 0;
	};

	REQUIRE(play.begin() && play.attach() && watch(play) && play.up());
	REQUIRE_EQ(0, ccm_core_regist(play.node, kModule, 1, CCM_SHORT, keeps,
				      nullptr));
	play.wire->deliver(play.call(1, 0, 0));
	ccm_test_sleep(2 * kLimit * kInterval + kInterval / 2);
	auto asked = next(play, Kind::Heartbeat);
	REQUIRE(asked.has_value());
	EXPECT_EQ(CCM_STATE_UP, play.info().state);
	play.wire->deliver(
		play.frame({.kind = Kind::Echo, .seqn = asked->seqn}));
	REQUIRE(play.wire->settles());
	EXPECT_EQ(CCM_STATE_UP, play.info().state);
	EXPECT_EQ(0, play.info().stats.breaks);
}

CCM_TEST(life, policy__is_no_sign_of_life)
{
	Played play;

	REQUIRE(play.begin() && watch(play) && play.up());
	for (u32 round = 0; round < 4 * kLimit; round++) {
		REQUIRE(watch(play, kInterval + round % 2));
		ccm_test_sleep(kInterval / 2);
	}
	EXPECT_EQ(CCM_STATE_DOWN, play.info().state);
	EXPECT_EQ(CCM_REASON_SILENT, play.info().reason);
}

// Half a message is life too.
CCM_TEST(life, bytes__of_anything_are_life)
{
	Played play;

	REQUIRE(play.begin() && play.attach() && watch(play) && play.up());
	Stream message = play.message(1);
	for (u8 byte : message) {
		play.wire->deliver({byte});
		ccm_test_sleep(kInterval / 4);
	}
	EXPECT_EQ(0, play.receive(1, kSoon));
	EXPECT_EQ(CCM_STATE_UP, play.info().state);
}

CCM_TEST(life, stall__is_not_down_and_ends_with_a_word)
{
	Played play;

	REQUIRE(play.begin() && watch(play) && play.up());
	play.wire->acknowledge();
	EXPECT(becomes(play, CCM_STATE_SUSPECT));
	EXPECT(becomes(play, CCM_STATE_STALLED));
	size_t before = play.wire->sent().size();
	EXPECT_EQ(0, play.send(1));
	EXPECT(next(play, Kind::Message, before).has_value());
	EXPECT(next(play, Kind::Heartbeat, before).has_value());
	ccm_test_sleep(2 * kLimit * kInterval);
	EXPECT_EQ(CCM_STATE_STALLED, play.info().state);
	play.wire->deliver(play.frame({.kind = Kind::Echo, .seqn = 0}));
	EXPECT(becomes(play, CCM_STATE_UP));
}

// It talks, and hears nothing: its path to us is another one than ours to it.
CCM_TEST(life, path__that_loses_what_we_send_is_down)
{
	Played play;

	REQUIRE(play.begin() && watch(play) && play.up());
	play.wire->acknowledge();
	play.wire->lose();
	u64 since = ccm_now_ms();
	EXPECT_EQ(0, play.send(1));
	Background talks([&] {
		for (u32 n = 1; play.info().state == CCM_STATE_UP; n++) {
			play.wire->deliver(play.frame(
				{.kind = Kind::Heartbeat, .seqn = n}));
			ccm_test_sleep(kInterval / 4);
		}
	});
	EXPECT(play.goes_down(CCM_REASON_PATH, ETIMEDOUT));
	EXPECT(ccm_now_ms() - since >= kLimit * kInterval);
	EXPECT_EQ(1, play.info().stats.breaks);
	EXPECT(talks.ends());
}

CCM_TEST(life, policy__can_end_the_watch)
{
	Played play;

	REQUIRE(play.begin() && watch(play) && play.up());
	EXPECT(becomes(play, CCM_STATE_SUSPECT));
	EXPECT(watch(play, 0));
	EXPECT(becomes(play, CCM_STATE_UP));
	ccm_test_sleep(2 * kLimit * kInterval);
	EXPECT_EQ(CCM_STATE_UP, play.info().state);
}

CCM_TEST(life, ping__is_a_heartbeat_at_once)
{
	Played play;
	const char *why;

	REQUIRE(play.begin());
	EXPECT_EQ(-EHOSTDOWN, ccm_core_ping(play.node, play.they, &why));
	REQUIRE(play.up());
	size_t before = play.wire->sent().size();
	EXPECT_EQ(0, ccm_core_ping(play.node, play.they, &why));
	auto asked = next(play, Kind::Heartbeat, before);
	REQUIRE(asked.has_value());
	// One on its way does for all who ask.
	before = play.wire->sent().size();
	EXPECT_EQ(0, ccm_core_ping(play.node, play.they, &why));
	REQUIRE(play.wire->settles());
	EXPECT(of_kind(Kind::Heartbeat, rest_of(play.wire->sent(), before))
		       .empty());
	play.wire->deliver(
		play.frame({.kind = Kind::Echo, .seqn = asked->seqn}));
	auto told = play.network.heartbeat();
	REQUIRE(told.has_value());
	EXPECT_EQ(play.they, told->node);
	EXPECT_EQ(play.info().rtt_us, told->rtt_us);
}

// Neither may come before the peer is ready.
CCM_TEST(life, heartbeat__in_the_handshake_breaks_the_protocol)
{
	for (Kind kind : {Kind::Heartbeat, Kind::Echo}) {
		Played play;

		REQUIRE(play.begin() && play.meet() && play.say(kGreeting));
		play.wire->deliver(play.frame({.kind = kind}));
		EXPECT(play.goes_down(CCM_REASON_PROTOCOL, EPROTO));
	}
}
