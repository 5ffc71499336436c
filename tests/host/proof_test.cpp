// SPDX-License-Identifier: GPL-2.0
// Who may join: what ends of a handshake say that do not know the cluster's key.
#include "host.hpp"
#include "played.hpp"
#include "test.hpp"

using namespace ccm_testing;
using ccm::Role;
using ccm::wire::Kind;

namespace {

constexpr u8 kOther[] = "the secret of another cluster";

// The wire is closed, the refusal counted, and the peer untouched.
bool refuses(Played &play, u64 proofs = 1)
{
	return play.wire->closes() &&
	       eventually([&] { return play.stats().proofs == proofs; }) &&
	       play.info().state == CCM_STATE_DOWN &&
	       play.info().incarnation == 0;
}

// What it has said beyond its Hello.
Stream beyond_hello(const Played &play)
{
	return rest_of(play.wire->sent(), kHelloFrame);
}

bool set_insecure(Played &play)
{
	const char *why;

	return ccm_core_key_set(play.node, nullptr, 0, &why) == 0;
}

} // namespace

CCM_TEST(proof, node__needs_a_key_or_to_be_told_that_there_is_none)
{
	Played play;
	ccm_node_config config{
		.number = 1, .cluster = "test", .local = Played::address_of(1)};
	ccm_node_info info{};
	const char *why = nullptr;

	EXPECT_EQ(-ENOKEY, ccm_core_node_set(play.node, &config, &why));
	EXPECT(why != nullptr);
	EXPECT_EQ(-EINVAL, ccm_core_key_set(play.node, kOther, 15, &why));
	EXPECT_EQ(-ENOKEY, ccm_core_node_set(play.node, &config, &why));
	EXPECT(set_insecure(play));
	EXPECT_EQ(0, ccm_core_node_set(play.node, &config, &why));
	ccm_core_node_info(play.node, &info);
	EXPECT(info.keyed && info.insecure);
	EXPECT_EQ(0, ccm_core_key_set(play.node, kOther, 16, &why));
	ccm_core_node_info(play.node, &info);
	EXPECT(info.keyed && !info.insecure);
	// The next life begins without.
	EXPECT(play.delete_node());
	EXPECT_EQ(-ENOKEY, ccm_core_node_set(play.node, &config, &why));
}

CCM_TEST(proof, initiator__of_another_secret)
{
	Played play(Connects::Peer);

	REQUIRE(play.begin() && play.meet() && play.say(kHelloFrame));
	REQUIRE(play.wire->sends(kHelloFrame));
	play.wire->deliver(play.proof(Role::Initiator, kOther));
	EXPECT(refuses(play));
	EXPECT(beyond_hello(play).empty());
}

// It has the node's own proof of another connection, say.
CCM_TEST(proof, initiator__with_a_responders_proof)
{
	Played play(Connects::Peer);

	REQUIRE(play.begin() && play.meet() && play.say(kHelloFrame));
	REQUIRE(play.wire->sends(kHelloFrame));
	play.wire->deliver(play.proof(Role::Responder, kSecret));
	EXPECT(refuses(play));
}

CCM_TEST(proof, initiator__every_bit_counts)
{
	for (u32 bit = 0; bit < 8 * ccm::wire::kProofSize; bit += 5) {
		Played play(Connects::Peer);

		REQUIRE(play.begin() && play.meet() && play.say(kHelloFrame));
		REQUIRE(play.wire->sends(kHelloFrame));
		Stream proof = play.proof();
		proof[ccm::wire::kHeaderSize + bit / 8] ^=
			static_cast<u8>(1 << bit % 8);
		play.wire->deliver(proof);
		REQUIRE(refuses(play));
	}
}

CCM_TEST(proof, initiator__replays_what_it_has_overheard)
{
	Played play(Connects::Peer);

	REQUIRE(play.begin() && play.meet() && play.say(kHelloFrame));
	REQUIRE(play.wire->sends(kHelloFrame));
	Stream overheard = play.proof();
	play.wire->deliver(overheard + play.ready());
	auto change = play.network.changes();
	REQUIRE(change && change->state == CCM_STATE_UP);
	play.wire->end();
	REQUIRE(play.goes_down(CCM_REASON_BROKEN, ECONNRESET));
	u64 met = play.info().incarnation;

	// The same Hello, and so the same nonce, once more.
	REQUIRE(play.meet() && play.say(kHelloFrame));
	REQUIRE(play.wire->sends(kHelloFrame));
	play.wire->deliver(overheard + play.ready());
	EXPECT(play.wire->closes());
	EXPECT(eventually([&] { return play.stats().proofs == 1; }));
	EXPECT_EQ(CCM_STATE_DOWN, play.info().state);
	EXPECT_EQ(met, play.info().incarnation);
}

// Neither the member's connection nor its session is touched by a Hello.
CCM_TEST(proof, initiator__unproven_replaces_nobody)
{
	Played play(Connects::Peer);

	REQUIRE(play.begin() && play.attach() && play.up());
	ccm_testing::Wire *member = play.wire;
	REQUIRE(play.meet() && play.say(kHelloFrame));
	REQUIRE(play.wire->sends(kHelloFrame));
	EXPECT_EQ(CCM_STATE_UP, play.info().state);
	play.wire->deliver(play.proof(Role::Initiator, kOther));
	EXPECT(play.wire->closes());
	EXPECT_EQ(0, play.info().stats.replaced);
	play.wire = member;
	EXPECT_EQ(0, play.send(1));
}

CCM_TEST(proof, initiator__proven_replaces_the_one_before)
{
	Played play(Connects::Peer);

	REQUIRE(play.begin() && play.up());
	ccm_testing::Wire *stale = play.wire;
	REQUIRE(play.meet() && play.say(kGreeting));
	EXPECT(play.goes_down(CCM_REASON_REPLACED, 0));
	EXPECT(stale->closes());
	play.wire->deliver(play.ready());
	auto change = play.network.changes();
	EXPECT(change && change->state == CCM_STATE_UP);
}

CCM_TEST(proof, initiator__never_comes)
{
	Played play(Connects::Peer);

	REQUIRE(play.begin() && play.meet() && play.say(kHelloFrame));
	REQUIRE(play.wire->closes());
	EXPECT_EQ(1, play.stats().late);
	EXPECT(beyond_hello(play).empty());
}

// Anything else in its place.
CCM_TEST(proof, initiator__sends_another_frame_first)
{
	for (Kind kind : {Kind::Ready, Kind::Goodbye, Kind::Heartbeat}) {
		Played play(Connects::Peer);

		REQUIRE(play.begin() && play.meet() && play.say(kHelloFrame));
		REQUIRE(play.wire->sends(kHelloFrame));
		play.wire->deliver(play.frame({.kind = kind}));
		EXPECT(play.wire->closes());
		EXPECT_EQ(1, play.stats().garbage);
	}
}

CCM_TEST(proof, initiator__is_of_a_cluster_without_a_key)
{
	Played play(Connects::Peer);

	REQUIRE(play.begin() && play.meet());
	play.wire->deliver(play.hello(0));
	EXPECT(refuses(play));
	EXPECT(play.wire->sent().empty());
}

CCM_TEST(proof, node__is_insecure_and_the_other_has_a_key)
{
	for (Connects who : {Connects::Node, Connects::Peer}) {
		Played play(who);

		REQUIRE(play.begin() && set_insecure(play) && play.meet());
		play.wire->deliver(play.hello());
		if (who == Connects::Node)
			EXPECT(play.goes_down(CCM_REASON_KEYLESS, 0));
		EXPECT(play.wire->closes());
	}
}

CCM_TEST(proof, responder__of_another_secret_or_with_our_own)
{
	for (Role role : {Role::Initiator, Role::Responder}) {
		Played play;
		const char *why;

		REQUIRE(play.begin() && play.meet() && play.say(kHelloFrame));
		REQUIRE(play.wire->sends(kGreeting));
		play.wire->deliver(role == Role::Initiator
					   ? play.proof(role, kSecret)
					   : play.proof(role, kOther));
		EXPECT(play.goes_down(CCM_REASON_PROOF, 0));
		EXPECT(play.wire->closes());
		(void)ccm_core_close(play.node, play.they, 0, &why);
	}
}

// A later version may say something there.
CCM_TEST(proof, initiator__proves_what_is_reserved_too)
{
	Played play(Connects::Peer);

	REQUIRE(play.begin() && play.meet());
	Stream theirs = play.hello();
	theirs[ccm::wire::kHeaderSize + 40] = 1;
	play.wire->deliver(theirs);
	REQUIRE(play.wire->sends(kHelloFrame));
	Stream mine = first_of(play.wire->sent(), kHelloFrame);
	u8 raw[ccm::wire::kProofSize] = {};
	REQUIRE(prove(Role::Initiator, theirs.data(), mine.data(), raw,
		      kSecret));
	play.wire->deliver(play.frame({.kind = Kind::Proof},
				      Stream(raw, raw + sizeof(raw))) +
			   play.ready());
	auto change = play.network.changes();
	EXPECT(change && change->state == CCM_STATE_UP);
}

// --- two machines with one number ----------------------------------------------------

namespace {

// The machine of this incarnation connects, and gets in or not.
bool comes(Played &play, u64 incarnation)
{
	play.incarnation = incarnation;
	if (!play.meet() || !play.say(kGreeting))
		return false;
	return eventually([&] {
		       return play.wire->closed() ||
			      play.wire->sent().size() >= kGreeting;
	       }) &&
	       !play.wire->closed();
}

bool is_up(Played &play)
{
	play.wire->deliver(play.ready());
	auto change = play.network.changes();
	return change && change->state == CCM_STATE_UP;
}

} // namespace

CCM_TEST(claim, restart__is_none)
{
	Played play(Connects::Peer);

	REQUIRE(play.begin() && comes(play, 1) && is_up(play));
	for (u64 life = 2; life < 20; life++) {
		REQUIRE(comes(play, life));
		EXPECT(play.goes_down(CCM_REASON_REPLACED, 0));
		REQUIRE(is_up(play));
	}
	EXPECT_EQ(18, play.info().stats.replaced);
	EXPECT_EQ(0, play.stats().refused);
}

// Who is cut off comes again each second, for ten minutes.
CCM_TEST(claim, two_machines__take_longer_and_longer_turns)
{
	host::StoppedClock clock;
	Played play(Connects::Peer);
	u64 holds = 2;
	u32 claimed = 0;

	REQUIRE(play.begin() && comes(play, 1) && is_up(play));
	REQUIRE(comes(play, 2));
	EXPECT(play.goes_down(CCM_REASON_REPLACED, 0)); // a restart, it seems
	REQUIRE(is_up(play));
	for (u32 second = 0; second < 600; second++) {
		ccm_testing::Wire *member = play.wire;

		REQUIRE(clock.rests());
		clock.advance(1000);
		if (!comes(play, 3 - holds)) {
			play.wire = member;
			continue;
		}
		REQUIRE(play.goes_down(CCM_REASON_CLAIMED, 0));
		REQUIRE(is_up(play));
		holds = 3 - holds;
		claimed++;
	}
	// 0, 1, 3, 7 … 63 seconds, and each 64 from there on.
	EXPECT(claimed >= 14 && claimed <= 16);
	EXPECT_EQ(claimed + 1, play.info().stats.replaced);
	EXPECT_EQ(600 - claimed, play.stats().strangers);
	auto told = play.network.refusal();
	REQUIRE(told.has_value());
	EXPECT_EQ(CCM_REASON_CLAIMED, told->reason);
	EXPECT_EQ(play.they, told->node);
}

// The turn keeps nobody out when the one whose turn it is has gone.
CCM_TEST(claim, two_machines__and_one_has_gone)
{
	Played play(Connects::Peer);

	REQUIRE(play.begin() && comes(play, 1) && is_up(play));
	REQUIRE(comes(play, 2));
	EXPECT(play.goes_down(CCM_REASON_REPLACED, 0));
	REQUIRE(is_up(play) && comes(play, 1));
	EXPECT(play.goes_down(CCM_REASON_CLAIMED, 0));
	REQUIRE(is_up(play));
	play.wire->deliver(play.frame({.kind = Kind::Goodbye}));
	EXPECT(play.goes_down(CCM_REASON_GOODBYE, 0));
	EXPECT(comes(play, 2) && is_up(play));
	// Nor one that has restarted.
	EXPECT(comes(play, 3));
}

// --- pokes -----------------------------------------------------------------------

CCM_TEST(poke, comes__and_is_told_once_a_second)
{
	Played play;

	REQUIRE(play.begin());
	for (u32 round = 0; round < 3; round++) {
		ccm_testing::Wire *poke =
			play.network.arrive(Played::address_of(play.they));

		REQUIRE(poke->is_taken());
		poke->deliver(play.hello(ccm::wire::kKeyed, ccm::wire::kPoke));
		REQUIRE(poke->closes());
		EXPECT(poke->sent().empty());
	}
	EXPECT_EQ(3, play.stats().pokes);
	auto told = play.network.poke();
	REQUIRE(told.has_value());
	EXPECT_EQ(play.they, told->node);
	EXPECT_EQ(CCM_STATE_DOWN, play.info().state);
	EXPECT_EQ(0, play.stats().refused);
}

// It may connect itself.
CCM_TEST(poke, comes__from_a_lower_number)
{
	Played play(Connects::Peer);

	REQUIRE(play.begin() && play.meet());
	play.wire->deliver(play.hello(ccm::wire::kKeyed, ccm::wire::kPoke));
	EXPECT(play.wire->closes());
	EXPECT_EQ(0, play.stats().pokes);
	EXPECT_EQ(1, play.stats().refused);
}

CCM_TEST(poke, comes__as_the_answer_to_a_hello)
{
	Played play;

	REQUIRE(play.begin() && play.meet());
	play.wire->deliver(play.hello(ccm::wire::kKeyed, ccm::wire::kPoke));
	EXPECT(play.goes_down(CCM_REASON_PROTOCOL, EPROTO));
}

CCM_TEST(poke, goes__to_a_lower_number)
{
	Played play(Connects::Peer);
	const char *why;

	REQUIRE(play.begin());
	EXPECT_EQ(0, ccm_core_poke(play.node, play.they, &why));
	ccm_testing::Wire *poke = play.network.connects();
	REQUIRE(poke);
	// One is on its way.
	EXPECT_EQ(0, ccm_core_poke(play.node, play.they, &why));
	poke->establish();
	REQUIRE(poke->sends(kHelloFrame));
	Stream said = poke->sent();
	std::vector<Frame> frames = cut(said);
	REQUIRE_EQ(1, frames.size());
	EXPECT_EQ(ccm::wire::kPoke, frames[0].header.flags);
	EXPECT_EQ(play.they, frames[0].header.destination);
	poke->fail(ECONNRESET);
	EXPECT(poke->closes());
	EXPECT_EQ(CCM_STATE_DOWN, play.info().state);
}

CCM_TEST(poke, goes__nowhere_and_ends)
{
	Played play(Connects::Peer);
	const char *why;

	REQUIRE(play.begin());
	EXPECT_EQ(0, ccm_core_poke(play.node, play.they, &why));
	ccm_testing::Wire *poke = play.network.connects();
	REQUIRE(poke);
	EXPECT(poke->closes()); // by its deadline
	EXPECT_EQ(0, ccm_core_poke(play.node, play.they, &why));
	EXPECT(play.network.connects() != nullptr);
	// And its node may end meanwhile.
	EXPECT(play.delete_node());
}

CCM_TEST(poke, goes__not_to_a_higher_number)
{
	Played play;
	const char *why = nullptr;

	REQUIRE(play.begin());
	EXPECT_EQ(-EINVAL, ccm_core_poke(play.node, play.they, &why));
	EXPECT(why != nullptr);
}
