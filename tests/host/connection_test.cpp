// SPDX-License-Identifier: GPL-2.0
// Connections and their listener, over sockets that are full, cut or broken at
// just the moment the test wants.
#include "background.hpp"
#include "host.hpp"
#include "memory.hpp"
#include "played.hpp"
#include "test.hpp"

using namespace ccm_testing;
using ccm::wire::Kind;

namespace {

constexpr size_t kHello = ccm::wire::kHeaderSize + ccm::wire::kHelloSize;
constexpr size_t kLimit = ccm::wire::kHeaderSize + ccm::wire::kLimitSize;
constexpr size_t kReady = ccm::wire::kHeaderSize;
constexpr size_t kGoodbye = ccm::wire::kHeaderSize;
constexpr size_t kMessage = ccm::wire::kHeaderSize + kSmall;

// The kinds of whole frames in a stream, in order; 0 at the end if there is
// something else behind them.
std::vector<int> kinds_in(Stream stream)
{
	std::vector<int> kinds;

	for (const Frame &frame : cut(stream))
		kinds.push_back(static_cast<int>(frame.header.kind));
	if (!stream.empty())
		kinds.push_back(0);
	return kinds;
}

template <class... Kinds> std::vector<int> kinds(Kinds... all)
{
	return {static_cast<int>(all)...};
}

// What the node sends from here on.
class Sent {
public:
	explicit Sent(Wire *wire) : wire_(wire), before_(wire->sent().size())
	{
	}
	Stream operator()() const
	{
		return rest_of(wire_->sent(), before_);
	}

private:
	Wire *wire_;
	size_t before_;
};

int returns_at_once(ccm_args *, u32)
{
	return 0;
}

// The id of the first call there; 0: none.
u64 call_in(Stream stream)
{
	for (const Frame &frame : cut(stream)) {
		if (frame.header.kind != Kind::Call)
			continue;
		auto head = ccm::wire::decode_call(frame.payload.data());

		return head.ok() ? head.value().id : 0;
	}
	return 0;
}

// Everything a node has to say that is connected, attached, sends one small
// message and is closed.
bool is_all_of_it(Stream stream)
{
	std::vector<Frame> frames = cut(stream);
	auto as_it_should = kinds(Kind::Hello, Kind::Proof, Kind::Limit,
				  Kind::Ready, Kind::Message, Kind::Goodbye);

	if (!stream.empty() || frames.size() != as_it_should.size())
		return false;
	for (size_t i = 0; i < frames.size(); i++)
		if (static_cast<int>(frames[i].header.kind) != as_it_should[i])
			return false;
	return frames[4].payload == Played::payload(1, kSmall);
}

constexpr size_t kAllOfIt = kGreeting + kLimit + kReady + kMessage + kGoodbye;

} // namespace

// --- a full socket ---------------------------------------------------------------

CCM_TEST(connection, send__goes_on_wherever_the_socket_was_full)
{
	for (size_t room = 0; room < kAllOfIt; room++) {
		Played play;
		const char *why;

		REQUIRE(play.begin() && play.attach() && play.meet(room));
		// What the peer says depends on the whole greeting.
		if (room < kGreeting) {
			if (room >= kHello)
				REQUIRE(play.say(kHello));
			REQUIRE(play.wire->fills());
			REQUIRE_EQ(room, play.wire->sent().size());
			play.wire->set_room(kAllOfIt);
		}
		if (room < kHello || room >= kGreeting)
			REQUIRE(play.say(kHello));
		REQUIRE(play.prove_and_be_ready());
		REQUIRE_EQ(0, play.send(1));
		REQUIRE_EQ(0, ccm_core_close(play.node, play.they, 0, &why));
		if (room >= kGreeting) {
			REQUIRE(play.wire->fills());
			REQUIRE_EQ(room, play.wire->sent().size());
			play.wire->set_room(kAllOfIt);
		}
		REQUIRE(play.wire->finishes());
		REQUIRE(is_all_of_it(play.wire->sent()));
	}
}

// To accept it, to compose its frame, and to see that it has left: no more.
CCM_TEST(connection, send__takes_the_peers_lock_three_times)
{
	Played play;
	ccm_call call{.node = play.they, .module = kModule, .function = 1};

	REQUIRE(play.begin() && play.up());
	unsigned long before = host::locks_taken(CCM_LOCK_PEER);
	REQUIRE_EQ(0, play.send(1));
	EXPECT_EQ(3, host::locks_taken(CCM_LOCK_PEER) - before);
	before = host::locks_taken(CCM_LOCK_PEER);
	REQUIRE_EQ(0, ccm_core_rcall(play.node, &call, false, nullptr, 0));
	EXPECT_EQ(3, host::locks_taken(CCM_LOCK_PEER) - before);
}

CCM_TEST(connection, send__byte_by_byte)
{
	Played play;
	const char *why;

	REQUIRE(play.begin() && play.attach() && play.meet(0));
	for (size_t byte = 0; byte < kAllOfIt; byte++) {
		if (byte == kHello)
			REQUIRE(play.say(kHello));
		if (byte == kGreeting) {
			REQUIRE(play.prove_and_be_ready());
			REQUIRE_EQ(0, play.send(1));
			REQUIRE_EQ(0, ccm_core_close(play.node, play.they, 0,
						     &why));
		}
		REQUIRE(play.wire->fills());
		REQUIRE_EQ(byte, play.wire->sent().size());
		play.wire->set_room(1);
	}
	REQUIRE(play.wire->finishes());
	EXPECT(is_all_of_it(play.wire->sent()));
}

CCM_TEST(connection, send__large_message_in_pieces)
{
	constexpr u32 kSize = 3 * ccm::wire::kPayloadMax + 100;
	Played play;

	REQUIRE(play.begin() && play.up());
	Sent sent(play.wire);
	play.wire->set_room(0);
	REQUIRE_EQ(0, play.send(1, kSize));
	for (size_t at = 0; at < kSize; at += 10007) {
		REQUIRE(play.wire->fills());
		play.wire->set_room(10007);
	}
	play.wire->set_room(kSize);
	REQUIRE(play.wire->settles());
	Stream stream = sent();
	Stream whole;
	for (const Frame &frame : cut(stream))
		if (frame.header.kind == Kind::Message)
			whole = whole + frame.payload;
	EXPECT(stream.empty());
	EXPECT(whole == Played::payload(1, kSize));
}

// Nothing but the frame itself says that there is something to send.
CCM_TEST(connection, limit__that_meets_a_full_socket_is_sent)
{
	for (size_t room : {size_t(0), size_t(1), kLimit - 1}) {
		Played play;

		REQUIRE(play.begin() && play.up());
		Sent sent(play.wire);
		play.wire->set_room(room);
		REQUIRE(play.attach());
		REQUIRE(play.wire->fills() && play.wire->settles());
		REQUIRE_EQ(room, sent().size());
		play.wire->set_room(1000);
		REQUIRE(play.wire->settles());
		EXPECT(kinds_in(sent()) == kinds(Kind::Limit));
	}
}

CCM_TEST(connection, goodbye__that_meets_a_full_socket_is_sent_first)
{
	for (size_t room = 0; room < kGoodbye; room++) {
		Played play;
		const char *why;

		REQUIRE(play.begin() && play.up());
		Sent sent(play.wire);
		play.wire->set_room(room);
		REQUIRE_EQ(0, ccm_core_close(play.node, play.they, 0, &why));
		REQUIRE(play.wire->fills() && play.wire->settles());
		REQUIRE(!play.wire->finished());
		play.wire->set_room(1000);
		REQUIRE(play.wire->finishes());
		REQUIRE(kinds_in(sent()) == kinds(Kind::Goodbye));
		REQUIRE(play.goes_down(CCM_REASON_ADMIN, 0));
	}
}

CCM_TEST(connection, goodbye__is_not_waited_for_longer_than_a_second)
{
	Played play;
	const char *why;

	REQUIRE(play.begin() && play.up());
	play.wire->set_room(10);
	EXPECT_EQ(0, ccm_core_close(play.node, play.they, kSoon, &why));
	EXPECT(play.goes_down(CCM_REASON_ADMIN, 0));
	EXPECT(!play.wire->finished());
}

// --- what comes ------------------------------------------------------------------

CCM_TEST(connection, receive__cut_anywhere)
{
	Played play;

	REQUIRE(play.begin() && play.attach() && play.up());
	for (size_t at = 1; at < kMessage; at++) {
		Stream message = play.message(1);

		play.wire->deliver(first_of(message, at));
		REQUIRE(play.wire->settles());
		REQUIRE_EQ(-EAGAIN, play.receive(1));
		play.wire->deliver(rest_of(message, at));
		REQUIRE_EQ(0, play.receive(1, kSoon));
	}
}

CCM_TEST(connection, receive__last_words_and_the_end_in_one_read)
{
	for (Connects who : {Connects::Node, Connects::Peer}) {
		Played play(who);

		REQUIRE(play.begin() && play.attach() && play.up());
		Stream first = play.message(1);
		play.wire->end(first + play.message(2, 100000));
		EXPECT(play.goes_down(CCM_REASON_BROKEN, ECONNRESET));
		EXPECT_EQ(0, play.receive(1));
		EXPECT_EQ(0, play.receive(2));
		EXPECT_EQ(0, play.info().queued_in);
	}
}

CCM_TEST(connection, receive__goodbye_and_the_end_in_one_read)
{
	Played play;

	REQUIRE(play.begin() && play.attach() && play.up());
	play.wire->end(play.message(1) + play.frame({.kind = Kind::Goodbye}));
	EXPECT(play.goes_down(CCM_REASON_GOODBYE, 0));
	EXPECT_EQ(0, play.receive(1));
}

CCM_TEST(connection, receive__the_end_anywhere_in_a_message)
{
	Played play;

	REQUIRE(play.begin() && play.attach());
	for (size_t at = 0; at < kMessage; at++) {
		REQUIRE(play.up());
		play.wire->end(first_of(play.message(1), at));
		REQUIRE(play.goes_down(CCM_REASON_BROKEN, ECONNRESET));
		REQUIRE_EQ(-EAGAIN, play.receive(1));
		REQUIRE_EQ(0, play.info().queued_in);
		REQUIRE(play.wire->closes());
	}
}

CCM_TEST(connection, receive__the_end_around_a_fragment)
{
	constexpr size_t kFragment = ccm::wire::kFrameMax;
	Played play;

	REQUIRE(play.begin() && play.attach());
	for (size_t at : {kFragment - 1, kFragment, kFragment + 1,
			  kFragment + ccm::wire::kHeaderSize, 2 * kFragment - 1,
			  2 * kFragment}) {
		REQUIRE(play.up());
		play.wire->end(first_of(play.message(1, 200000), at));
		REQUIRE(play.goes_down(CCM_REASON_BROKEN, ECONNRESET));
		REQUIRE_EQ(-EAGAIN, play.receive(1));
		REQUIRE_EQ(0, play.info().queued_in);
	}
}

CCM_TEST(connection, handshake__the_end_anywhere)
{
	Played play;
	constexpr size_t size = kGreeting + kReady;

	REQUIRE(play.begin() && play.attach());
	for (size_t at = 0; at < size; at++) {
		REQUIRE(play.meet());
		REQUIRE(play.say(at, true));
		REQUIRE(play.goes_down(CCM_REASON_FAILED, ECONNRESET));
	}
	EXPECT(play.up());
}

// The Limit waits behind a message: the peer knows nothing of it yet.
CCM_TEST(connection, attach__while_connected_keeps_what_the_peer_was_told)
{
	Played play;

	REQUIRE(play.begin() && play.up());
	Sent sent(play.wire);
	play.wire->set_room(0);
	REQUIRE_EQ(0, play.send(1));
	REQUIRE(play.attach());
	play.wire->deliver(play.message(1, 1000));
	EXPECT_EQ(0, play.receive(1, kSoon));
	EXPECT_EQ(CCM_STATE_UP, play.info().state);
	play.wire->set_room(1000);
	REQUIRE(play.wire->settles());
	EXPECT(kinds_in(sent()) == kinds(Kind::Message, Kind::Limit));
	play.wire->deliver(play.message(2, 500000));
	EXPECT_EQ(0, play.receive(2, kSoon));
}

// --- errors ----------------------------------------------------------------------

CCM_TEST(connection, error__while_a_posted_buffer_is_filled)
{
	for (size_t at :
	     {ccm::wire::kHeaderSize, kMessage / 2 + 20, kMessage - 1}) {
		Played play;
		int result = 1;

		REQUIRE(play.begin() && play.attach() && play.up());
		Background receiver(
			[&] { result = play.receive(1, kSoon, play.they); });
		REQUIRE(eventually([&] { return play.receivers() == 1; }));
		play.wire->deliver(first_of(play.message(1), at));
		REQUIRE(play.wire->settles());
		EXPECT(!receiver.done());
		play.wire->fail(ETIMEDOUT);
		REQUIRE(receiver.ends());
		EXPECT_EQ(-EHOSTDOWN, result);
		EXPECT(play.goes_down(CCM_REASON_BROKEN, ETIMEDOUT));
		EXPECT_EQ(0, play.info().queued_in);
	}
}

// Who waits for any node goes on waiting, and its buffer is whole again.
CCM_TEST(connection, error__while_a_buffer_for_any_node_is_filled)
{
	Played play;
	int result = 1;

	REQUIRE(play.begin() && play.attach() && play.up());
	Background receiver([&] { result = play.receive(1, kSoon); });
	REQUIRE(eventually([&] { return play.receivers() == 1; }));
	play.wire->end(first_of(play.message(1, 1000), 500));
	EXPECT(play.goes_down(CCM_REASON_BROKEN, ECONNRESET));
	EXPECT(receiver.goes_on());
	REQUIRE(play.up());
	play.wire->deliver(play.message(1));
	REQUIRE(receiver.ends());
	EXPECT_EQ(0, result);
	EXPECT_EQ(0, play.info().queued_in);
}

CCM_TEST(connection, error__while_sending)
{
	Played play;

	REQUIRE(play.begin() && play.up());
	play.wire->set_room(kMessage + 10);
	REQUIRE_EQ(0, play.send(1));
	REQUIRE_EQ(0, play.send(2));
	REQUIRE_EQ(0, play.send(3));
	REQUIRE(play.wire->fills());
	play.wire->fail(ECONNRESET);
	auto down = play.network.changes();
	REQUIRE(down && down->state == CCM_STATE_DOWN);
	EXPECT_EQ(CCM_REASON_BROKEN, down->reason);
	EXPECT_EQ(2, down->unknown);
	EXPECT_EQ(1, down->unsent);
	EXPECT_EQ(-EHOSTDOWN, play.send(4));
	EXPECT_EQ(0, play.info().queued_out);
}

// As by a security module, of whom TCP knows nothing.
CCM_TEST(connection, error__of_a_frame_alone)
{
	for (int error : {EPERM, EACCES, ENOMEM, EPROTO}) {
		Played play;

		REQUIRE(play.begin() && play.up());
		play.wire->refuse(error);
		EXPECT_EQ(0, play.send(1));
		EXPECT(play.goes_down(CCM_REASON_BROKEN, error));
		EXPECT(play.wire->closes());
		EXPECT_EQ(-EHOSTDOWN, play.send(2));
		REQUIRE(play.up());
		EXPECT_EQ(0, play.send(3));
	}
}

// Who transmits is the listener, and what is refused is no message.
CCM_TEST(connection, error__of_a_frame_in_a_handshake)
{
	for (Connects who : {Connects::Node, Connects::Peer}) {
		Played play(who);

		REQUIRE(play.begin() && play.attach() && play.meet());
		REQUIRE(play.say(kHello));
		REQUIRE(play.wire->settles());
		play.wire->refuse(EPERM);
		play.wire->deliver(play.proof());
		EXPECT(play.goes_down(CCM_REASON_FAILED, EPERM));
		EXPECT(play.wire->closes());
		REQUIRE(play.up());
	}
}

// Whoever sends does not get to run. All others are told, and the peer comes back.
CCM_TEST(connection, error__while_a_sender_does_not_get_to_run)
{
	Played play;
	int result = 1;

	REQUIRE(play.begin() && play.attach() && play.up());
	Wire *old = play.wire;
	old->hold();
	Background sender([&] { result = play.send(1); });
	REQUIRE(old->holds());
	EXPECT_EQ(0, play.send(2));
	old->fail(ECONNRESET);
	auto down = play.network.changes();
	REQUIRE(down && down->state == CCM_STATE_DOWN);
	EXPECT_EQ(1, down->unknown);
	EXPECT_EQ(1, down->unsent);
	EXPECT_EQ(-EHOSTDOWN, play.send(3));
	REQUIRE(play.up());
	Sent sent(play.wire);
	EXPECT_EQ(0, play.send(4));
	EXPECT(kinds_in(sent()) == kinds(Kind::Message));
	EXPECT(sender.goes_on());
	old->let_go();
	REQUIRE(sender.ends());
	EXPECT_EQ(0, result);
	EXPECT(old->closes());
	EXPECT_EQ(0, play.info().queued_out);
	EXPECT_EQ(0, play.send(5));
}

// The node's end needs it: its memory goes.
CCM_TEST(listener, stop__waits_for_a_sender_that_does_not_get_to_run)
{
	Played play;

	REQUIRE(play.begin() && play.up());
	play.wire->hold();
	Background sender([&] { (void)play.send(1); });
	REQUIRE(play.wire->holds());
	play.wire->fail(ECONNRESET);
	REQUIRE(play.goes_down(CCM_REASON_BROKEN, ECONNRESET));
	Background administrator([&] { EXPECT(play.delete_node()); });
	EXPECT(administrator.goes_on());
	play.wire->let_go();
	EXPECT(administrator.ends());
	EXPECT(sender.ends());
	EXPECT(play.wire->closes());
}

CCM_TEST(connection, connect__is_refused)
{
	Played play;
	const char *why;

	REQUIRE(play.begin());
	REQUIRE_EQ(0, ccm_core_connect(play.node, play.they, 0, &why));
	play.wire = play.network.connects();
	REQUIRE(play.wire);
	play.wire->fail(ECONNREFUSED);
	EXPECT(play.goes_down(CCM_REASON_FAILED, ECONNREFUSED));
	EXPECT(play.wire->closes());
	EXPECT(play.up());
}

// Before anybody has looked whether it is connected.
CCM_TEST(connection, connect__is_closed_at_once)
{
	Played play;
	const char *why;

	REQUIRE(play.begin());
	REQUIRE_EQ(0, ccm_core_connect(play.node, play.they, 0, &why));
	play.wire = play.network.connects();
	REQUIRE(play.wire);
	play.wire->fail(EPIPE);
	EXPECT(play.goes_down(CCM_REASON_FAILED, ECONNRESET));
}

CCM_TEST(listener, accept__is_tried_again_after_an_error)
{
	for (int error : {ENOMEM, ECONNABORTED, ENFILE}) {
		Played play(Connects::Peer);

		REQUIRE(play.begin());
		play.network.fail_accept(error);
		play.network.fail_accept(error);
		EXPECT(play.up());
	}
}

// Something else in this kernel has its callbacks.
CCM_TEST(listener, accept__refuses_what_is_not_its_own)
{
	Played play(Connects::Peer);
	const char *why;

	REQUIRE(play.begin());
	REQUIRE_EQ(0, ccm_core_listen(play.node, play.they, 0, &why));
	ccm_endpoint from = Played::address_of(play.they);
	EXPECT(play.network.arrive_taken(from)->closes());
	auto told = play.network.refusal();
	REQUIRE(told.has_value());
	EXPECT_EQ(CCM_REASON_TAKEN, told->reason);
	EXPECT_EQ(-EBUSY, told->error);
	EXPECT_EQ(from.address[3], told->remote.address[3]);
	// The next one may be all right.
	EXPECT(play.up());
}

// The thread sanitizer sees whether they may be read meanwhile.
CCM_TEST(listener, stats__are_read_while_they_are_counted)
{
	Played play(Connects::Peer);
	ccm::Atomic<bool> enough;
	u64 last = 0;

	REQUIRE(play.begin());
	Background reader([&] {
		while (!enough.load())
			last = play.stats().refused;
	});
	for (u32 number = 100; number < 150; number++)
		(void)play.network.arrive(Played::address_of(number));
	EXPECT(eventually([&] { return play.stats().refused == 50; }));
	enough.store(true);
	REQUIRE(reader.ends());
	EXPECT(last <= 50);
	EXPECT_EQ(50, play.stats().accepted);
	EXPECT_EQ(50, play.stats().strangers);
}

// Each error has a sentence of its own, or says by itself what it is.
CCM_TEST(listener, start__says_why_it_cannot_listen)
{
	const char *before = nullptr;

	for (int error :
	     {EADDRNOTAVAIL, EADDRINUSE, EAFNOSUPPORT, EACCES, EPROTO}) {
		Played play;
		ccm_node_config config{.number = 1,
				       .cluster = "test",
				       .local = Played::address_of(1)};
		const char *why = nullptr;

		REQUIRE_EQ(0, ccm_core_key_set(play.node, kSecret,
					       sizeof(kSecret), &why));
		play.network.fail_listening(error);
		EXPECT_EQ(-error, ccm_core_node_set(play.node, &config, &why));
		EXPECT_EQ(error == EPROTO, why == nullptr);
		EXPECT(why != before);
		before = why;
	}
}

// --- what comes too late -----------------------------------------------------------

// A connection that fails has no session, and loses nothing of the one before.
namespace {

// Whoever sets the node is killed while its thread waits for a module, and does not
// wait for that.
class Killed : public Played {
public:
	bool begins()
	{
		if (ccm_core_key_set(node, kSecret, sizeof(kSecret), nullptr))
			return false;
		network.hold_listening();
		setter_ = ccm_thread_start(sets, this, "setter", 0);
		return setter_ && network.holds_listening();
	}
	// Whether it ends.
	bool kill()
	{
		Background killer([this] { ccm_thread_stop(setter_); });
		bool ended = killer.ends();

		if (!ended)
			network.let_listen();
		return ended;
	}

	int result = 1;

private:
	static int sets(void *killed)
	{
		auto *me = static_cast<Killed *>(killed);
		ccm_node_config config{.number = me->me,
				       .cluster = "test",
				       .local = address_of(me->me)};

		me->result = ccm_core_node_set(me->node, &config, nullptr);
		return 0;
	}

	ccm_thread *setter_ = nullptr;
};

} // namespace

CCM_TEST(listener, start__is_killed)
{
	Killed play;
	ccm_node_info now{};
	const char *why = nullptr;
	ccm_node_config config{.number = play.me,
			       .cluster = "test",
			       .local = Played::address_of(play.me)};

	REQUIRE(play.begins());
	REQUIRE(play.kill());
	EXPECT_EQ(-EINTR, play.result);
	EXPECT_EQ(-EBUSY, ccm_core_node_set(play.node, &config, &why));
	EXPECT(why != nullptr);
	EXPECT_EQ(-ENOTCONN, ccm_core_node_delete(play.node, nullptr));
	ccm_core_node_info(play.node, &now);
	EXPECT(now.keyed && now.config.number == 0);
	play.network.let_listen();
	EXPECT(eventually([&] {
		return ccm_core_node_set(play.node, &config, nullptr) == 0;
	}));
	EXPECT(play.add_peer() && play.up());
	EXPECT_EQ(1, play.network.told(CCM_EVENT_KIND_NODE).size());
}

// The namespace's end waits for that thread.
CCM_TEST(listener, start__is_killed_and_the_namespace_ends)
{
	Killed play;
	ccm_node *node = play.node;

	REQUIRE(play.begins());
	REQUIRE(play.kill());
	play.node = nullptr;
	Background ends([&] { ccm_core_destroy(node); });
	EXPECT(ends.goes_on());
	play.network.let_listen();
	EXPECT(ends.ends());
}

CCM_TEST(connection, unknown__is_counted_once)
{
	Played play;
	const char *why;

	REQUIRE(play.begin() && play.attach() && play.up());
	size_t before = play.wire->sent().size();
	REQUIRE_EQ(0, play.send(1));
	REQUIRE(play.wire->sends(before + kMessage));
	play.wire->fail(ECONNRESET);
	auto change = play.network.changes();
	REQUIRE(change && change->state == CCM_STATE_DOWN);
	EXPECT_EQ(1, change->unknown);
	for (u32 round = 0; round < 3; round++) {
		EXPECT_EQ(0, ccm_core_connect(play.node, play.they, 0, &why));
		Wire *wire = play.network.connects();
		REQUIRE(wire);
		wire->fail(ECONNREFUSED);
		change = play.network.changes();
		REQUIRE(change && change->reason == CCM_REASON_FAILED);
		EXPECT_EQ(0, change->unknown);
	}
	EXPECT_EQ(1, play.info().stats.unknown);
}

// The peer's goodbye is read before the listener comes to the close; what is asked
// for after that goodbye holds.
CCM_TEST(listener, close__overtaken_by_a_goodbye_revokes_nothing)
{
	Played play(Connects::Peer);
	ccm::Atomic<bool> go;
	auto keeps = [](ccm_args *args, u32) {
		auto *may_go = static_cast<ccm::Atomic<bool> *>(args->context);

		return eventually([may_go] { return may_go->load(); }) ? 0 : 1;
	};
	const char *why;

	REQUIRE(play.begin() && play.attach() && play.up());
	play.network.on_change = [&](const ccm_event &event) {
		const char *why;

		if (event.state == CCM_STATE_DOWN)
			(void)ccm_core_listen(play.node, play.they, 0, &why);
	};
	REQUIRE_EQ(0, ccm_core_regist(play.node, kModule, 1, CCM_SHORT, keeps,
				      &go));
	Stream call = play.call(1, 0, 0);
	play.wire->deliver(call + play.frame({.kind = Kind::Goodbye}));
	REQUIRE(eventually([&] { return play.info().stats.messages_in == 1; }));
	EXPECT_EQ(0, ccm_core_close(play.node, play.they, 0, &why));
	go.store(true);
	EXPECT(play.goes_down(CCM_REASON_ADMIN, 0));
	Wire *next = play.network.arrive(Played::address_of(play.they));
	EXPECT(next->is_taken());
	EXPECT(play.info().listening);
	play.network.on_change = nullptr;
}

// Its packets took another way, or waited for a retransmission.
CCM_TEST(listener, proof__of_an_older_attempt_replaces_no_newer_one)
{
	for (bool is_up : {false, true}) {
		Played play(Connects::Peer);

		REQUIRE(play.begin() && play.meet() && play.say(kHello));
		Wire *older = play.wire;
		REQUIRE(older->sends(kHello));
		Stream delayed = play.proof();
		REQUIRE(play.meet() && play.say(kGreeting));
		REQUIRE(play.wire->sends(kGreeting));
		if (is_up) {
			play.wire->deliver(play.ready());
			auto change = play.network.changes();
			REQUIRE(change && change->state == CCM_STATE_UP);
		}
		older->deliver(delayed);
		EXPECT(older->closes());
		EXPECT(!play.wire->closed());
		EXPECT_EQ(0, play.info().stats.replaced);
		EXPECT(eventually([&] { return play.stats().refused == 1; }));
		if (!is_up)
			play.wire->deliver(play.ready());
		EXPECT(eventually(
			[&] { return play.info().state == CCM_STATE_UP; }));
	}
}

// Its connection is gone, and a sender is still in its socket.
CCM_TEST(connection, end__takes_no_message_that_it_does_not_count)
{
	Played play;
	const char *why;

	REQUIRE(play.begin() && play.attach() && play.up());
	play.wire->hold();
	Background sender([&] { (void)play.send(1); });
	REQUIRE(play.wire->holds());
	play.wire->fail(ECONNRESET);
	REQUIRE(eventually([&] {
		return ccm_core_ping(play.node, play.they, &why) == -EHOSTDOWN;
	}));
	EXPECT_EQ(CCM_STATE_DOWN, play.info().state);
	int taken = play.send(2);
	EXPECT_EQ(-EHOSTDOWN, taken);
	play.wire->let_go();
	auto change = play.network.changes();
	REQUIRE(change && change->state == CCM_STATE_DOWN);
	EXPECT_EQ(1 + (taken == 0), change->unsent + change->unknown);
	EXPECT_EQ(change->unsent, play.info().stats.unsent);
	EXPECT_EQ(change->unknown, play.info().stats.unknown);
}

// The listener has read as much as it reads of one peer at a time, the last call to its
// end, when it sees that nothing can be sent: that call has come, and so it runs.
CCM_TEST(connection, end__loses_no_call_that_has_arrived)
{
	constexpr u32 kCalls = 4; // of 64 KiB: the budget
	constexpr u32 kArguments =
		ccm::wire::kPayloadMax - ccm::wire::kCallSize;
	Played play;
	Stream calls;

	REQUIRE(play.begin() && play.attach() && play.up());
	REQUIRE_EQ(0, ccm_core_regist(play.node, kModule, 1, CCM_SHORT,
				      returns_at_once, nullptr));
	play.wire->refuse(EPERM);
	for (u64 id = 1; id <= kCalls; id++)
		calls = calls + play.call(1, id, kArguments);
	play.wire->deliver(calls);
	REQUIRE(play.goes_down(CCM_REASON_BROKEN, EPERM));
	EXPECT_EQ(kCalls, play.info().stats.messages_in);
	EXPECT_EQ(kCalls, play.info().stats.calls_in);
	EXPECT_EQ(0, play.info().queued_in);
}

// The same with an answer, whose caller gets it.
CCM_TEST(connection, end__loses_no_answer_that_has_arrived)
{
	constexpr u32 kCalls = 3;
	constexpr u32 kBytes = ccm::wire::kPayloadMax - ccm::wire::kCallSize;
	Played play;
	Stream stream;
	int result = 1;

	REQUIRE(play.begin() && play.attach() && play.up());
	REQUIRE_EQ(0, ccm_core_regist(play.node, kModule, 1, CCM_SHORT,
				      returns_at_once, nullptr));
	{
		Background caller([&] {
			ccm_call call{.node = play.they,
				      .module = kModule,
				      .function = 1,
				      .seqn = 0,
				      .flags = 0,
				      .timeout_ms = kSoon};
			ccm_answer answer;

			result = ccm_core_rcall_wait(play.node, &call, &answer,
						     nullptr, 0);
			if (!result)
				ccm_core_message_free(answer.message);
		});
		Stream sent;

		REQUIRE(eventually([&] {
			sent = sent + play.wire->take_sent();
			return call_in(sent) != 0;
		}));
		play.wire->refuse(EPERM);
		for (u64 id = 1; id <= kCalls; id++)
			stream = stream + play.call(1, id, kBytes);
		stream = stream + play.answer(1, call_in(sent), kBytes);
		play.wire->deliver(stream);
		REQUIRE(play.goes_down(CCM_REASON_BROKEN, EPERM));
	}
	EXPECT_EQ(0, result);
}

// --- the end of a node -----------------------------------------------------------

CCM_TEST(listener, stop__while_connecting)
{
	Played play;
	int result = 1;

	REQUIRE(play.begin());
	Background caller([&] {
		const char *sentence;
		result = ccm_core_connect(play.node, play.they, CCM_FOREVER,
					  &sentence);
	});
	play.wire = play.network.connects();
	REQUIRE(play.wire);
	EXPECT(caller.goes_on());
	EXPECT(play.delete_node());
	EXPECT(play.wire->closes());
	REQUIRE(caller.ends());
	EXPECT_EQ(-ECANCELED, result);
	EXPECT(play.wire->sent().empty());
	EXPECT(play.goes_down(CCM_REASON_ADMIN, 0));
	EXPECT(play.begin() && play.up());
}

CCM_TEST(listener, stop__anywhere_in_a_handshake)
{
	for (Connects who : {Connects::Node, Connects::Peer}) {
		constexpr size_t size = kGreeting + kReady;

		for (size_t at = 0; at < size; at += 8) {
			Played play(who);

			REQUIRE(play.begin() && play.attach() && play.meet());
			REQUIRE(play.say(at));
			REQUIRE(play.wire->settles());
			EXPECT(play.delete_node());
			EXPECT(play.wire->closes());
		}
	}
}

CCM_TEST(listener, stop__says_goodbye)
{
	Played play;

	REQUIRE(play.begin() && play.up());
	Sent sent(play.wire);
	REQUIRE_EQ(0, play.send(1));
	EXPECT(play.delete_node());
	EXPECT(kinds_in(sent()) == kinds(Kind::Message, Kind::Goodbye));
	EXPECT(play.wire->finished());
}

CCM_TEST(listener, stop__does_not_wait_long_for_a_full_socket)
{
	Played play;

	REQUIRE(play.begin() && play.up());
	play.wire->set_room(10);
	REQUIRE_EQ(0, play.send(1));
	EXPECT(play.delete_node());
	EXPECT(play.wire->closes());
}

// --- numbers that nobody has ----------------------------------------------------

namespace {

constexpr u32 kCharged2K = 1000; // bytes of such a message
constexpr u32 kCharged16K = 16 * 1024 - 128;

// So many have come, and nothing was wrong with them.
bool has_come(Played &play, u64 messages)
{
	return eventually([&] {
		       return play.info().stats.messages_in == messages;
	       }) &&
	       play.wire->settles() && play.info().state == CCM_STATE_UP;
}

} // namespace

// What the peer was told when there was a consumer, it may still send.
CCM_TEST(connection, detach__keeps_little_of_what_still_comes)
{
	Played play;

	REQUIRE(play.begin() && play.attach() && play.up());
	REQUIRE_EQ(0, ccm_core_detach(play.node, kModule));
	for (u32 seqn = 1; seqn <= 100; seqn++)
		play.wire->deliver(play.message(seqn, kCharged2K));
	REQUIRE(has_come(play, 100));
	EXPECT_EQ(16 * 1024, play.info().queued_in);
	EXPECT_EQ(92, play.info().stats.dropped);
	// The first that came are there, and what comes now too.
	REQUIRE(play.attach());
	play.wire->deliver(play.message(101, kCharged2K));
	for (u32 seqn : {1, 8, 101})
		EXPECT_EQ(0, play.receive(seqn, kSoon));
	EXPECT_EQ(-EAGAIN, play.receive(9));
	EXPECT_EQ(92, play.info().stats.dropped);
}

CCM_TEST(connection, detach__while_a_large_message_comes)
{
	constexpr u32 kSize = 100000;

	for (bool posted : {false, true}) {
		Played play;
		int result = 1;

		REQUIRE(play.begin() && play.attach() && play.up());
		Background receiver([&] {
			if (posted)
				result = play.receive(1, kSoon);
		});
		REQUIRE(eventually([&] {
			return play.receivers() == (posted ? 1u : 0u);
		}));
		Stream bytes = play.message(1, kSize);
		play.wire->deliver(first_of(bytes, kSize / 2));
		REQUIRE(play.wire->settles());
		REQUIRE_EQ(0, ccm_core_detach(play.node, kModule));
		REQUIRE(receiver.ends());
		EXPECT_EQ(posted ? -ESHUTDOWN : 1, result);
		play.wire->deliver(rest_of(bytes, kSize / 2));
		REQUIRE(has_come(play, 1));
		EXPECT_EQ(0, play.info().queued_in);
		EXPECT_EQ(1, play.info().stats.dropped);
	}
}

// Each number alone has room for one of these, all together for 64.
CCM_TEST(connection, unattached__all_numbers_have_one_bound)
{
	Played play;
	constexpr u32 kFirst = 100;

	REQUIRE(play.begin() && play.up());
	for (u32 i = 0; i < 200; i++)
		play.wire->deliver(play.message(1, kCharged16K, kFirst + i));
	REQUIRE(has_come(play, 200));
	EXPECT_EQ(1 << 20, play.info().queued_in);
	EXPECT_EQ(200 - 64, play.info().stats.dropped);
	// Who attaches takes what is there out of that account.
	REQUIRE_EQ(0, ccm_core_attach(play.node, kFirst, nullptr, nullptr));
	play.wire->deliver(play.message(1, kCharged16K, kFirst + 300));
	play.wire->deliver(play.message(1, kCharged16K, kFirst + 301));
	REQUIRE(has_come(play, 202));
	EXPECT_EQ(200 - 64 + 1, play.info().stats.dropped);
	EXPECT_EQ(0, ccm_core_detach(play.node, kFirst));
	EXPECT_EQ(1 << 20, play.info().queued_in);
}

CCM_TEST(connection, detach__calls_that_still_come_are_answered)
{
	constexpr u32 kCalls = 60;
	Played play;

	REQUIRE(play.begin() && play.attach() && play.up());
	REQUIRE_EQ(0, ccm_core_detach(play.node, kModule));
	Sent sent(play.wire);
	for (u32 id = 1; id <= kCalls; id++)
		play.wire->deliver(play.call(1, id, 50000));
	REQUIRE(has_come(play, kCalls));
	EXPECT_EQ(0, play.info().queued_in);
	EXPECT_EQ(0, play.info().stats.dropped);
	EXPECT_EQ(kCalls, play.info().stats.calls_refused);
	u32 answers = 0;
	for (int kind : kinds_in(sent()))
		answers += kind == static_cast<int>(Kind::Answer);
	EXPECT_EQ(kCalls, answers);
}

// It calls on and on, and takes no answer.
CCM_TEST(connection, detach__calls_whose_answers_are_not_taken)
{
	Played play;
	ccm_limits large{.max_size = 1 << 20, .window = 256u << 20};
	Stream bytes(1 << 19);
	ccm_msg msg{.node = play.they,
		    .module = kModule,
		    .type = kType,
		    .size = bytes.size(),
		    .data = bytes.data()};

	REQUIRE(play.begin());
	REQUIRE_EQ(0, ccm_core_attach(play.node, kModule, &large, nullptr));
	REQUIRE(play.up());
	play.wire->deliver(play.limit(64u << 20));
	REQUIRE(play.wire->settles());
	play.wire->set_room(0);
	while (ccm_core_send(play.node, &msg, 0, 0) == 0)
		;
	REQUIRE_EQ(0, ccm_core_detach(play.node, kModule));
	Stream calls;
	for (u32 id = 1; id <= 50; id++)
		calls = calls + play.call(1, id, 0);
	play.wire->deliver(calls);
	REQUIRE(has_come(play, 50));
	EXPECT_EQ(50 * 256, play.info().queued_in);
	for (u32 id = 51; id <= 40000; id++)
		play.wire->deliver(play.call(1, id, 0));
	EXPECT(play.goes_down(CCM_REASON_BROKEN, ENOBUFS));
	EXPECT_EQ(0, play.info().queued_in);
}

// --- memory ----------------------------------------------------------------------

namespace {

// At the second try, if memory was missing at the first.
template <class F> bool works(F step)
{
	return step() || (host::memory_has_failed() && step());
}

// A whole life, in which each step may have to be repeated once.
bool lives(Played &play)
{
	return works([&] { return play.set_node(); }) &&
	       works([&] { return play.add_peer(); }) &&
	       works([&] { return play.attach(); }) && works([&] {
		       if (!play.up())
			       return false;
		       play.wire->deliver(play.limit(1 << 21));
		       return play.wire->settles() &&
			      play.info().state == CCM_STATE_UP;
	       }) &&
	       works([&] { return play.send(1) == 0; }) && works([&] {
		       play.wire->deliver(play.message(1));
		       play.wire->deliver(play.message(2, 100000));
		       return eventually([&] {
				      return play.info().stats.messages_in == 2;
			      }) &&
			      play.receive(2) == 0 && play.receive(1) == 0;
	       });
}

} // namespace

// It is asked for again; meanwhile the listener serves others.
CCM_TEST(connection, memory__is_not_waited_for_by_the_listener)
{
	Played play;

	REQUIRE(play.begin() && play.attach() && play.up());
	int before = host::patient_threads();
	{
		OutOfMemory failing(2); // for the large one
		play.wire->deliver(play.message(1));
		play.wire->deliver(play.message(2, 100000));
		EXPECT_EQ(0, play.receive(2, kSoon));
		EXPECT_EQ(0, play.receive(1, kSoon));
	}
	EXPECT_EQ(before, host::patient_threads());
	EXPECT_EQ(0, play.send(1)); // this thread may
	EXPECT_EQ(before, host::patient_threads());
}

CCM_TEST(connection, memory__each_allocation_may_fail)
{
	for (Connects who : {Connects::Node, Connects::Peer}) {
		for (int nth = 1;; nth++) {
			long before = ccm_memory_count();
			bool failed;
			{
				OutOfMemory failing(nth);
				Played play(who);

				if (play.node && !EXPECT(lives(play)))
					EXPECT_EQ(0, nth); // says which
				failed = host::memory_has_failed();
			}
			REQUIRE_EQ(before, ccm_memory_count());
			if (!failed)
				break;
			REQUIRE(nth < 200);
		}
	}
}
