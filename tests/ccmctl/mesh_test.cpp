// SPDX-License-Identifier: GPL-2.0
#include "mesh.hpp"

#include <cerrno>

#include "text.hpp"

using namespace ccmctl;

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirst{100};
constexpr milliseconds kMost{1000};
constexpr milliseconds kPoking{1000};

PeerConfig config(std::uint32_t number)
{
	Endpoint remote;

	remote.address[0] = 10;
	remote.address[3] = static_cast<std::uint8_t>(number);
	return {number, remote, 1000, 1000, 3};
}

// As the kernel tells it.
Peer peer(std::uint32_t number, ccm_state state, bool listening = false)
{
	const PeerConfig from = config(number);
	Peer peer;

	peer.number = number;
	peer.remote = from.remote;
	peer.timeout_ms = *from.timeout_ms;
	peer.interval_ms = *from.interval_ms;
	peer.limit = *from.limit;
	peer.state = state;
	peer.listening = listening;
	return peer;
}

std::string name_of(Mesh::What what)
{
	constexpr const char *kNames[] = {"add",     "set",    "delete",
					  "connect", "listen", "close",
					  "poke",    "ping"};
	return kNames[static_cast<int>(what)];
}

// Node 3's mesh with a clock and a kernel that does as it is told.
class Played {
public:
	// chance 0: pauses are whole.
	explicit Played(std::vector<std::uint32_t> numbers, double chance = 0)
		: mesh([this] { return chance_; }), chance_(chance)
	{
		want(numbers);
	}

	void want(const std::vector<std::uint32_t> &numbers)
	{
		wanted.peers.clear();
		for (const std::uint32_t number : numbers)
			wanted.peers.push_back(config(number));
		mesh.want(wanted, now);
	}

	// What is done at once, and then because of it: "add 1, listen 1".
	std::string act(int error = 0)
	{
		std::string all;

		for (int round = 0; round < 10; round++) {
			const auto operations = mesh.due(now);
			if (operations.empty())
				return all;
			for (const Mesh::Operation &operation : operations) {
				all += all.empty() ? "" : ", ";
				all += name_of(operation.what) + " " +
				       std::to_string(operation.peer.number);
				last = operation.peer;
				mesh.did(operation, error, now);
			}
		}
		return all + ", without end";
	}

	void becomes(std::uint32_t number, ccm_state state,
		     ccm_reason reason = CCM_REASON_NONE)
	{
		mesh.hear({.kind = CCM_EVENT_KIND_STATE,
			   .node = number,
			   .state = state,
			   .reason = reason},
			  now);
	}

	void pokes(std::uint32_t number)
	{
		mesh.hear({.kind = CCM_EVENT_KIND_POKE, .node = number}, now);
	}

	// Until there is something to do, which is the result; -1: never.
	long wait()
	{
		const auto next = mesh.next(now);

		if (!next)
			return -1;
		const auto left = std::chrono::ceil<milliseconds>(*next - now);
		now += left;
		return left.count();
	}

	Mesh mesh;
	Mesh::Wanted wanted{
		.self = 3, .peers = {}, .first = kFirst, .most = kMost};
	Mesh::Time now{std::chrono::hours(1)};
	PeerConfig last; // of the last operation
	double chance_;
};

} // namespace

CCM_TEST(mesh, start__of_an_empty_node)
{
	Played played({1, 2, 3, 4, 5});

	played.mesh.see({}, played.now);
	EXPECT_TEXT("add 1, add 2, add 4, add 5, listen 1, listen 2, "
		    "connect 4, connect 5, poke 1, poke 2",
		    played.act());
	EXPECT_EQ(1000, played.last.timeout_ms.value_or(0));
}

CCM_TEST(mesh, start__looks_before_it_acts)
{
	Played played({1});

	EXPECT(played.mesh.stale());
	played.mesh.see({}, played.now);
	EXPECT(!played.mesh.stale());
}

CCM_TEST(mesh, start__takes_over_what_there_is)
{
	Played played({1, 2, 3, 4, 5, 6, 7});
	Peer self = peer(3, CCM_STATE_UP);

	self.self = true;
	played.mesh.see({peer(1, CCM_STATE_UP, true),
			 peer(2, CCM_STATE_CONNECTING, true), self,
			 peer(4, CCM_STATE_UP), peer(5, CCM_STATE_CONNECTING),
			 peer(6, CCM_STATE_SUSPECT),
			 peer(7, CCM_STATE_STALLED)},
			played.now);
	EXPECT_TEXT("", played.act());
	EXPECT_EQ(-1, played.wait());
}

CCM_TEST(mesh, start__goes_on_with_what_is_down)
{
	Played played({1, 2, 4});

	played.mesh.see({peer(1, CCM_STATE_DOWN, true), peer(2, CCM_STATE_DOWN),
			 peer(4, CCM_STATE_DOWN)},
			played.now);
	EXPECT_TEXT("poke 1, listen 2, connect 4, poke 2", played.act());
}

CCM_TEST(mesh, start__removes_what_is_not_wanted)
{
	Played played({4});

	played.mesh.see({peer(1, CCM_STATE_DOWN, true), peer(4, CCM_STATE_UP),
			 peer(9, CCM_STATE_DOWN)},
			played.now);
	EXPECT_TEXT("delete 1, delete 9", played.act());
}

CCM_TEST(mesh, connect__pauses_double_up_to_the_most)
{
	Played played({4});
	const long expected[] = {100, 200, 400, 800, 1000, 1000, 1000};

	played.mesh.see({}, played.now);
	played.act();
	for (const long pause : expected) {
		played.becomes(4, CCM_STATE_DOWN, CCM_REASON_FAILED);
		EXPECT_TEXT("", played.act());
		EXPECT_EQ(pause, played.wait());
		EXPECT_TEXT("connect 4", played.act());
	}
}

CCM_TEST(mesh, connect__pauses_lose_up_to_a_half_by_chance)
{
	Played played({4}, 0.9999);
	const long expected[] = {50, 100, 200, 400, 500, 500};

	played.mesh.see({}, played.now);
	played.act();
	for (const long pause : expected) {
		played.becomes(4, CCM_STATE_DOWN, CCM_REASON_FAILED);
		EXPECT_EQ(pause, played.wait());
		EXPECT_TEXT("connect 4", played.act());
	}
}

CCM_TEST(mesh, connect__pauses_count_from_the_begin_of_an_attempt)
{
	Played played({4});

	played.mesh.see({}, played.now);
	played.act();
	for (int i = 0; i < 8; i++) {
		played.now += milliseconds(950);
		played.becomes(4, CCM_STATE_DOWN, CCM_REASON_FAILED);
		EXPECT_EQ(100, played.wait()); // at least this long
		EXPECT_TEXT("connect 4", played.act());
	}
}

CCM_TEST(mesh, connect__again_soon_after_a_break)
{
	Played played({4});

	played.mesh.see({peer(4, CCM_STATE_UP)}, played.now);
	played.now += std::chrono::hours(1);
	played.becomes(4, CCM_STATE_SUSPECT);
	EXPECT_TEXT("", played.act());
	played.becomes(4, CCM_STATE_DOWN, CCM_REASON_SILENT);
	EXPECT_TEXT("", played.act());
	EXPECT_EQ(100, played.wait());
	EXPECT_TEXT("connect 4", played.act());
}

CCM_TEST(mesh, connect__slower_if_it_never_stays_up)
{
	Played played({4});
	const long expected[] = {100, 200, 400, 800};

	played.mesh.see({}, played.now);
	played.act();
	for (const long pause : expected) {
		played.becomes(4, CCM_STATE_UP);
		played.becomes(4, CCM_STATE_DOWN, CCM_REASON_BROKEN);
		EXPECT_EQ(pause, played.wait());
		played.act();
	}
	played.becomes(4, CCM_STATE_UP);
	played.now += kMost;
	played.becomes(4, CCM_STATE_DOWN, CCM_REASON_BROKEN);
	EXPECT_EQ(100, played.wait());
}

CCM_TEST(mesh, connect__again_after_somebody_closed_it)
{
	Played played({1, 4});

	played.mesh.see({peer(1, CCM_STATE_UP, true), peer(4, CCM_STATE_UP)},
			played.now);
	played.now += kMost;
	for (const std::uint32_t number : {1, 4}) {
		played.becomes(number, CCM_STATE_CLOSING, CCM_REASON_ADMIN);
		EXPECT_TEXT("", played.act());
	}
	played.becomes(1, CCM_STATE_DOWN, CCM_REASON_ADMIN);
	played.becomes(4, CCM_STATE_DOWN, CCM_REASON_ADMIN);
	EXPECT_TEXT("listen 1", played.act());
	EXPECT_EQ(100, played.wait());
	EXPECT_TEXT("connect 4", played.act());
}

CCM_TEST(mesh, poke__is_followed_at_once)
{
	Played played({4});

	played.mesh.see({}, played.now);
	played.act();
	for (int i = 0; i < 5; i++) {
		played.becomes(4, CCM_STATE_DOWN, CCM_REASON_FAILED);
		played.wait();
		played.act();
	}
	played.becomes(4, CCM_STATE_DOWN, CCM_REASON_FAILED);
	EXPECT_TEXT("", played.act());
	played.pokes(4);
	EXPECT_TEXT("connect 4", played.act());
	played.becomes(4, CCM_STATE_DOWN, CCM_REASON_FAILED);
	EXPECT_EQ(100, played.wait()); // as at the beginning
}

CCM_TEST(mesh, poke__by_one_that_is_up_is_questioned)
{
	Played played({1, 4});

	played.mesh.see({peer(1, CCM_STATE_UP, true), peer(4, CCM_STATE_UP)},
			played.now);
	played.pokes(4);
	EXPECT_TEXT("ping 4", played.act());
	played.pokes(1); // it is the one to connect
	EXPECT_TEXT("", played.act());
}

CCM_TEST(mesh, poke__later_than_the_other_side_tries)
{
	Played played({1});

	played.mesh.see({peer(1, CCM_STATE_UP, true)}, played.now);
	played.now += std::chrono::hours(1);
	played.becomes(1, CCM_STATE_DOWN, CCM_REASON_BROKEN);
	for (int i = 0; i < 5; i++) {
		EXPECT_TEXT("", played.act());
		EXPECT_EQ(kPoking.count(), played.wait());
		EXPECT_TEXT("poke 1", played.act());
	}
}

CCM_TEST(mesh, poke__that_fails_is_tried_again)
{
	Played played({1});

	played.mesh.see({peer(1, CCM_STATE_DOWN, true)}, played.now);
	EXPECT_TEXT("poke 1", played.act(EHOSTUNREACH));
	EXPECT_EQ(kPoking.count(), played.wait());
	EXPECT_TEXT("poke 1", played.act());
}

CCM_TEST(mesh, want__adds_and_removes_without_touching_others)
{
	Played played({1, 4, 5});

	played.mesh.see({peer(1, CCM_STATE_UP, true), peer(4, CCM_STATE_UP),
			 peer(5, CCM_STATE_UP)},
			played.now);
	played.want({1, 4, 6});
	EXPECT_TEXT("close 5, add 6, connect 6", played.act());
	played.becomes(5, CCM_STATE_CLOSING, CCM_REASON_ADMIN);
	EXPECT_TEXT("", played.act());
	played.becomes(5, CCM_STATE_DOWN, CCM_REASON_ADMIN);
	EXPECT_TEXT("delete 5", played.act());
	EXPECT_TEXT("", played.act());
}

CCM_TEST(mesh, want__another_address)
{
	Played played({4, 5});

	played.mesh.see({peer(4, CCM_STATE_UP), peer(5, CCM_STATE_UP)},
			played.now);
	played.wanted.peers[0].remote.port++;
	played.mesh.want(played.wanted, played.now);
	EXPECT_TEXT("close 4", played.act());
	played.becomes(4, CCM_STATE_DOWN, CCM_REASON_ADMIN);
	// Its number is not free before the kernel says so.
	EXPECT_TEXT("delete 4", played.act());
	EXPECT_EQ(-1, played.wait());
	played.mesh.hear({.kind = CCM_EVENT_KIND_PEER_DELETE, .node = 4},
			 played.now);
	EXPECT(!played.mesh.stale());
	EXPECT_TEXT("add 4, connect 4", played.act());
	// Somebody else has deleted it.
	played.mesh.hear({.kind = CCM_EVENT_KIND_PEER_DELETE, .node = 4},
			 played.now);
	EXPECT_TEXT("", played.act());
	EXPECT(played.mesh.stale());
}

// The event is lost, and the look that makes up for it comes before its end.
CCM_TEST(mesh, want__another_address_and_a_look_meanwhile)
{
	Played played({4, 5});
	Peer going = peer(4, CCM_STATE_CLOSING);

	played.mesh.see({peer(4, CCM_STATE_DOWN), peer(5, CCM_STATE_UP)},
			played.now);
	played.wanted.peers[0].remote.port++;
	played.mesh.want(played.wanted, played.now);
	EXPECT_TEXT("delete 4", played.act());
	going.deleting = true;
	played.mesh.see({going, peer(5, CCM_STATE_UP)}, played.now);
	EXPECT_TEXT("", played.act());
	played.mesh.see({peer(5, CCM_STATE_UP)}, played.now);
	EXPECT_TEXT("add 4, connect 4", played.act());
}

CCM_TEST(mesh, want__other_times)
{
	Played played({4, 5});

	played.mesh.see({peer(4, CCM_STATE_UP), peer(5, CCM_STATE_UP)},
			played.now);
	played.wanted.peers[0].interval_ms = 500;
	played.wanted.peers[1].limit = 9;
	played.mesh.want(played.wanted, played.now);
	EXPECT_TEXT("set 4, set 5", played.act());
	EXPECT_EQ(9, played.last.limit.value_or(0));
	EXPECT_TEXT("", played.act());
}

CCM_TEST(mesh, want__what_was_leaving_back)
{
	Played played({4});

	played.mesh.see({peer(4, CCM_STATE_UP)}, played.now);
	played.want({});
	EXPECT_TEXT("close 4", played.act());
	played.want({4});
	EXPECT_TEXT("", played.act());
	played.becomes(4, CCM_STATE_DOWN, CCM_REASON_ADMIN);
	EXPECT(played.wait() > 0);
	EXPECT_TEXT("connect 4", played.act());
}

CCM_TEST(mesh, did__a_failure_of_one_holds_up_no_other)
{
	Played played({4, 5});

	played.mesh.see({}, played.now);
	const auto operations = played.mesh.due(played.now);
	REQUIRE_EQ(2, operations.size());
	played.mesh.did(operations[0], EEXIST, played.now);
	played.mesh.did(operations[1], 0, played.now);
	EXPECT_TEXT("connect 5", played.act());
	EXPECT(played.mesh.stale()); // somebody else added it
	EXPECT_EQ(100, played.wait());
	EXPECT_TEXT("add 4, connect 4", played.act());
}

CCM_TEST(mesh, did__failures_are_repeated_ever_more_slowly)
{
	Played played({4});
	const long expected[] = {100, 200, 400, 800, 1000, 1000};

	played.mesh.see({}, played.now);
	for (const long pause : expected) {
		EXPECT_TEXT("add 4", played.act(ENOMEM));
		EXPECT_EQ(pause, played.wait());
	}
}

CCM_TEST(mesh, lost__is_made_up_for_by_a_look)
{
	Played played({1, 4, 5});

	played.mesh.see({peer(1, CCM_STATE_UP, true), peer(4, CCM_STATE_UP),
			 peer(5, CCM_STATE_UP)},
			played.now);
	played.now += std::chrono::hours(1);
	played.mesh.lost();
	EXPECT(played.mesh.stale());
	played.mesh.see(
		{peer(1, CCM_STATE_DOWN, false), peer(4, CCM_STATE_DOWN)},
		played.now);
	EXPECT(!played.mesh.stale());
	EXPECT_TEXT("listen 1, add 5, connect 5", played.act());
	EXPECT_EQ(100, played.wait());
	EXPECT_TEXT("connect 4", played.act());
	EXPECT_EQ(900, played.wait());
	EXPECT_TEXT("poke 1", played.act());
}

CCM_TEST(mesh, lost__if_a_peer_is_not_known)
{
	Played played({4});

	played.mesh.see({peer(4, CCM_STATE_UP)}, played.now);
	played.mesh.hear({.kind = CCM_EVENT_KIND_PEER_ADD, .node = 4},
			 played.now);
	EXPECT(!played.mesh.stale());
	played.mesh.hear({.kind = CCM_EVENT_KIND_PEER_ADD, .node = 9},
			 played.now);
	EXPECT(played.mesh.stale());
	played.mesh.see({peer(4, CCM_STATE_UP), peer(9, CCM_STATE_DOWN)},
			played.now);
	EXPECT_TEXT("delete 9", played.act());
}
