// SPDX-License-Identifier: GPL-2.0
// Peers and nodes that go, and what administrators may do meanwhile: no request may
// wait for what a consumer does.
#include "background.hpp"
#include "played.hpp"
#include "test.hpp"

using namespace ccm_testing;

namespace {

constexpr u64 kAtOnce = 500; // ms, on a busy machine

ccm::Atomic<bool> held;
ccm::Atomic<bool> let_go;

int hold(ccm_args *, u32)
{
	held.store(true);
	(void)eventually([] { return let_go.load(); });
	return 0;
}

// A node whose listener is in a short handler, until it is let go.
class Held : public Played {
public:
	Held()
	{
		held.store(false);
		let_go.store(false);
	}
	~Held()
	{
		release();
	}
	bool begins()
	{
		if (!begin() || !attach() || !up() ||
		    ccm_core_regist(node, kModule, 1, CCM_SHORT, hold,
				    nullptr) != 0)
			return false;
		wire->deliver(call(1, 0, 0));
		return eventually([] { return held.load(); });
	}
	void release()
	{
		let_go.store(true);
	}
};

// What it came to, or 1 if it took too long.
template <class F> int at_once(F request)
{
	u64 since = ccm_now_ms();
	int result = request();

	return ccm_now_ms() - since < kAtOnce ? result : 1;
}

} // namespace

CCM_TEST(end, peer__waits_for_a_handler_and_its_request_does_not)
{
	Held play;
	auto remove = [&] {
		return ccm_core_peer_delete(play.node, play.they, nullptr);
	};

	REQUIRE(play.begins());
	EXPECT_EQ(0, at_once(remove));
	EXPECT(play.info().deleting);
	// It is being done already.
	EXPECT_EQ(0, at_once(remove));
	EXPECT_EQ(play.they, play.info().config.number);
	play.release();
	auto gone = play.network.goes();
	REQUIRE(gone.has_value());
	EXPECT_EQ(play.they, gone->node);
	EXPECT(play.info().config.number != play.they);
	EXPECT_EQ(-ENODEV, remove());
	EXPECT(play.wire->closes());
}

CCM_TEST(end, peer__that_is_going_is_no_other)
{
	Held play;
	ccm_peer_config again{.number = play.they,
			      .remote = Played::address_of(play.they)};
	ccm_peer_policy policy{.timeout_ms = 2000};
	const char *why = nullptr;
	const auto node = play.node;
	const u32 they = play.they;

	REQUIRE(play.begins());
	REQUIRE_EQ(0, ccm_core_peer_delete(node, they, nullptr));
	EXPECT_EQ(-EBUSY, ccm_core_peer_add(node, &again, &why));
	EXPECT(why != nullptr);
	EXPECT_EQ(-ENODEV, ccm_core_connect(node, they, 0, nullptr));
	EXPECT_EQ(-ENODEV, ccm_core_close(node, they, 0, nullptr));
	EXPECT_EQ(-ENODEV, ccm_core_ping(node, they, nullptr));
	EXPECT_EQ(-ENODEV,
		  ccm_core_peer_set(node, they, &policy, false, nullptr));
	EXPECT(play.send(1) < 0);
	play.release();
	REQUIRE(play.network.goes().has_value());
	EXPECT_EQ(0, ccm_core_peer_add(node, &again, &why));
	EXPECT(!play.info().deleting);
	EXPECT(play.goes_down(CCM_REASON_ADMIN, 0));
	EXPECT(play.up());
}

CCM_TEST(end, peer__that_is_down_goes_at_once)
{
	Played play;

	REQUIRE(play.begin());
	EXPECT_EQ(0, ccm_core_peer_delete(play.node, play.they, nullptr));
	EXPECT(play.network.goes().has_value());
	EXPECT(play.info().config.number != play.they);
}

CCM_TEST(end, peer__goes_from_wherever_its_handshake_is)
{
	for (size_t at = 0; at < kGreeting; at += 16) {
		Played play;

		REQUIRE(play.begin() && play.meet() && play.say(at));
		REQUIRE(play.wire->settles());
		EXPECT_EQ(0,
			  ccm_core_peer_delete(play.node, play.they, nullptr));
		EXPECT(play.network.goes().has_value());
		EXPECT(play.wire->closes());
	}
}

CCM_TEST(end, node__waits_for_a_handler_and_its_request_does_not)
{
	Held play;
	const auto node = play.node;
	ccm_node_info now{};
	auto remove = [&] {
		return ccm_core_node_delete(node, nullptr);
	};

	REQUIRE(play.begins());
	EXPECT_EQ(0, at_once(remove));
	EXPECT_EQ(0, at_once(remove));
	EXPECT_EQ(0, at_once([&] {
			  ccm_core_node_info(node, &now);
			  return 0;
		  }));
	EXPECT(now.deleting);
	EXPECT_EQ(play.me, now.config.number);
	EXPECT(!play.set_node());
	EXPECT(!play.add_peer());
	EXPECT_EQ(0, ccm_core_peer_delete(node, play.they, nullptr));
	play.release();
	auto gone = play.network.goes();
	REQUIRE(gone.has_value());
	EXPECT_EQ(0, gone->node);
	ccm_core_node_info(node, &now);
	EXPECT(!now.deleting);
	EXPECT_EQ(0, now.config.number);
	EXPECT_EQ(-ENOTCONN, remove());
	EXPECT(play.goes_down(CCM_REASON_ADMIN, 0));
	EXPECT(play.begin() && play.up());
}

// Of all requests none waits for the listener, which is in the handler.
CCM_TEST(end, requests__do_not_wait_for_a_handler)
{
	Held play;
	const auto node = play.node;
	const u32 they = play.they;
	ccm_peer_policy policy{.timeout_ms = 2000};
	ccm_peer_config other{.number = 9, .remote = Played::address_of(9)};
	ccm_peer_info peer{};
	auto key = [&] {
		return ccm_core_key_set(node, kSecret, sizeof(kSecret),
					nullptr);
	};

	REQUIRE(play.begins());
	EXPECT_EQ(0, at_once(key));
	EXPECT_EQ(0, at_once([&] {
			  return ccm_core_peer_add(node, &other, nullptr);
		  }));
	EXPECT_EQ(0, at_once([&] {
			  return ccm_core_peer_set(node, they, &policy, false,
						   nullptr);
		  }));
	EXPECT_EQ(0, at_once([&] {
			  return ccm_core_connect(node, 9, 0, nullptr);
		  }));
	EXPECT_EQ(0,
		  at_once([&] { return ccm_core_ping(node, they, nullptr); }));
	EXPECT_EQ(0, at_once([&] {
			  return ccm_core_peer_info(node, they, &peer);
		  }));
	EXPECT_EQ(0, at_once([&] {
			  return ccm_core_close(node, they, 0, nullptr);
		  }));
	EXPECT_EQ(0, at_once([&] {
			  return ccm_core_peer_delete(node, 9, nullptr);
		  }));
	EXPECT_EQ(0,
		  at_once([&] { return ccm_core_node_delete(node, nullptr); }));
}

// The namespace ends, or the module, before what was asked for is done.
CCM_TEST(end, namespace__while_a_node_or_a_peer_is_being_deleted)
{
	for (bool whole : {false, true}) {
		Held play;
		const auto node = play.node;

		REQUIRE(play.begins());
		EXPECT_EQ(0, whole ? ccm_core_node_delete(node, nullptr)
				   : ccm_core_peer_delete(node, play.they,
							  nullptr));
		play.node = nullptr;
		Background ends([&] { ccm_core_destroy(node); });
		EXPECT(ends.goes_on());
		play.release();
		EXPECT(ends.ends());
		EXPECT(play.wire->closes());
	}
}

// Each waits a second for a peer that takes nothing, and all the same one.
CCM_TEST(end, namespaces__together_take_one_second)
{
	constexpr u64 kGoodbye = 1000;
	Played first, second, third;
	Played *all[] = {&first, &second, &third};

	for (Played *play : all) {
		REQUIRE(play->begin() && play->up());
		play->wire->set_room(10);
		REQUIRE_EQ(0, play->send(1));
	}
	u64 since = ccm_now_ms();
	for (Played *play : all)
		ccm_core_begin_end(play->node);
	for (Played *play : all) {
		ccm_core_destroy(play->node);
		play->node = nullptr;
	}
	u64 took = ccm_now_ms() - since;
	EXPECT(took >= kGoodbye);
	EXPECT(took < 2 * kGoodbye);
}
