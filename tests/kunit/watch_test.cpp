// SPDX-License-Identifier: GPL-2.0
// Peers that are watched: heartbeats over TCP, keys, pokes, and those who are
// told.
#include "cluster.hpp"
#include "prover.hpp"
#include "watcher.h"

#include "support/atomic.hpp"
#include "support/errno.hpp"

using namespace ccm;
using namespace ccm_testing;

namespace {

// A busy machine may leave one unanswered, but not six.
constexpr ccm_peer_policy kWatched{
	.timeout_ms = 0, .interval_ms = 500, .limit = 6};

// Two that watch each other.
class Pair : public Cluster {
public:
	explicit Pair(ccm_test *test) : Cluster(test, 2)
	{
		attach_all();
		EXPECT_EQ(0, set_policy(1, 2, kWatched));
		EXPECT_EQ(0, set_policy(2, 1, kWatched));
		connect_all();
	}
	bool becomes(ccm_state state)
	{
		return eventually([&] { return is(1, 2, state); });
	}
};

// Keeps a listener until it is let go.
Atomic<bool> let_go;

int keep(ccm_args *, u32)
{
	(void)eventually([] { return let_go.load(); });
	return 0;
}

int stop_listener(u32 from, u32 to)
{
	ccm_call call{.node = to,
		      .module = kModule,
		      .function = 1,
		      .seqn = 1,
		      .flags = 0,
		      .timeout_ms = kSoon};

	return ccm_rcall_short(ccm_test_net(from), &call, nullptr, 0);
}

} // namespace

CCM_TEST(watch, heartbeat__round_trips_are_measured)
{
	Pair pair(test);

	EXPECT(eventually([&] {
		return pair.peer(1, 2).rtt_us && pair.peer(2, 1).rtt_us;
	}));
	EXPECT(eventually(
		[&] { return pair.peer(1, 2).stats.heartbeats >= 5; }));
	EXPECT_EQ(1, pair.peer(1, 2).stats.connects);
}

CCM_TEST(watch, ping__without_an_interval)
{
	Cluster cluster(test, 2);

	cluster.connect_all();
	EXPECT_EQ(0, cluster.peer(1, 2).rtt_us);
	EXPECT_EQ(0, Cluster::ping(1, 2));
	EXPECT(eventually([&] { return cluster.peer(1, 2).rtt_us != 0; }));
	EXPECT_EQ(1, cluster.peer(1, 2).stats.heartbeats);
	EXPECT_EQ(-EINVAL, Cluster::ping(1, 1));
	EXPECT_EQ(-ENODEV, Cluster::ping(1, 9));
}

// TCP goes on acknowledging for a listener that does not come to read.
CCM_TEST(watch, stall__of_a_listener_is_not_down)
{
	Pair pair(test);

	let_go.store(false);
	EXPECT_EQ(0, CCM_regist(pair.net(2), kModule, 1, CCM_SHORT, keep,
				nullptr));
	EXPECT_EQ(0, stop_listener(1, 2));
	EXPECT(pair.becomes(CCM_STATE_STALLED));
	ccm_test_sleep(4000);
	EXPECT(pair.is(1, 2, CCM_STATE_STALLED));
	let_go.store(true);
	EXPECT(pair.becomes(CCM_STATE_UP));
	EXPECT_EQ(1, pair.peer(1, 2).stats.connects);
	EXPECT_EQ(0, pair.peer(1, 2).stats.breaks);
	EXPECT_EQ(0, CCM_unregist(pair.net(2), kModule, 1));
}

// And it answers TCP's probes when it can take no more.
CCM_TEST(watch, stall__of_a_peer_that_is_sent_to_is_not_down)
{
	constexpr size_t kSize = 60000;
	Pair pair(test);
	void *bulk = ccm_buffer_alloc(kSize, CCM_EFFORT_LONG);

	REQUIRE(bulk);
	let_go.store(false);
	EXPECT_EQ(0, CCM_regist(pair.net(2), kModule, 1, CCM_SHORT, keep,
				nullptr));
	EXPECT_EQ(0, stop_listener(1, 2));
	for (u32 i = 0; i < 40; i++)
		EXPECT_EQ(0, send(1, 2, bulk, kSize, 1, 1, CCM_NOWAIT));
	EXPECT(pair.becomes(CCM_STATE_STALLED));
	ccm_test_sleep(8000);
	EXPECT(pair.is(1, 2, CCM_STATE_STALLED));
	let_go.store(true);
	EXPECT(pair.becomes(CCM_STATE_UP));
	EXPECT_EQ(1, pair.peer(1, 2).stats.connects);
	for (u32 i = 0; i < 40; i++)
		EXPECT_EQ(kSize, receive(2, 1, bulk, kSize));
	EXPECT_EQ(0, CCM_unregist(pair.net(2), kModule, 1));
	ccm_buffer_free(bulk, kSize);
}

CCM_TEST(watch, notifier__is_told_what_is_there_and_what_changes)
{
	Pair pair(test);
	ccm_watcher *watcher = ccm_watcher_start(pair.net(1));

	REQUIRE(watcher);
	EXPECT_EQ(1, ccm_watcher_told(watcher, CCM_PEER_UP, 2));
	EXPECT(ccm_watcher_incarnation(watcher) == pair.peer(1, 2).incarnation);
	EXPECT_EQ(-EDEADLK, ccm_watcher_registering(watcher));
	EXPECT_EQ(0, ccm_watcher_may_wait(watcher));
	EXPECT_EQ(0, CCM_Close(pair.net(2), 1, kSoon));
	EXPECT(eventually([&] {
		return ccm_watcher_told(watcher, CCM_PEER_DOWN, 2) == 1;
	}));
	EXPECT_EQ(-EDEADLK, ccm_watcher_deadlock(watcher));
	EXPECT_EQ(0, ccm_watcher_may_wait(watcher));
	// An attempt that fails is no news.
	EXPECT(CCM_Connect_to(pair.net(1), 2, kSoon) < 0);
	EXPECT_EQ(1, ccm_watcher_told(watcher, CCM_PEER_DOWN, 2));
	pair.connect(1, 2);
	EXPECT(eventually([&] {
		return ccm_watcher_told(watcher, CCM_PEER_UP, 2) >= 2;
	}));
	EXPECT_EQ(0, ccm_watcher_stop(watcher));
}

CCM_TEST(watch, notifier__before_there_is_a_node)
{
	EXPECT_EQ(-ESHUTDOWN, ccm_watcher_too_early());
}

CCM_TEST(watch, notifier__hears_of_doubts)
{
	Pair pair(test);
	ccm_watcher *watcher = ccm_watcher_start(pair.net(1));

	REQUIRE(watcher);
	let_go.store(false);
	EXPECT_EQ(0, CCM_regist(pair.net(2), kModule, 1, CCM_SHORT, keep,
				nullptr));
	EXPECT_EQ(0, stop_listener(1, 2));
	EXPECT(pair.becomes(CCM_STATE_STALLED));
	let_go.store(true);
	EXPECT(pair.becomes(CCM_STATE_UP));
	EXPECT(eventually([&] {
		return ccm_watcher_told(watcher, CCM_PEER_UP, 2) >= 2;
	}));
	EXPECT(ccm_watcher_told(watcher, CCM_PEER_SUSPECT, 2) >= 1);
	EXPECT(ccm_watcher_told(watcher, CCM_PEER_STALLED, 2) >= 1);
	EXPECT_EQ(0, ccm_watcher_told(watcher, CCM_PEER_DOWN, 2));
	EXPECT_EQ(0, ccm_watcher_stop(watcher));
	EXPECT_EQ(0, CCM_unregist(pair.net(2), kModule, 1));
}

CCM_TEST(watch, poke__arrives_and_is_counted)
{
	Cluster cluster(test, 2);

	EXPECT_EQ(0, Cluster::poke(2, 1));
	EXPECT(eventually([] { return Cluster::stats(1).pokes == 1; }));
	EXPECT(cluster.is(1, 2, CCM_STATE_DOWN));
	EXPECT_EQ(0, Cluster::stats(1).refused);
	EXPECT_EQ(-EINVAL, Cluster::poke(1, 2));
}

CCM_TEST(watch, key__must_be_the_same)
{
	Cluster cluster(test, 2);
	constexpr u8 kOther[] = "the secret of somebody else";
	u64 before = Cluster::stats(2).proofs;

	EXPECT_EQ(0, CCM_Listen_to(cluster.net(2), 1, 0));
	EXPECT_EQ(0, Cluster::set_key(1, kOther, sizeof(kOther)));
	EXPECT(CCM_Connect_to(cluster.net(1), 2, kSoon) < 0);
	EXPECT(eventually(
		[&] { return Cluster::stats(2).proofs == before + 1; }));
	EXPECT_EQ(0, Cluster::set_key(1, nullptr, 0));
	EXPECT(CCM_Connect_to(cluster.net(1), 2, kSoon) < 0);
	EXPECT(eventually(
		[&] { return Cluster::stats(2).proofs == before + 2; }));
	// Connections stay when the key is changed, and new ones need the new.
	EXPECT_EQ(0, Cluster::set_key(1, kSecret, sizeof(kSecret)));
	EXPECT_EQ(0, CCM_Connect_to(cluster.net(1), 2, kSoon));
	EXPECT_EQ(0, Cluster::set_key(1, kOther, sizeof(kOther)));
	EXPECT_EQ(0, Cluster::set_key(2, kOther, sizeof(kOther)));
	EXPECT(cluster.is(1, 2, CCM_STATE_UP));
	EXPECT_EQ(0, CCM_Close(cluster.net(1), 2, kSoon));
	EXPECT_EQ(0, CCM_Connect_to(cluster.net(1), 2, kSoon));
}
