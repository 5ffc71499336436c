// SPDX-License-Identifier: GPL-2.0
// Who gets in when many come at once, over a network that takes its time. Time
// stands still but for what the test says, so each run is the same.
#include "core/endpoint.hpp"
#include "host.hpp"
#include "played.hpp"
#include "test.hpp"

#include <functional>
#include <map>
#include <memory>

using namespace ccm_testing;
using ccm::wire::Kind;

namespace {

constexpr u32 kNode = CCM_NODE_MAX;	    // everybody else connects to it
constexpr u64 kSynAgainMs = 1000;	    // TCP's first, then twice that
constexpr u64 kAttemptMs = CCM_TIMEOUT_MIN; // and a manager's pauses:
constexpr u64 kFirstPauseMs = 100;
constexpr u64 kMostPauseMs = 1000;
constexpr u64 kTickMs = 5;

ccm_endpoint address_of(u32 number)
{
	return {.family = 4,
		.address = {10, 0, static_cast<u8>(number >> 8),
			    static_cast<u8>(number)},
		.port = CCM_PORT_DEFAULT};
}

Stream frame_of(u32 number, Kind kind, const Stream &body = {})
{
	u8 raw[ccm::wire::kHeaderSize];

	ccm::wire::encode({.kind = kind,
			   .source = static_cast<u16>(number),
			   .destination = kNode,
			   .length = static_cast<u32>(body.size())},
			  raw);
	return Stream(raw, raw + sizeof(raw)) + body;
}

Stream hello_of(u32 number)
{
	u8 raw[ccm::wire::kHelloSize];

	ccm::wire::encode({.cluster = "test",
			   .incarnation = number,
			   .features = ccm::wire::kKeyed,
			   .window = 1 << 14},
			  raw);
	return frame_of(number, Kind::Hello, Stream(raw, raw + sizeof(raw)));
}

Stream proof_of(u32 number, const Stream &theirs)
{
	u8 raw[ccm::wire::kProofSize] = {};

	(void)prove(ccm::Role::Initiator, hello_of(number).data(),
		    theirs.data(), raw, kSecret);
	return frame_of(number, Kind::Proof, Stream(raw, raw + sizeof(raw)));
}

// What happens when.
class Agenda {
public:
	void at(u64 ms, std::function<void()> what)
	{
		entries_.emplace(ms, std::move(what));
	}
	void run_until(u64 ms)
	{
		while (!entries_.empty() && entries_.begin()->first <= ms) {
			auto what = std::move(entries_.begin()->second);

			entries_.erase(entries_.begin());
			what();
		}
	}

private:
	std::multimap<u64, std::function<void()>> entries_;
};

// One node, and around it others that the test plays.
class Cluster {
public:
	explicit Cluster(u64 round_trip_ms) : round_trip_ms_(round_trip_ms)
	{
		node_ = ccm_core_create(&network_);
	}
	~Cluster()
	{
		clock_.reset(); // the node's end takes its time
		if (node_)
			ccm_core_destroy(node_);
	}
	Cluster(const Cluster &) = delete;
	Cluster &operator=(const Cluster &) = delete;

	// Peers 1 to this number, all of which may connect.
	bool begin(u32 peers)
	{
		ccm_node_config config{.number = kNode,
				       .cluster = "test",
				       .local = address_of(kNode)};
		const char *why;
		bool fine = ccm_core_key_set(node_, kSecret, sizeof(kSecret),
					     &why) == 0 &&
			    ccm_core_node_set(node_, &config, &why) == 0;

		for (u32 number = 1; fine && number <= peers; number++) {
			ccm_peer_config peer{.number = number,
					     .remote = address_of(number)};

			fine = ccm_core_peer_add(node_, &peer, &why) == 0 &&
			       ccm_core_listen(node_, number, 0, &why) == 0;
		}
		return fine && clock_->rests();
	}
	// A peer's manager connects now, and again until it is up.
	void join(u32 number)
	{
		Member &member = members_[number];

		member.began_ms = now_ms_;
		send_syn(number, ++member.attempt, kSynAgainMs);
		agenda_.at(now_ms_ + kAttemptMs,
			   [=, this, attempt = member.attempt] {
				   if (is_trying(number, attempt))
					   give_up(number);
			   });
	}
	// Somebody at a peer's address opens a connection, and says this.
	Wire *intrude(u32 at, const Stream &words)
	{
		Wire *wire = network_.try_arrive(address_of(at));

		if (wire && !words.empty())
			wire->deliver(words);
		return wire;
	}
	void at(u64 ms, std::function<void()> what)
	{
		agenda_.at(ms, std::move(what));
	}
	// Goes on for at most so long; when all of these are up, or nothing.
	std::optional<u64> joined_within(u64 ms, u32 from, u32 to)
	{
		u64 until = now_ms_ + ms;

		while (now_ms_ < until) {
			if (!go_on())
				return std::nullopt;
			if (up_among(from, to) == to - from + 1)
				return now_ms_;
		}
		return std::nullopt;
	}
	u32 up_among(u32 from, u32 to)
	{
		u32 up = 0;

		for (u32 number = from; number <= to; number++) {
			ccm_peer_info info{};

			(void)ccm_core_peer_info(node_, number, &info);
			up += info.state == CCM_STATE_UP;
		}
		return up;
	}
	// SYNs, for want of room in TCP's queue.
	u32 lost() const
	{
		return lost_;
	}
	ccm_node_stats stats()
	{
		ccm_node_info out{};

		ccm_core_node_info(node_, &out);
		return out.stats;
	}

private:
	struct Member {
		Wire *wire = nullptr;
		u32 attempt = 0;
		u32 failures = 0;
		u64 began_ms = 0;
		bool proven = false; // it has said its proof
		bool up = false;
	};

	bool is_trying(u32 number, u32 attempt)
	{
		const Member &member = members_[number];

		return member.attempt == attempt && !member.up;
	}
	// The rest of TCP's handshake and the Hello take one round trip more.
	void send_syn(u32 number, u32 attempt, u64 again_ms)
	{
		agenda_.at(now_ms_ + 3 * round_trip_ms_ / 2, [=, this] {
			if (!is_trying(number, attempt))
				return;
			Wire *wire = network_.try_arrive(address_of(number));

			if (!wire) {
				lost_++;
				agenda_.at(now_ms_ + again_ms, [=, this] {
					send_syn(number, attempt, 2 * again_ms);
				});
				return;
			}
			members_[number].wire = wire;
			members_[number].proven = false;
			owners_[wire] = number;
			wire->deliver(hello_of(number));
		});
	}
	void give_up(u32 number)
	{
		Member &member = members_[number];
		u64 pause = kFirstPauseMs << std::min(member.failures, 10u);

		member.failures++;
		pause = std::min(pause, kMostPauseMs);
		pause -= pause / 2 * (number * 7919 % 1000) / 1000;
		if (member.wire) {
			owners_.erase(member.wire);
			member.wire->fail(ECONNRESET);
		}
		member.wire = nullptr;
		u32 attempt = ++member.attempt;
		agenda_.at(std::max(member.began_ms, now_ms_) + pause,
			   [=, this] {
				   if (is_trying(number, attempt))
					   join(number);
			   });
	}
	// What the node has said takes half a round trip; so does the answer.
	void answer(Wire *wire)
	{
		auto owner = owners_.find(wire);

		if (owner == owners_.end())
			return;
		u32 number = owner->second;
		Member &member = members_[number];

		if (wire->closed()) {
			owners_.erase(owner);
			member.wire = nullptr;
			agenda_.at(now_ms_ + round_trip_ms_ / 2,
				   [=, this, attempt = member.attempt] {
					   if (is_trying(number, attempt))
						   give_up(number);
				   });
			return;
		}
		Stream said = wire->sent();
		if (!member.proven && said.size() >= kHelloFrame) {
			member.proven = true;
			say(number, proof_of(number, said));
		} else if (member.proven && !member.up &&
			   said.size() >= kGreeting) {
			member.up = true;
			say(number, frame_of(number, Kind::Ready));
		}
	}
	void say(u32 number, const Stream &words)
	{
		Wire *wire = members_[number].wire;

		agenda_.at(now_ms_ + round_trip_ms_, [=, this] {
			if (members_[number].wire == wire)
				wire->deliver(words);
		});
	}
	bool go_on()
	{
		now_ms_ += kTickMs;
		clock_->advance(kTickMs);
		agenda_.run_until(now_ms_);
		network_.knock();
		if (!clock_->rests())
			return false;
		for (Wire *wire : network_.touched())
			answer(wire);
		return true;
	}

	std::unique_ptr<host::StoppedClock> clock_ =
		std::make_unique<host::StoppedClock>();
	const u64 round_trip_ms_;
	u64 now_ms_ = 0;
	net network_;
	ccm_node *node_;
	Agenda agenda_;
	std::map<u32, Member> members_;
	u32 lost_ = 0;
	std::map<Wire *, u32> owners_;
};

} // namespace

// --- all at once -----------------------------------------------------------------

CCM_TEST(join, all_at_once__900_at_100_ms_within_5_s)
{
	Cluster cluster(100);

	REQUIRE(cluster.begin(900));
	for (u32 number = 1; number <= 900; number++)
		cluster.join(number);
	EXPECT(cluster.joined_within(5000, 1, 900).has_value());
	EXPECT_EQ(900, cluster.up_among(1, 900));
	EXPECT_EQ(0, cluster.stats().crowded);
	EXPECT_EQ(0, cluster.lost());
}

CCM_TEST(join, all_at_once__1022_at_200_ms_within_10_s)
{
	Cluster cluster(200);

	REQUIRE(cluster.begin(kNode - 1));
	for (u32 number = 1; number < kNode; number++)
		cluster.join(number);
	EXPECT(cluster.joined_within(10000, 1, kNode - 1).has_value());
	EXPECT_EQ(kNode - 1, cluster.up_among(1, kNode - 1));
	EXPECT_EQ(0, cluster.stats().crowded);
	EXPECT_EQ(0, cluster.lost());
}

// --- somebody fills the places ------------------------------------------------------

// A thousand a second from where one member is, half of them with its Hello.
CCM_TEST(join, flood__from_one_address_keeps_no_other_out)
{
	Cluster cluster(100);

	REQUIRE(cluster.begin(5));
	for (u32 i = 0; i < 5000; i++)
		cluster.at(i, [&, i] {
			(void)cluster.intrude(1,
					      i % 2 ? hello_of(1) : Stream());
		});
	for (u32 number = 2; number <= 5; number++)
		cluster.join(number);
	EXPECT(cluster.joined_within(5000, 2, 5).has_value());
	EXPECT_EQ(4, cluster.up_among(2, 5));
	EXPECT(cluster.stats().crowded > 100);
}

// All of them between a member's Hello and its proof.
CCM_TEST(join, flood__between_hello_and_proof)
{
	Cluster cluster(100);

	REQUIRE(cluster.begin(2));
	cluster.join(2);
	for (u32 i = 0; i < 320; i++)
		cluster.at(170 + i / 40 * kTickMs,
			   [&] { (void)cluster.intrude(1, hello_of(1)); });
	auto joined = cluster.joined_within(1000, 2, 2);
	REQUIRE(joined.has_value());
	EXPECT(*joined <= 360); // at its first attempt
	EXPECT_EQ(320 - ccm::kPlacesEach, cluster.stats().crowded);
}

// Each address has places for all peers that are configured there, and no more.
CCM_TEST(join, places__are_as_many_as_peers_can_use)
{
	Cluster cluster(100);
	std::vector<Wire *> wires;

	REQUIRE(cluster.begin(2));
	for (u32 at = 1; at <= 2; at++)
		for (u32 i = 0; i < ccm::kPlacesEach + 1; i++)
			wires.push_back(cluster.intrude(at, {}));
	(void)cluster.joined_within(100, 1, 1);
	// The oldest of each, by one too many.
	for (size_t i = 0; i < wires.size(); i++)
		EXPECT_EQ(i % (ccm::kPlacesEach + 1) == 0, wires[i]->closed());
	EXPECT_EQ(2, cluster.stats().crowded);
}
