// SPDX-License-Identifier: GPL-2.0
// What a peer, or a stranger, can make a node tell its administrators.
#include "background.hpp"
#include "host.hpp"
#include "played.hpp"

#include <atomic>

using namespace ccm_testing;

namespace {

constexpr size_t kAtOnce = 10;
constexpr u64 kStepMs = 100;

using Events = std::vector<ccm_event>;

// As many as there may be in this time.
size_t most_in(u64 ms)
{
	return kAtOnce + ms / kStepMs;
}

// Those that were left out too.
u64 count_of(const Events &events)
{
	u64 count = events.size();

	for (const ccm_event &event : events)
		count += event.left_out;
	return count;
}

u64 unknown_in(const Events &events)
{
	u64 count = 0;

	for (const ccm_event &event : events)
		count += event.unknown;
	return count;
}

// Comes up, is sent a message, and breaks. Modules are told of both.
bool flaps(Played &play)
{
	if (!play.up() || play.send(1) != 0)
		return false;
	play.wire->fail(ECONNRESET);
	return play.goes_down(CCM_REASON_BROKEN, ECONNRESET);
}

std::atomic<bool> open;

int waits(ccm_args *, u32)
{
	(void)eventually([] { return open.load(); });
	return 0;
}

Events states(Played &play)
{
	return play.network.told(CCM_EVENT_KIND_STATE);
}

} // namespace

CCM_TEST(news, calls_refused__are_told_seldom_and_all_counted)
{
	constexpr u32 kRounds = 1000;
	constexpr u32 kEach = 100;
	host::StoppedClock clock;
	Played play(Connects::Peer);
	auto told = [&] {
		return play.network.told(CCM_EVENT_KIND_CALL_REFUSED);
	};

	REQUIRE(play.begin() && play.attach() && play.up());
	for (u32 round = 0; round < kRounds; round++) {
		Stream calls;

		for (u32 i = 0; i < kEach; i++)
			calls = calls + play.call(1, 0, 0);
		play.wire->deliver(calls);
		REQUIRE(play.wire->settles() && clock.rests());
		clock.advance(1);
	}
	REQUIRE_EQ(kRounds * kEach, play.info().stats.calls_refused);
	EXPECT(told().size() <= most_in(kRounds));
	// The last ones too, though no more come.
	REQUIRE(clock.rests());
	clock.advance(kStepMs);
	EXPECT(eventually([&] { return count_of(told()) == kRounds * kEach; }));
	EXPECT(told().size() <= most_in(kRounds + kStepMs));
	EXPECT_EQ(play.they, told().back().node);
}

CCM_TEST(news, connections_refused__are_told_seldom_and_all_counted)
{
	constexpr u32 kStrangers = 1000;
	host::StoppedClock clock;
	Played play(Connects::Peer);
	auto told = [&] {
		return play.network.told(CCM_EVENT_KIND_REFUSED);
	};

	REQUIRE(play.begin());
	for (u32 i = 0; i < kStrangers; i++)
		REQUIRE(play.network.arrive(Played::address_of(100))->closes());
	EXPECT(eventually([&] { return play.stats().refused == kStrangers; }));
	REQUIRE(clock.rests());
	EXPECT_EQ(kAtOnce, told().size());
	clock.advance(kStepMs);
	EXPECT(eventually([&] { return count_of(told()) == kStrangers; }));
	EXPECT_EQ(kAtOnce + 1, told().size());
	EXPECT_EQ(CCM_REASON_STRANGER, told().back().reason);
}

// Modules are told of each change: goes_down() and up() wait for that.
CCM_TEST(news, state__of_a_peer_that_flaps_is_merged)
{
	constexpr u32 kRounds = 200;
	constexpr u64 kRoundMs = 5;
	host::StoppedClock clock;
	Played play(Connects::Peer);

	REQUIRE(play.begin() && play.attach());
	for (u32 round = 0; round < kRounds; round++) {
		REQUIRE(flaps(play) && clock.rests());
		clock.advance(kRoundMs);
	}
	EXPECT(states(play).size() <= most_in(kRounds * kRoundMs));
	play.incarnation = 77;
	REQUIRE(play.up() && clock.rests());
	clock.advance(kStepMs);
	EXPECT(eventually(
		[&] { return count_of(states(play)) == 2 * kRounds + 1; }));
	Events told = states(play);
	EXPECT(told.size() <= most_in(kRounds * kRoundMs + kStepMs));
	EXPECT_EQ(CCM_STATE_UP, told.back().state);
	EXPECT_EQ(77, told.back().incarnation);
	EXPECT_EQ(kRounds, play.info().stats.unknown);
	EXPECT_EQ(kRounds, unknown_in(told));
}

// No other peer's state waits, and one that changes seldom is told at once.
CCM_TEST(news, state__is_told_at_once_if_it_changes_seldom)
{
	host::StoppedClock clock;
	Played play(Connects::Peer);

	REQUIRE(play.begin() && play.attach());
	for (u32 round = 1; round <= 50; round++) {
		REQUIRE(flaps(play) && clock.rests());
		EXPECT_EQ(2 * round, states(play).size());
		clock.advance(2 * kStepMs);
	}
	EXPECT_EQ(100, count_of(states(play)));
}

// Time stands still: what is withheld is told because of the end.
CCM_TEST(news, state__is_told_before_its_peer_is_gone)
{
	host::StoppedClock clock;
	Played play(Connects::Peer);
	const char *why;

	REQUIRE(play.begin() && play.attach());
	for (u32 round = 0; round < 20; round++)
		REQUIRE(flaps(play));
	EXPECT(count_of(states(play)) < 40);
	REQUIRE_EQ(0, ccm_core_peer_delete(play.node, play.they, &why));
	auto gone = play.network.goes();
	REQUIRE(gone && gone->kind == CCM_EVENT_KIND_PEER_DELETE);
	EXPECT_EQ(40, count_of(states(play)));
	EXPECT_EQ(20, unknown_in(states(play)));
	EXPECT_EQ(CCM_STATE_DOWN, states(play).back().state);
}

CCM_TEST(news, state__is_told_before_its_node_is_gone)
{
	host::StoppedClock clock;
	Played play(Connects::Peer);

	REQUIRE(play.begin() && play.attach());
	for (u32 round = 0; round < 20; round++)
		REQUIRE(flaps(play));
	for (u32 i = 0; i < 20; i++)
		REQUIRE(play.network.arrive(Played::address_of(100))->closes());
	REQUIRE(play.delete_node());
	EXPECT_EQ(40, count_of(states(play)));
	EXPECT_EQ(20, count_of(play.network.told(CCM_EVENT_KIND_REFUSED)));
}

// Calls that have waited for a thread outlive the node's listener, and then find no
// function any more.
CCM_TEST(news, calls_refused__are_told_without_a_listener)
{
	constexpr u32 kThreads = 32;
	constexpr u32 kWaiting = 30;
	Played play;
	auto running = [&] {
		ccm_handler_info info{};
		ccm_cursor at{};

		return ccm_core_handler_info(play.node, &at, &info) == 0
			       ? info.running
			       : 0;
	};

	open = false;
	REQUIRE(play.begin() && play.attach() && play.up());
	REQUIRE_EQ(0, ccm_core_regist(play.node, kModule, 1, CCM_LONG, waits,
				      nullptr));
	for (u32 i = 0; i < kThreads + kWaiting; i++)
		play.wire->deliver(play.call(1, 0, 0));
	REQUIRE(play.wire->settles());
	REQUIRE(eventually([&] { return running() == kThreads; }));
	REQUIRE(play.delete_node());
	Background removes(
		[&] { (void)ccm_core_unregist(play.node, kModule, 1); });
	EXPECT(removes.goes_on());
	open = true;
	EXPECT(removes.ends());
	EXPECT(eventually([&] {
		return count_of(play.network.told(
			       CCM_EVENT_KIND_CALL_REFUSED)) == kWaiting;
	}));
}

// A poke that was left out is not told later: it may no longer be true.
CCM_TEST(news, pokes__are_counted_by_the_next_that_is_told)
{
	host::StoppedClock clock;
	Played play;
	auto poke = [&] {
		ccm_testing::Wire *wire =
			play.network.arrive(Played::address_of(play.they));

		if (!wire->is_taken())
			return false;
		wire->deliver(play.hello(ccm::wire::kKeyed, ccm::wire::kPoke));
		return wire->closes();
	};
	auto told = [&] {
		return play.network.told(CCM_EVENT_KIND_POKE);
	};

	REQUIRE(play.begin());
	for (u32 i = 0; i < 100; i++)
		REQUIRE(poke());
	REQUIRE(clock.rests());
	clock.advance(1000);
	REQUIRE(clock.rests());
	EXPECT_EQ(1, told().size());
	REQUIRE(poke() && clock.rests());
	EXPECT_EQ(2, told().size());
	EXPECT_EQ(101, count_of(told()));
	// Though no more come: whoever wants to know can look.
	REQUIRE(poke());
	EXPECT_EQ(102, play.stats().pokes);
}
