// SPDX-License-Identifier: GPL-2.0
// A peer without a network: what the listener would do is done by hand.
#include "core/peer.hpp"

#include "arrival.hpp"
#include "background.hpp"
#include "core/listener.hpp"
#include "core/node.hpp"
#include "memory.hpp"
#include "support/errno.hpp"
#include "test.hpp"

using namespace ccm;
using namespace ccm_testing;

namespace {

constexpr u32 kModule = 7;
constexpr u32 kOther = 8;
constexpr u32 kNumber = 2;
constexpr u64 kMuch = 1ull << 40;

// A node that is not configured, and one peer of it.
class Fixture {
public:
	explicit Fixture(bool self = false)
	{
		node = ccm_core_create(nullptr);
		if (node)
			peer = create<Peer>(MaySleep::Yes, *node,
					    ccm_peer_config{.number = kNumber},
					    self);
	}
	~Fixture()
	{
		if (peer) {
			end_session();
			peer->put();
		}
		if (node)
			ccm_core_destroy(node);
	}
	Fixture(const Fixture &) = delete;
	Fixture &operator=(const Fixture &) = delete;

	void set_state(ccm_state state)
	{
		Guard guard(peer->lock);

		peer->change_locked(state, CCM_REASON_NONE, 0);
	}
	void begin_session(u32 window = kUnattached.window)
	{
		Guard guard(peer->lock);

		peer->begin_session_locked(window);
	}
	Loss end_session()
	{
		List<Message> dropped;
		Loss loss;
		{
			Guard guard(peer->lock);
			loss = peer->end_session_locked(dropped);
		}
		while (Message *message = dropped.pop_front())
			Message::drop(message);
		return loss;
	}
	// Connected, and the peer lets us send this much to kModule and kOther.
	void up(u64 limit = kMuch)
	{
		begin_session();
		set_state(CCM_STATE_UP);
		allow(kModule, limit);
		allow(kOther, limit);
	}
	// The peer tells how much we may send.
	void allow(u32 module, u64 limit, u32 max_size = CCM_SIZE_DEFAULT)
	{
		Guard guard(peer->lock);
		Channel *channel = peer->channel_locked(module);

		if (!channel)
			return;
		channel->send.limit = limit;
		channel->send.max_size = max_size;
		peer->review_locked(*channel);
		peer->admit_waiting_locked();
	}
	int send(u32 seqn, u32 size = 10, u32 module = kModule,
		 int timeout_ms = 0)
	{
		Message *message =
			make_message(module, {kNumber, 1, seqn}, size);

		if (!message)
			return -ENOMEM;
		return peer->send(message, MaySleep::Yes, timeout_ms).code();
	}
	// The transmitter sends the first of the queue. Its sequence number, or 0.
	u32 transmit()
	{
		Message *sent;
		{
			Guard guard(peer->lock);

			sent = peer->take_queued_locked();
			if (!sent)
				return 0;
			peer->sent_sequence++;
			peer->queued -= sent->charge();
			peer->admit_waiting_locked();
		}
		u32 seqn = is_right(sent) ? sent->key.seqn : ~0u;
		Message::drop(sent);
		return seqn;
	}
	u64 queued()
	{
		ccm_peer_info info{};

		peer->report(info);
		return info.queued_out;
	}
	u64 held()
	{
		ccm_peer_info info{};

		peer->report(info);
		return info.queued_in;
	}
	ccm_peer_stats stats()
	{
		ccm_peer_info info{};

		peer->report(info);
		return info.stats;
	}
	u32 waiting(u32 module = kModule)
	{
		Guard guard(peer->lock);
		Channel *channel = peer->known_channel(module);

		u32 count = 0;

		for (Sender *s = channel ? channel->waiting.front() : nullptr;
		     s; s = channel->waiting.next(s))
			count++;
		return count;
	}
	// The listener takes in a message of this charge from the peer.
	Channel *take_in(u32 module, u64 charge)
	{
		Guard guard(peer->lock);
		Channel *channel = peer->channel_locked(module);

		if (channel) {
			channel->receive.take_in(charge);
			peer->held += charge;
		}
		return channel;
	}
	// What is to be told to the peer next: a module number, or 0. Telling it.
	u32 announced()
	{
		Guard guard(peer->lock);
		Channel *channel = peer->to_announce.pop_front();

		if (!channel)
			return 0;
		channel->receive.tell();
		return channel->module;
	}
	ReceiveLimit receive_limit(u32 module)
	{
		Guard guard(peer->lock);
		Channel *channel = peer->known_channel(module);

		return channel ? channel->receive : ReceiveLimit{};
	}

	ccm_node *node = nullptr;
	Peer *peer = nullptr;
};

// A connection that goes nowhere; it only notes that there is work.
class Wire {
public:
	explicit Wire(Fixture &fixture) : fixture_(fixture)
	{
		listener_ = create<Listener>(MaySleep::Yes, *fixture.node);
		if (listener_)
			connection_ =
				create<Connection>(MaySleep::Yes, *listener_,
						   *fixture.node, fixture.peer);
		set(connection_);
	}
	~Wire()
	{
		set(nullptr);
		destroy(connection_);
		destroy(listener_);
	}
	// Whether there was something to send since the last look.
	bool marked()
	{
		return connection_ && connection_->bits.exchange(0) & kTransmit;
	}

private:
	void set(Connection *connection)
	{
		Guard guard(fixture_.peer->lock);

		fixture_.peer->connection = connection;
	}

	Fixture &fixture_;
	Listener *listener_ = nullptr;
	Connection *connection_ = nullptr;
};

// A thread that sends one message and waits for room.
struct Sending {
	Sending(Fixture &fixture_, u32 seqn_, u32 size_, u32 module_ = kModule,
		int timeout_ms_ = CCM_FOREVER)
		: fixture(fixture_), seqn(seqn_), size(size_), module(module_),
		  timeout_ms(timeout_ms_), before(fixture.waiting(module_)),
		  thread(Run{this})
	{
	}
	bool waits()
	{
		return eventually([this] {
			return fixture.waiting(module) == before + 1;
		});
	}

	struct Run {
		Sending *sending;

		void operator()() const
		{
			sending->result = sending->fixture.send(
				sending->seqn, sending->size, sending->module,
				sending->timeout_ms);
		}
	};

	Fixture &fixture;
	const u32 seqn, size, module;
	const int timeout_ms;
	const u32 before;
	int result = 1;
	Background<Run> thread; // the last: it uses the others
};

} // namespace

// --- who may be sent to ------------------------------------------------------------

CCM_TEST(peer, send__only_when_it_is_up)
{
	static const struct {
		ccm_state state;
		int result;
	} kCases[] = {
		{CCM_STATE_DOWN, -EHOSTDOWN},
		{CCM_STATE_CONNECTING, -EHOSTDOWN},
		{CCM_STATE_UP, 0},
		{CCM_STATE_CLOSING, -EHOSTDOWN},
	};

	for (auto &c : kCases) {
		Fixture f;

		f.begin_session();
		f.set_state(c.state);
		EXPECT_EQ(c.result, f.send(1));
	}
}

CCM_TEST(peer, send__a_new_peer_is_down)
{
	Fixture f;

	EXPECT_EQ(-EHOSTDOWN, f.send(1));
}

CCM_TEST(peer, send__queues_in_the_order_accepted)
{
	Fixture f;

	f.up();
	EXPECT_EQ(0, f.send(1, 10, kModule));
	EXPECT_EQ(0, f.send(2, 5000, kOther));
	EXPECT_EQ(0, f.send(3, 0, kModule));
	EXPECT_EQ(charge_of(10) + charge_of(5000) + charge_of(0), f.queued());
	EXPECT_EQ(3, f.stats().messages_out);
	EXPECT_EQ(5010, f.stats().bytes_out);
	EXPECT_EQ(1, f.transmit());
	EXPECT_EQ(2, f.transmit());
	EXPECT_EQ(3, f.transmit());
	EXPECT_EQ(0, f.transmit());
	EXPECT_EQ(0, f.queued());
}

CCM_TEST(peer, send__without_memory_for_the_channel)
{
	for (int nth = 1; nth <= 2; nth++) {
		Fixture f;
		f.begin_session();
		f.set_state(CCM_STATE_UP);
		Message *message = make_message(kModule, {kNumber, 1, 1}, 10);
		REQUIRE(message != nullptr);
		OutOfMemory now(nth);
		EXPECT_EQ(ENOMEM,
			  f.peer->send(message, MaySleep::Yes, 0).error());
	}
}

CCM_TEST(peer, send__larger_than_the_peer_takes)
{
	Fixture f;

	f.up();
	f.allow(kModule, kMuch, 100);
	EXPECT_EQ(-EMSGSIZE, f.send(1, 101));
	EXPECT_EQ(-EMSGSIZE, f.send(1, 101, kModule, CCM_FOREVER)); // at once
	EXPECT_EQ(0, f.send(2, 100));
	EXPECT_EQ(0, f.send(3, 101, kOther));
}

// --- room --------------------------------------------------------------------------

CCM_TEST(peer, send__without_room)
{
	Fixture f;

	f.up(1024);
	EXPECT_EQ(0, f.send(1, 896)); // 1024 with its header
	EXPECT_EQ(-EAGAIN, f.send(2, 0));
	EXPECT_EQ(1, f.stats().refused);
	EXPECT_EQ(0, f.waiting());
	f.allow(kModule, 1024 + 255);
	EXPECT_EQ(-EAGAIN, f.send(2, 0));
	f.allow(kModule, 1024 + 256);
	EXPECT_EQ(0, f.send(2, 0));
}

CCM_TEST(peer, send__room_does_not_come_from_sending)
{
	Fixture f;

	f.up(256);
	EXPECT_EQ(0, f.send(1));
	EXPECT_EQ(1, f.transmit());
	EXPECT_EQ(-EAGAIN, f.send(2)); // only the receiver gives it
}

CCM_TEST(peer, send__an_unknown_number_has_what_hello_said)
{
	Fixture f;

	f.begin_session(512);
	f.set_state(CCM_STATE_UP);
	EXPECT_EQ(0, f.send(1, 384, 500));
	EXPECT_EQ(-EAGAIN, f.send(2, 0, 500));
	EXPECT_EQ(0, f.send(1, 384, 501)); // each for itself
}

CCM_TEST(peer, send__another_channel_goes_on)
{
	Fixture f;

	f.up(256);
	f.allow(kOther, kMuch);
	EXPECT_EQ(0, f.send(1));
	EXPECT_EQ(-EAGAIN, f.send(2));
	for (u32 seqn = 3; seqn < 20; seqn++)
		EXPECT_EQ(0, f.send(seqn, 1000, kOther));
}

CCM_TEST(peer, send__the_queue_is_full)
{
	Fixture f;

	f.up();
	EXPECT_EQ(0, f.send(1));
	{
		Guard guard(f.peer->lock);
		f.peer->queued = kQueueMax - 1;
	}
	EXPECT_EQ(0, f.send(2)); // one more, of whatever size
	EXPECT_EQ(-EAGAIN, f.send(3, 0));
	EXPECT_EQ(-EAGAIN, f.send(3, 0, kOther)); // it is one queue
	EXPECT_EQ(1, f.transmit());
	EXPECT_EQ(0, f.send(3, 0));
}

CCM_TEST(peer, send__a_message_larger_than_the_queue)
{
	Fixture f;
	u32 size = static_cast<u32>(kQueueMax) + 1;

	f.up();
	f.allow(kModule, kMuch, CCM_SIZE_MAX);
	EXPECT_EQ(0, f.send(1, 0));
	EXPECT_EQ(0, f.send(2, size));
	EXPECT_EQ(-EAGAIN, f.send(3, 0));
	EXPECT_EQ(1, f.transmit());
	EXPECT_EQ(-EAGAIN, f.send(3, 0));
	EXPECT_EQ(2, f.transmit());
	EXPECT_EQ(0, f.send(3, 0));
}

// --- waiting for room --------------------------------------------------------------

CCM_TEST(peer, wait__until_the_limit_grows)
{
	Fixture f;

	f.up(256);
	EXPECT_EQ(0, f.send(1));
	Sending second(f, 2, 10);
	EXPECT(second.waits());
	EXPECT_EQ(1, f.stats().waits);
	f.allow(kModule, 511);
	EXPECT(second.thread.goes_on());
	f.allow(kModule, 512);
	EXPECT(second.thread.ends());
	EXPECT_EQ(0, second.result);
	EXPECT_EQ(0, f.waiting());
	EXPECT_EQ(1, f.transmit());
	EXPECT_EQ(2, f.transmit());
}

CCM_TEST(peer, wait__until_the_queue_is_shorter)
{
	Fixture f;

	f.up();
	EXPECT_EQ(0, f.send(1));
	{
		Guard guard(f.peer->lock);
		f.peer->queued = kQueueMax;
	}
	Sending second(f, 2, 10);
	EXPECT(second.waits());
	EXPECT_EQ(1, f.transmit());
	EXPECT(second.thread.ends());
	EXPECT_EQ(0, second.result);
}

// Among those that have room in their channels the one that came first.
CCM_TEST(peer, wait__for_the_queue_in_turn)
{
	Fixture f;

	f.up();
	EXPECT_EQ(0, f.send(1));
	f.allow(kOther + 1, 0);
	{
		Guard guard(f.peer->lock);
		f.peer->queued = kQueueMax;
	}
	Sending without(f, 2, 10, kOther + 1);
	EXPECT(without.waits());
	Sending second(f, 3, 10, kOther);
	EXPECT(second.waits());
	Sending third(f, 4, 10);
	EXPECT(third.waits());
	Sending fourth(f, 5, 10, kOther);
	EXPECT(fourth.waits());
	EXPECT_EQ(1, f.transmit());
	EXPECT(second.thread.ends());
	EXPECT(third.thread.goes_on());
	EXPECT_EQ(3, f.transmit());
	EXPECT(third.thread.ends());
	EXPECT_EQ(4, f.transmit());
	EXPECT(fourth.thread.ends());
	EXPECT(without.thread.goes_on());
	EXPECT_EQ(5, f.transmit());
	// It waits for its channel, and then for nothing else.
	f.allow(kOther + 1, 256);
	EXPECT(without.thread.ends());
	EXPECT_EQ(2, f.transmit());
}

CCM_TEST(peer, wait__those_behind_do_not_overtake)
{
	Fixture f;

	f.up(256);
	EXPECT_EQ(0, f.send(1));
	Sending large(f, 2, 1000 - 128 + 24); // 1024
	EXPECT(large.waits());
	Sending small(f, 3, 0); // 256
	EXPECT(small.waits());
	f.allow(kModule, 256 + 1023); // the small one would fit
	EXPECT(large.thread.goes_on());
	EXPECT(!small.thread.done());
	EXPECT_EQ(-EAGAIN, f.send(4, 0)); // nor does one that comes now
	f.allow(kModule, 256 + 1024 + 256);
	EXPECT(large.thread.ends());
	EXPECT(small.thread.ends());
	EXPECT_EQ(1, f.transmit());
	EXPECT_EQ(2, f.transmit());
	EXPECT_EQ(3, f.transmit());
}

CCM_TEST(peer, wait__one_after_the_other)
{
	Fixture f;

	f.up(256);
	EXPECT_EQ(0, f.send(1));
	Sending second(f, 2, 0);
	EXPECT(second.waits());
	Sending third(f, 3, 0);
	EXPECT(third.waits());
	f.allow(kModule, 512);
	EXPECT(second.thread.ends());
	EXPECT(third.thread.goes_on());
	f.allow(kModule, 768);
	EXPECT(third.thread.ends());
	EXPECT_EQ(1, f.transmit());
	EXPECT_EQ(2, f.transmit());
	EXPECT_EQ(3, f.transmit());
}

CCM_TEST(peer, wait__another_channel_is_admitted)
{
	Fixture f;

	f.up(256);
	EXPECT_EQ(0, f.send(1, 0, kModule));
	EXPECT_EQ(0, f.send(2, 0, kOther));
	Sending first(f, 3, 0, kModule);
	EXPECT(first.waits());
	Sending second(f, 4, 0, kOther);
	EXPECT(second.waits());
	f.allow(kOther, 512);
	EXPECT(second.thread.ends());
	EXPECT(first.thread.goes_on());
	f.allow(kModule, 512);
	EXPECT(first.thread.ends());
}

CCM_TEST(peer, wait__times_out)
{
	Fixture f;

	f.up(256);
	EXPECT_EQ(0, f.send(1));
	EXPECT_EQ(-ETIMEDOUT, f.send(2, 10, kModule, 20));
	EXPECT_EQ(0, f.waiting());
	EXPECT_EQ(charge_of(10), f.queued());
}

CCM_TEST(peer, wait__one_that_gives_up_makes_room_for_those_behind)
{
	Fixture f;

	f.up(256);
	EXPECT_EQ(0, f.send(1));
	Sending large(f, 2, 5000, kModule, 200);
	EXPECT(large.waits());
	Sending small(f, 3, 0);
	EXPECT(small.waits());
	f.allow(kModule, 512);
	EXPECT(small.thread.goes_on());
	EXPECT(large.thread.ends());
	EXPECT_EQ(-ETIMEDOUT, large.result);
	EXPECT(small.thread.ends());
	EXPECT_EQ(0, small.result);
}

CCM_TEST(peer, wait__the_peer_takes_smaller_ones_now)
{
	Fixture f;

	f.up(256);
	EXPECT_EQ(0, f.send(1));
	Sending large(f, 2, 5000);
	EXPECT(large.waits());
	Sending small(f, 3, 100);
	EXPECT(small.waits());
	f.allow(kModule, 256, 100); // no room, but why wait for it
	EXPECT(large.thread.ends());
	EXPECT_EQ(-EMSGSIZE, large.result);
	EXPECT(small.thread.goes_on());
	f.allow(kModule, 512, 100);
	EXPECT(small.thread.ends());
	EXPECT_EQ(0, small.result);
	EXPECT_EQ(1, f.transmit());
	EXPECT_EQ(3, f.transmit());
}

CCM_TEST(peer, wait__the_session_ends)
{
	Fixture f;

	f.up(256);
	EXPECT_EQ(0, f.send(1));
	Sending second(f, 2, 10);
	EXPECT(second.waits());
	Sending third(f, 3, 10);
	EXPECT(third.waits());
	f.end_session();
	EXPECT(second.thread.ends());
	EXPECT(third.thread.ends());
	EXPECT_EQ(-EHOSTDOWN, second.result);
	EXPECT_EQ(-EHOSTDOWN, third.result);
	EXPECT_EQ(0, f.waiting());
}

CCM_TEST(peer, wait__ends_when_the_thread_shall_stop)
{
	struct Sender {
		Fixture f;
		int result = 1;

		static int run(void *sender)
		{
			auto *me = static_cast<Sender *>(sender);

			me->result = me->f.send(2, 10, kModule, CCM_FOREVER);
			return 0;
		}
	} sender;

	sender.f.up(256);
	EXPECT_EQ(0, sender.f.send(1));
	ccm_thread *thread = ccm_thread_start(Sender::run, &sender, "test", 0);
	REQUIRE(thread != nullptr);
	EXPECT(eventually([&] { return sender.f.waiting() == 1; }));
	ccm_thread_stop(thread);
	EXPECT_EQ(-EINTR, sender.result);
	EXPECT_EQ(0, sender.f.waiting());
}

// --- sessions ----------------------------------------------------------------------

CCM_TEST(peer, end_session__counts_what_is_lost)
{
	Fixture f;

	f.up();
	for (u32 seqn = 1; seqn <= 5; seqn++)
		EXPECT_EQ(0, f.send(seqn));
	f.transmit();
	f.transmit();
	f.transmit();
	{
		Guard guard(f.peer->lock);
		f.peer->acknowledged_sequence = 1;
	}
	Loss loss = f.end_session();
	EXPECT_EQ(2, loss.unsent);
	EXPECT_EQ(2, loss.unknown); // the second and third
	EXPECT_EQ(2, f.stats().unsent);
	EXPECT_EQ(2, f.stats().unknown);
	EXPECT_EQ(0, f.queued());
	EXPECT_EQ(0, f.transmit());
	f.up();
	EXPECT_EQ(0, f.end_session().unsent); // it is not lost again
}

CCM_TEST(peer, end_session__nothing_is_lost)
{
	Fixture f;

	f.up();
	Loss loss = f.end_session();
	EXPECT_EQ(0, loss.unsent);
	EXPECT_EQ(0, loss.unknown);
}

CCM_TEST(peer, begin_session__everything_begins_anew)
{
	Fixture f;

	f.up(256);
	f.allow(kModule, 256, 100);
	EXPECT_EQ(0, f.send(1));
	f.transmit();
	f.end_session();
	f.begin_session(1024);
	Guard guard(f.peer->lock);
	EXPECT_EQ(0, f.peer->sent_sequence);
	EXPECT_EQ(0, f.peer->acknowledged_sequence);
	EXPECT_EQ(0, f.peer->received_sequence);
	const SendLimit &send = f.peer->known_channel(kModule)->send;
	EXPECT_EQ(0, send.sent);
	EXPECT_EQ(1024, send.limit);
	EXPECT_EQ(CCM_SIZE_DEFAULT, send.max_size);
}

CCM_TEST(peer, begin_session__announces_only_what_differs)
{
	Fixture f;

	f.begin_session();
	f.allow(3, 0);					   // nobody is attached
	EXPECT(f.peer->set_window(5, {1000, 65536}).ok()); // larger window
	EXPECT(f.peer->set_window(6, kUnattached).ok());   // as if nobody were
	EXPECT(f.peer->set_window(9, {1000, 16384}).ok()); // smaller messages
	f.take_in(10, 512);				   // queued by nobody
	f.begin_session();
	EXPECT_EQ(5, f.announced());
	EXPECT_EQ(9, f.announced());
	EXPECT_EQ(10, f.announced());
	EXPECT_EQ(0, f.announced());
	EXPECT_EQ(65536, f.receive_limit(5).announced);
	EXPECT_EQ(16384, f.receive_limit(9).announced);
	EXPECT_EQ(16384 - 512, f.receive_limit(10).announced);
}

CCM_TEST(peer, begin_session__what_is_held_counts_still)
{
	Fixture f;

	f.begin_session();
	EXPECT(f.peer->set_window(kModule, {1000, 4096}).ok());
	f.take_in(kModule, 4096);
	f.end_session();
	f.begin_session();
	EXPECT_EQ(kModule, f.announced());
	EXPECT_EQ(0, f.receive_limit(kModule).announced);
	EXPECT_EQ(0, f.receive_limit(kModule).received);
	EXPECT_EQ(4096, f.held());
}

CCM_TEST(peer, begin_session__forgets_what_was_to_be_told)
{
	Fixture f;

	f.begin_session();
	EXPECT(f.peer->set_window(kModule, {1000, 65536}).ok());
	f.begin_session();
	f.begin_session();
	EXPECT_EQ(kModule, f.announced()); // once
	EXPECT_EQ(0, f.announced());
}

// --- receiving ---------------------------------------------------------------------

CCM_TEST(peer, give_back__is_told_when_it_is_worth_it)
{
	Fixture f;
	Wire wire(f);

	f.begin_session();
	EXPECT(f.peer->set_window(kModule, {1000, 65536}).ok());
	EXPECT_EQ(kModule, f.announced());
	Channel *channel = f.take_in(kModule, 20000);
	REQUIRE(channel != nullptr);
	(void)wire.marked();
	f.peer->give_back(*channel, 16383);
	EXPECT_EQ(0, f.announced());
	EXPECT(!wire.marked());
	f.peer->give_back(*channel, 1); // a quarter of the window
	EXPECT(wire.marked());
	EXPECT_EQ(kModule, f.announced());
	EXPECT_EQ(65536 + 16384, f.receive_limit(kModule).announced);
	EXPECT_EQ(20000 - 16384, f.held());
}

CCM_TEST(peer, give_back__without_a_connection)
{
	Fixture f;

	f.begin_session();
	EXPECT(f.peer->set_window(kModule, {1000, 65536}).ok());
	Channel *channel = f.take_in(kModule, 32768);
	REQUIRE(channel != nullptr);
	{
		Guard guard(f.peer->lock);
		channel->receive.tell();
	}
	f.peer->give_back(*channel, 32768);
	EXPECT(f.receive_limit(kModule).worth_telling());
	EXPECT_EQ(0, f.announced()); // the next session begins with it
	EXPECT_EQ(0, f.held());
}

CCM_TEST(peer, set_window__is_told_at_once)
{
	Fixture f;
	Wire wire(f);

	f.begin_session();
	EXPECT(f.peer->set_window(kModule, {1000, 65536}).ok());
	EXPECT(wire.marked());
	EXPECT_EQ(kModule, f.announced());
	EXPECT(f.peer->set_window(kModule, {1000, 4096}).ok());
	EXPECT(wire.marked());
	EXPECT_EQ(kModule, f.announced());
	EXPECT_EQ(65536, f.receive_limit(kModule).announced); // never less
}

CCM_TEST(peer, set_window__again_before_it_was_told)
{
	Fixture f;
	Wire wire(f);

	f.begin_session();
	EXPECT(f.peer->set_window(kModule, {1000, 65536}).ok());
	EXPECT(f.peer->set_window(kOther, {1000, 65536}).ok());
	EXPECT(f.peer->set_window(kModule, {1000, 131072}).ok());
	EXPECT_EQ(kModule, f.announced());
	EXPECT_EQ(kOther, f.announced());
	EXPECT_EQ(0, f.announced());
	EXPECT_EQ(131072, f.receive_limit(kModule).announced);
}

CCM_TEST(peer, set_window__what_hello_told_holds_until_then)
{
	Fixture f;
	Wire wire(f);

	// The peer may have sent to a number that we hear of only now.
	f.begin_session();
	EXPECT(f.peer->set_window(kModule, {1000, 65536}).ok());
	EXPECT(f.receive_limit(kModule).allows(2000));
	EXPECT(f.receive_limit(kModule).allows(kUnattached.window - 128));
	EXPECT(!f.receive_limit(kModule).allows(kUnattached.window));
}

CCM_TEST(peer, set_window__of_a_new_number_has_the_peers_limit)
{
	Fixture f;

	f.begin_session(512);
	f.set_state(CCM_STATE_UP);
	EXPECT(f.peer->set_window(kModule, {1000, 65536}).ok());
	EXPECT_EQ(0, f.send(1, 384));
	EXPECT_EQ(-EAGAIN, f.send(2, 0));
}

CCM_TEST(peer, set_window__without_memory)
{
	for (int nth = 1; nth <= 2; nth++) {
		Fixture f;
		OutOfMemory now(nth);

		EXPECT_EQ(ENOMEM,
			  f.peer->set_window(kModule, {1000, 65536}).error());
		EXPECT(f.peer->set_window(kModule, {1000, 65536}).ok());
	}
}

// --- to itself ---------------------------------------------------------------------

namespace {

// A node as its own peer, with a consumer of small means.
struct Self : Fixture {
	Self() : Fixture(true)
	{
		const ccm_limits limits{1000, 2048};

		if (!node || !peer)
			return;
		(void)node->attach(kModule, limits, nullptr);
		(void)peer->set_window(kModule, limits);
		(void)node->make_mailbox(kOther, MaySleep::Yes);
	}
	Mailbox &box(u32 module = kModule)
	{
		return *node->mailboxes.get(module);
	}
	u32 take()
	{
		Receiver receiver({.node = kNumber,
				   .type = 1,
				   .seqn = 0,
				   .any_node = false,
				   .any_seqn = true},
				  nullptr, 0);
		u32 size = 0;
		auto taken = box().take(receiver, &size);

		if (!taken.ok())
			return 0;
		Message *message = taken.value();
		u32 seqn = is_right(message) ? message->key.seqn : ~0u;
		uncharge(*message);
		Message::drop(message);
		return seqn;
	}
};

} // namespace

CCM_TEST(peer, self__is_up_and_delivers_at_once)
{
	Self f;

	EXPECT_EQ(0, f.send(1));
	EXPECT_EQ(0, f.send(2));
	EXPECT_EQ(2 * charge_of(10), f.held());
	EXPECT_EQ(0, f.queued());
	EXPECT_EQ(2, f.stats().messages_in);
	EXPECT_EQ(2, f.stats().messages_out);
	EXPECT_EQ(20, f.stats().bytes_in);
	EXPECT_EQ(1, f.take());
	EXPECT_EQ(2, f.take());
	EXPECT_EQ(0, f.take());
	EXPECT_EQ(0, f.held());
}

CCM_TEST(peer, self__keeps_to_its_own_limits)
{
	Self f;

	EXPECT_EQ(-EMSGSIZE, f.send(1, 1001));
	EXPECT_EQ(0, f.send(1, 1000 - 128)); // 1024
	EXPECT_EQ(0, f.send(2, 1000 - 128));
	EXPECT_EQ(2048, f.held());
	EXPECT_EQ(-EAGAIN, f.send(3, 0));
	EXPECT_EQ(1, f.take());
	EXPECT_EQ(0, f.send(3, 1000 - 128));
}

CCM_TEST(peer, self__waits_until_something_is_taken)
{
	Self f;

	EXPECT_EQ(0, f.send(1, 1000 - 128));
	EXPECT_EQ(0, f.send(2, 1000 - 128));
	Sending third(f, 3, 0);
	EXPECT(third.waits());
	EXPECT_EQ(1, f.take());
	EXPECT(third.thread.ends());
	EXPECT_EQ(0, third.result);
	EXPECT_EQ(2, f.take());
	EXPECT_EQ(3, f.take());
}

CCM_TEST(peer, self__waits_until_somebody_attaches)
{
	Self f;

	// Nobody's number holds a little.
	EXPECT_EQ(0, f.send(1, kUnattached.window - 128, kOther));
	Sending second(f, 2, 0, kOther);
	EXPECT(second.waits());
	EXPECT(f.peer->set_window(kOther, {1000, 65536}).ok());
	EXPECT(second.thread.ends());
	EXPECT_EQ(0, second.result);
}

// All that is kept for numbers that nobody has attached is taken, by others.
CCM_TEST(peer, self__waits_until_somebody_attaches_another)
{
	constexpr u32 kFirst = 100;
	constexpr u32 kLast = kFirst + kOrphansMax / kUnattached.window;
	Self f;

	for (u32 module = kFirst; module <= kLast + 1; module++)
		REQUIRE(f.node->make_mailbox(module, MaySleep::Yes));
	for (u32 module = kFirst; module < kLast; module++)
		EXPECT_EQ(0, f.send(1, kUnattached.window - 128, module));
	Sending one(f, 2, 0, kLast);
	EXPECT(one.waits());
	Sending other(f, 3, 0, kLast + 1);
	EXPECT(other.waits());
	EXPECT(f.peer->set_window(kFirst, {1000, 65536}).ok());
	EXPECT(one.thread.ends());
	EXPECT(other.thread.ends());
	EXPECT_EQ(0, one.result);
	EXPECT_EQ(0, other.result);
}

CCM_TEST(peer, self__straight_to_a_receiver)
{
	Self f;
	Receiver receiver({.node = kNumber,
			   .type = 1,
			   .seqn = 0,
			   .any_node = false,
			   .any_seqn = true},
			  nullptr, 0);

	EXPECT(f.box().post(receiver));
	EXPECT_EQ(0, f.send(1));
	REQUIRE(receiver.message != nullptr);
	EXPECT(is_right(receiver.message));
	EXPECT_EQ(charge_of(10), f.held()); // until it is taken
	uncharge(*receiver.message);
	EXPECT_EQ(0, f.held());
	Message::drop(receiver.message);
}

CCM_TEST(peer, self__a_queued_message_keeps_the_peer)
{
	Self f;

	EXPECT_EQ(0, f.send(1));
	f.peer->put();
	EXPECT(f.peer->get_live()); // the message has it still
	EXPECT_EQ(1, f.take());
}

// --- state -------------------------------------------------------------------------

CCM_TEST(peer, change__is_reported)
{
	Fixture f;
	ccm_peer_info info{};

	{
		Guard guard(f.peer->lock);
		f.peer->change_locked(CCM_STATE_DOWN, CCM_REASON_BROKEN,
				      ECONNRESET);
	}
	f.peer->report(info);
	EXPECT_EQ(kNumber, info.config.number);
	EXPECT(info.state == CCM_STATE_DOWN);
	EXPECT(info.reason == CCM_REASON_BROKEN);
	EXPECT_EQ(-ECONNRESET, info.error);
	EXPECT(!info.self);
	EXPECT(info.since_ms < 10000);
}

CCM_TEST(peer, change__wakes_those_who_wait_for_it)
{
	Fixture f;
	Background waiter([&] {
		(void)f.peer->changed.wait(
			[&] {
				Guard guard(f.peer->lock);
				return f.peer->state == CCM_STATE_UP;
			},
			CCM_FOREVER);
	});

	f.set_state(CCM_STATE_CONNECTING);
	EXPECT(waiter.goes_on());
	f.set_state(CCM_STATE_UP);
	EXPECT(waiter.ends());
}

CCM_TEST(peer, begin_closing__from_each_state)
{
	static const struct {
		ccm_state from;
		bool something_to_close;
		ccm_state to;
	} kCases[] = {
		{CCM_STATE_DOWN, false, CCM_STATE_DOWN},
		{CCM_STATE_CONNECTING, true, CCM_STATE_CONNECTING},
		{CCM_STATE_UP, true, CCM_STATE_CLOSING},
		{CCM_STATE_CLOSING, true, CCM_STATE_CLOSING},
	};

	for (auto &c : kCases) {
		Fixture f;

		f.set_state(c.from);
		f.peer->listening = true;
		EXPECT_EQ(c.something_to_close, f.peer->begin_closing());
		EXPECT(f.peer->state == c.to);
		EXPECT(!f.peer->listening);
	}
}

CCM_TEST(peer, begin_closing__keeps_what_was_accepted_and_takes_no_more)
{
	Fixture f;

	f.up(256);
	EXPECT_EQ(0, f.send(1));
	Sending second(f, 2, 10);
	EXPECT(second.waits());
	EXPECT(f.peer->begin_closing());
	EXPECT(second.thread.ends());
	EXPECT_EQ(-EHOSTDOWN, second.result);
	EXPECT_EQ(-EHOSTDOWN, f.send(3));
	EXPECT_EQ(1, f.transmit());
}

CCM_TEST(peer, put__frees_its_channels)
{
	long before = ccm_memory_count();
	{
		Fixture f;

		f.up();
		EXPECT_EQ(0, f.send(1, 10, CCM_MODULE_MAX));
		EXPECT_EQ(0, f.send(1, 10, 1));
	}
	EXPECT_EQ(before, ccm_memory_count());
}
