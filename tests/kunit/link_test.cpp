// SPDX-License-Identifier: GPL-2.0
// Connections: how they begin and end, and what a peer or a stranger may try.
#include "cluster.hpp"
#include "prover.hpp"
#include "raw.h"

#include "core/listener.hpp"
#include "core/wire.hpp"
#include "kernel/memory.h"

using namespace ccm;
using namespace ccm_testing;

namespace {

// Too large for a kernel's stack. Their content does not matter.
u8 bulk[8000];

// Node 2 awaits node 1, which this plays by hand, from node 1's address.
class Fake {
public:
	explicit Fake(ccm_test *test_, u32 from = 1) : test(test_)
	{
		const char name[] = "test";

		copy(hello.cluster, name, sizeof(name));
		header.source = 1;
		header.destination = 2;
		header.length = wire::kHelloSize;
		ccm_endpoint to = Cluster::endpoint_of(2, 4);
		raw = ccm_raw_connect(Cluster::net(from), &to);
	}
	~Fake()
	{
		if (raw)
			ccm_raw_close(raw, false);
	}
	void send(const wire::Header &frame)
	{
		u8 bytes[wire::kHeaderSize];

		wire::encode(frame, bytes);
		EXPECT_EQ(0, ccm_raw_send(raw, bytes, sizeof(bytes), 0));
	}
	void say_hello()
	{
		wire::HelloFrame bytes;

		compose(bytes);
		EXPECT_EQ(0, ccm_raw_send(raw, bytes, sizeof(bytes), 0));
	}
	void compose(wire::HelloFrame &bytes) const
	{
		u8 raw_header[wire::kHeaderSize];
		u8 raw_hello[wire::kHelloSize];

		wire::encode(header, raw_header);
		wire::encode(hello, raw_hello);
		copy(bytes, raw_header, sizeof(raw_header));
		copy(bytes + sizeof(raw_header), raw_hello, sizeof(raw_hello));
	}
	// Node 2's answer.
	bool hear_hello(wire::HelloFrame &bytes)
	{
		return hear(bytes, sizeof(bytes));
	}
	bool hear(u8 *bytes, size_t size)
	{
		for (size_t have = 0; have < size;) {
			int got = ccm_raw_receive(raw, bytes + have,
						  size - have, 8000);

			if (got <= 0)
				return false;
			have += static_cast<size_t>(got);
		}
		return true;
	}
	// Node 2 has told its proof and its limits: messages may be sent now.
	bool hear_ready()
	{
		u8 header_bytes[wire::kHeaderSize];
		u8 payload[wire::kHelloSize];

		for (;;) {
			if (!hear(header_bytes, sizeof(header_bytes)))
				return false;
			auto heard = wire::decode(header_bytes);
			if (!heard.ok() ||
			    heard.value().length > sizeof(payload))
				return false;
			if (heard.value().kind == wire::Kind::Ready)
				return true;
			if (!hear(payload, heard.value().length))
				return false;
		}
	}
	void send_proof(const u8 (&proof)[wire::kProofSize])
	{
		wire::Header frame = control(wire::Kind::Proof);

		frame.length = sizeof(proof);
		send(frame);
		(void)ccm_raw_send(raw, proof, sizeof(proof), 0);
	}
	// The proof that follows these greetings.
	template <size_t Size = sizeof(kSecret)>
	void prove(Role role = Role::Initiator,
		   const u8 (&secret)[Size] = kSecret)
	{
		wire::HelloFrame mine, theirs;
		u8 proof[wire::kProofSize];

		say_hello();
		compose(mine);
		EXPECT(hear_hello(theirs));
		EXPECT(ccm_testing::prove(role, mine, theirs, proof, secret));
		send_proof(proof);
	}
	// The same where node 2 may have closed it already.
	void try_hello()
	{
		if (!raw)
			return;
		wire::HelloFrame bytes;

		compose(bytes);
		(void)ccm_raw_send(raw, bytes, sizeof(bytes), 0);
	}
	// The whole handshake, as node 1 would do it.
	void join()
	{
		prove();
		send(control(wire::Kind::Ready));
		EXPECT(hear_ready());
	}
	static wire::Header control(wire::Kind kind)
	{
		return {.kind = kind, .source = 1, .destination = 2};
	}
	static wire::Header message(u32 size, u32 length, u64 sequence = 1)
	{
		wire::Header header = control(wire::Kind::Message);

		header.module = kModule;
		header.type = 1;
		header.seqn = 1;
		header.size = size;
		header.length = length;
		header.sequence = sequence;
		return header;
	}
	// Read what has come so far.
	void hear_out()
	{
		u8 bytes[256];

		while (ccm_raw_receive(raw, bytes, sizeof(bytes), 50) > 0)
			;
	}
	// Node 2 has closed it, without another word that matters.
	bool closed()
	{
		if (!raw)
			return true;
		u8 bytes[256];

		for (;;) {
			int got = ccm_raw_receive(raw, bytes, sizeof(bytes),
						  8000);

			if (got <= 0)
				return got != -EAGAIN;
		}
	}

	ccm_test *test;
	ccm_raw *raw;
	wire::Hello hello{.features = wire::kKeyed, .window = 16384};
	wire::Header header{.kind = wire::Kind::Hello};
};

// Nodes 1 to 3; 2 lets 1 in; 2 and 3 are connected and stay so.
class Door : public Cluster {
public:
	explicit Door(ccm_test *test_) : Cluster(test_, 3), test(test_)
	{
		attach_all();
		connect(2, 3);
		EXPECT_EQ(0, CCM_Listen_to(net(2), 1, 0));
	}
	~Door()
	{
		u32 got = 0;

		EXPECT_EQ(0, ccm_testing::send(3, 2, "4", 2, 77));
		EXPECT_EQ(2, receive(2, 3, &got, sizeof(got), 77));
		EXPECT(is(2, 3, CCM_STATE_UP));
	}

	ccm_test *test;
};

// While it is there the node's listener is in a handler, which another node called.
class Stall {
public:
	Stall(ccm_test *test_, u32 node, u32 caller) : test(test_), node_(node)
	{
		const ccm_call call{.node = node,
				    .module = kModule,
				    .function = 1,
				    .seqn = 1,
				    .flags = 0,
				    .timeout_ms = kSoon};

		EXPECT_EQ(0, CCM_regist(Cluster::net(node), kModule, 1,
					CCM_SHORT, wait, this));
		EXPECT_EQ(0, ccm_rcall_short(Cluster::net(caller), &call,
					     nullptr, 0));
		EXPECT(eventually([&] { return began_.load(); }));
	}
	~Stall()
	{
		end();
		EXPECT_EQ(0, CCM_unregist(Cluster::net(node_), kModule, 1));
	}
	void end()
	{
		ended_.store(true);
	}

	ccm_test *test;

private:
	static int wait(ccm_args *args, u32)
	{
		Stall &stall = *static_cast<Stall *>(args->context);

		stall.began_.store(true);
		while (!stall.ended_.load())
			ccm_test_sleep(5);
		return 0;
	}

	const u32 node_;
	Atomic<bool> began_, ended_;
};

} // namespace

// --- beginning and ending ---------------------------------------------------------

CCM_TEST(link, connect__and_close_says_goodbye)
{
	Cluster cluster(test, 2);

	cluster.connect_all();
	EXPECT(cluster.is(1, 2, CCM_STATE_UP));
	EXPECT_EQ(0, CCM_Close(cluster.net(1), 2, kSoon));
	EXPECT(cluster.is(1, 2, CCM_STATE_DOWN));
	EXPECT_EQ(CCM_REASON_ADMIN, cluster.peer(1, 2).reason);
	EXPECT(eventually([&] { return cluster.is(2, 1, CCM_STATE_DOWN); }));
	EXPECT_EQ(CCM_REASON_GOODBYE, cluster.peer(2, 1).reason);
	EXPECT_EQ(0, cluster.peer(2, 1).stats.breaks);
	// Once more, as node 2 still lets it in.
	EXPECT_EQ(0, CCM_Connect_to(cluster.net(1), 2, kSoon));
	EXPECT_EQ(2, cluster.peer(1, 2).stats.connects);
	EXPECT_EQ(0, CCM_Close(cluster.net(2), 1, kSoon));
	EXPECT(eventually([&] { return cluster.is(1, 2, CCM_STATE_DOWN); }));
	EXPECT(CCM_Connect_to(cluster.net(1), 2, kSoon) < 0);
}

CCM_TEST(link, connect__nobody_listens_there)
{
	Cluster cluster(test, 1);
	ccm_peer_config peer{.number = 4,
			     .remote = Cluster::endpoint_of(4, 4),
			     .policy = {}};
	char byte;

	EXPECT_EQ(0, Cluster::add_peer(1, peer));
	EXPECT_EQ(-ECONNREFUSED, CCM_Connect_to(cluster.net(1), 4, kSoon));
	EXPECT_EQ(CCM_REASON_FAILED, cluster.peer(1, 4).reason);
	EXPECT_EQ(-ECONNREFUSED, cluster.peer(1, 4).error);
	EXPECT_EQ(-EHOSTDOWN, send(1, 4, &byte, 1));
}

CCM_TEST(link, connect__no_such_host_times_out)
{
	Cluster cluster(test, 1);
	ccm_peer_config peer{.number = 9,
			     .remote = Cluster::endpoint_of(4, 4),
			     .policy = {.timeout_ms = CCM_TIMEOUT_MIN}};

	peer.remote.address[3] = 99; // nobody's
	EXPECT_EQ(0, Cluster::add_peer(1, peer));
	EXPECT(CCM_Connect_to(cluster.net(1), 9, 5 * kSoon) < 0);
	EXPECT(cluster.is(1, 9, CCM_STATE_DOWN));
}

CCM_TEST(link, connect__answered_by_silence_is_late)
{
	Cluster cluster(test, 1);
	ccm_endpoint there = Cluster::endpoint_of(2, 4);
	ccm_peer_config peer{.number = 2,
			     .remote = there,
			     .policy = {.timeout_ms = CCM_TIMEOUT_MIN}};
	ccm_raw *door = ccm_raw_listen(Cluster::net(2), &there);

	REQUIRE(door);
	EXPECT_EQ(0, Cluster::add_peer(1, peer));
	EXPECT_EQ(-ETIMEDOUT, CCM_Connect_to(cluster.net(1), 2, kSoon));
	EXPECT_EQ(CCM_REASON_LATE, cluster.peer(1, 2).reason);
	ccm_raw_close(door, true);
}

CCM_TEST(link, close__sends_what_was_accepted)
{
	constexpr u32 kCount = 500;
	Cluster cluster(test, 2);
	u32 got = ~0u;

	cluster.attach_all();
	cluster.connect_all();
	for (u32 i = 0; i < kCount; i++)
		EXPECT_EQ(0, send(1, 2, &i, sizeof(i), 1, i, CCM_NOWAIT));
	EXPECT_EQ(0, CCM_Close(cluster.net(1), 2, kSoon));
	EXPECT_EQ(0, cluster.peer(1, 2).stats.unsent);
	for (u32 i = 0; i < kCount; i++) {
		REQUIRE_EQ(sizeof(got), receive(2, 1, &got, sizeof(got), 1, i));
		EXPECT_EQ(i, got);
	}
	EXPECT_EQ(-EHOSTDOWN, receive(2, 1, &got, sizeof(got), 1, kCount));
	EXPECT_EQ(-EHOSTDOWN, send(1, 2, &got, sizeof(got)));
}

CCM_TEST(link, close__wakes_senders_and_receivers)
{
	const ccm_limits limits{.max_size = 4096, .window = 8192};
	Cluster cluster(test, 2);
	char got;
	int sent = 0, received = 0, any = 0;
	auto sender_body = [&] {
		while ((sent = send(1, 2, bulk, 4096)) == 0)
			;
	};
	auto receiver_body = [&] {
		received = receive(1, 2, &got, 1);
	};
	auto any_body = [&] {
		any = receive(1, CCM_ANY_NODE, &got, 1, 1, 1, 400);
	};

	cluster.attach_all(&limits);
	cluster.connect_all();
	Thread sender(sender_body), receiver(receiver_body), whoever(any_body);
	EXPECT(eventually([&] { return cluster.peer(1, 2).stats.waits == 1; }));
	EXPECT_EQ(0, CCM_Close(cluster.net(1), 2, kSoon));
	EXPECT(eventually([&] { return received && sent; }));
	sender.join();
	receiver.join();
	ccm_test_sleep(500); // the third is not concerned
	whoever.join();
	EXPECT_EQ(-EHOSTDOWN, sent);
	EXPECT_EQ(-EHOSTDOWN, received);
	EXPECT_EQ(-ETIMEDOUT, any);
}

CCM_TEST(link, delete__in_use)
{
	Cluster cluster(test, 3);
	char got;
	int result = 0;
	auto body = [&] {
		result = receive(1, 2, &got, 1, 9);
	};

	cluster.attach_all();
	cluster.connect_all();
	EXPECT_EQ(0, send(2, 1, "x", 1));
	Thread receiver(body);
	EXPECT_EQ(0, Cluster::delete_peer(1, 2));
	EXPECT_EQ(-ENODEV, Cluster::delete_peer(1, 2));
	EXPECT(eventually([&] { return result != 0; }));
	receiver.join();
	EXPECT(result == -EHOSTDOWN || result == -ENODEV);
	EXPECT_EQ(-ENODEV, send(1, 2, &got, 1));
	// What it had sent is still there.
	ccm_msg msg = wanted(CCM_ANY_NODE, &got, 1);
	EXPECT_EQ(1, CCM_brecv(cluster.net(1), &msg, 0, kSoon));
}

// --- a peer that breaks off or breaks the rules -------------------------------------

CCM_TEST(link, peer__joins_by_hand)
{
	Door door(test);
	char got[4] = {};
	{
		Fake fake(test);

		REQUIRE(fake.raw);
		fake.join();
		EXPECT(eventually([&] { return door.is(2, 1, CCM_STATE_UP); }));
		fake.send(Fake::message(3, 3));
		EXPECT_EQ(0, ccm_raw_send(fake.raw, "abc", 3, 0));
		EXPECT_EQ(3, receive(2, 1, got, sizeof(got)));
		EXPECT_EQ('c', got[2]);
	}
	EXPECT(eventually([&] { return door.is(2, 1, CCM_STATE_DOWN); }));
	EXPECT_EQ(CCM_REASON_BROKEN, door.peer(2, 1).reason);
	EXPECT_EQ(1, door.peer(2, 1).stats.breaks);
}

CCM_TEST(link, peer__last_words_and_the_end_at_once)
{
	Door door(test);
	char got[4];

	for (u32 round = 0; round < 10; round++) {
		Fake fake(test);

		REQUIRE(fake.raw);
		fake.join();
		REQUIRE(eventually(
			[&] { return door.is(2, 1, CCM_STATE_UP); }));
		fake.hear_out(); // else TCP ends it by a reset
		fake.send(Fake::message(3, 3));
		EXPECT_EQ(0, ccm_raw_send(fake.raw, "bye", 3, CCM_RAW_MORE));
		ccm_raw_close(fake.raw, false);
		fake.raw = nullptr;
		EXPECT(eventually(
			[&] { return door.is(2, 1, CCM_STATE_DOWN); }));
		EXPECT_EQ(3, receive(2, 1, got, sizeof(got)));
	}
}

CCM_TEST(link, peer__breaks_off_within_a_message)
{
	Door door(test);
	long before = ccm_memory_count();
	char got[100] = {};
	int result = 1;
	auto body = [&] {
		result = receive(2, CCM_ANY_NODE, got, sizeof(got), 1, 1, 700);
	};

	for (int posted = 0; posted < 2; posted++) {
		Fake fake(test);

		REQUIRE(fake.raw);
		fake.join();
		EXPECT(eventually([&] { return door.is(2, 1, CCM_STATE_UP); }));
		if (posted) {
			Thread receiver(body);

			ccm_test_sleep(100);
			fake.send(Fake::message(100, 100));
			EXPECT_EQ(0, ccm_raw_send(fake.raw, got, 50, 0));
			ccm_test_sleep(50);
			ccm_raw_close(fake.raw, true);
			fake.raw = nullptr;
			EXPECT(eventually(
				[&] { return door.is(2, 1, CCM_STATE_DOWN); }));
			ccm_test_sleep(800);
		} else {
			fake.send(Fake::message(100, 100));
			EXPECT_EQ(0, ccm_raw_send(fake.raw, got, 50, 0));
			ccm_test_sleep(50);
			ccm_raw_close(fake.raw, true);
			fake.raw = nullptr;
			EXPECT(eventually(
				[&] { return door.is(2, 1, CCM_STATE_DOWN); }));
		}
		EXPECT_EQ(0, door.peer(2, 1).queued_in);
	}
	EXPECT_EQ(-ETIMEDOUT, result);
	EXPECT(eventually([&] { return ccm_memory_count() <= before + 1; }));
}

// The nth thing that must not come after a handshake; false behind the last.
static bool offence(u32 nth, wire::Header &header)
{
	header = Fake::message(1, 1);
	switch (nth) {
	case 0: // an impossible size
		header.size = CCM_SIZE_MAX + 1;
		return true;
	case 1: // larger than it was told
		header.size = CCM_SIZE_MAX;
		return true;
	case 2: // more than the message has
		header.length = 2;
		return true;
	case 3: // a fragment of nothing
		header.length = 0;
		return true;
	case 4: // a fragment too large
		header.size = 100000;
		header.length = wire::kPayloadMax + 1;
		return true;
	case 5: // one left out
		header.sequence = 2;
		return true;
	case 6:
		header.sequence = 0;
		return true;
	case 7: // of a message that has not begun
		header.size = 10;
		header.offset = 5;
		return true;
	case 8:
		header.module = 0;
		return true;
	case 9: // another node's
		header.source = 3;
		return true;
	case 10:
		header.destination = 3;
		return true;
	case 11: // what was never sent
		header.acknowledged = 99;
		return true;
	case 12:
		header = Fake::control(wire::Kind::Ready);
		return true;
	case 13:
		header = Fake::control(wire::Kind::Hello);
		header.length = wire::kHelloSize;
		return true;
	case 14:
		header = Fake::control(static_cast<wire::Kind>(99));
		return true;
	case 15: // of no module
		header = Fake::control(wire::Kind::Limit);
		header.length = wire::kLimitSize;
		return true;
	}
	return false;
}

CCM_TEST(link, peer__breaks_the_protocol)
{
	Door door(test);
	wire::Header header{};

	for (u32 nth = 0; offence(nth, header); nth++) {
		Fake fake(test);

		REQUIRE(fake.raw);
		fake.join();
		EXPECT(eventually([&] { return door.is(2, 1, CCM_STATE_UP); }));
		fake.send(header);
		EXPECT(fake.closed());
		EXPECT(eventually(
			[&] { return door.is(2, 1, CCM_STATE_DOWN); }));
		EXPECT_EQ(CCM_REASON_PROTOCOL, door.peer(2, 1).reason);
		EXPECT_EQ(nth + 1, door.peer(2, 1).stats.garbage);
	}
}

CCM_TEST(link, peer__sends_more_than_it_may)
{
	Door door(test);
	Fake fake(test);
	u64 sequence = 0;

	REQUIRE(fake.raw);
	fake.join();
	EXPECT(eventually([&] { return door.is(2, 1, CCM_STATE_UP); }));
	// A number that nobody attached: two of them are the limit.
	for (int i = 0; i < 3; i++) {
		wire::Header header =
			Fake::message(sizeof(bulk), sizeof(bulk), ++sequence);

		header.module = kModule + 5;
		fake.send(header);
		(void)ccm_raw_send(fake.raw, bulk, sizeof(bulk), 0);
	}
	EXPECT(fake.closed());
	EXPECT(eventually([&] { return door.is(2, 1, CCM_STATE_DOWN); }));
	EXPECT_EQ(CCM_REASON_PROTOCOL, door.peer(2, 1).reason);
	EXPECT_EQ(16384, door.peer(2, 1).queued_in);
}

CCM_TEST(link, peer__sends_urgent_data)
{
	Door door(test);
	Fake fake(test);

	REQUIRE(fake.raw);
	fake.join();
	EXPECT(eventually([&] { return door.is(2, 1, CCM_STATE_UP); }));
	EXPECT_EQ(0, ccm_raw_send(fake.raw, "!", 1, CCM_RAW_URGENT));
	EXPECT(fake.closed());
	EXPECT(eventually([&] { return door.is(2, 1, CCM_STATE_DOWN); }));
	EXPECT_EQ(CCM_REASON_URGENT, door.peer(2, 1).reason);
}

CCM_TEST(link, peer__comes_again_and_replaces_the_stale)
{
	Door door(test);
	Fake stale(test);

	REQUIRE(stale.raw);
	stale.join();
	EXPECT(eventually([&] { return door.is(2, 1, CCM_STATE_UP); }));
	{
		Fake fresh(test);

		REQUIRE(fresh.raw);
		fresh.join();
		EXPECT(stale.closed());
		EXPECT(eventually(
			[&] { return door.peer(2, 1).stats.connects == 2; }));
		EXPECT(door.is(2, 1, CCM_STATE_UP));
		EXPECT_EQ(1, door.peer(2, 1).stats.replaced);
	}
}

CCM_TEST(link, peer__message_byte_by_byte)
{
	Door door(test);
	Fake fake(test);
	u8 bytes[wire::kHeaderSize + 5] = {};
	char got[8];

	REQUIRE(fake.raw);
	fake.join();
	EXPECT(eventually([&] { return door.is(2, 1, CCM_STATE_UP); }));
	u8 head[wire::kHeaderSize];
	wire::encode(Fake::message(5, 5), head);
	copy(bytes, head, sizeof(head));
	copy(bytes + sizeof(head), "12345", 5);
	for (u8 byte : bytes)
		EXPECT_EQ(0, ccm_raw_send(fake.raw, &byte, 1, 0));
	EXPECT_EQ(5, receive(2, 1, got, sizeof(got)));
	EXPECT_EQ(0, __builtin_memcmp(got, "12345", 5));
}

// --- strangers ----------------------------------------------------------------------

CCM_TEST(link, stranger__is_refused)
{
	Door door(test);
	ccm_node_stats before = Cluster::stats(2);
	struct {
		u16 source, destination;
		char cluster;
		u32 from; // whose address
	} const cases[] = {
		{9, 2, 't', 1}, // unknown node
		{1, 2, 't', 4}, // known node, another's address
		{1, 3, 't', 1}, // for somebody else
		{1, 2, 'x', 1}, // another cluster
		{2, 2, 't', 1}, // says to be node 2 itself
		{3, 2, 't', 3}, // the higher number does not connect
	};
	u64 refused = before.refused;

	for (const auto &c : cases) {
		Fake fake(test, c.from);

		fake.header.source = c.source;
		fake.header.destination = c.destination;
		fake.hello.cluster[0] = c.cluster;
		fake.try_hello();
		EXPECT(fake.closed());
		refused++;
		EXPECT(eventually(
			[&] { return Cluster::stats(2).refused == refused; }));
		EXPECT(!door.is(2, 1, CCM_STATE_UP));
	}
	EXPECT_EQ(before.strangers + 6, Cluster::stats(2).strangers);
}

CCM_TEST(link, stranger__not_wanted_now)
{
	Door door(test);
	Fake fake(test);

	REQUIRE(fake.raw);
	EXPECT_EQ(0, CCM_Close(door.net(2), 1, kSoon));
	fake.try_hello();
	EXPECT(fake.closed());
	EXPECT(door.is(2, 1, CCM_STATE_DOWN));
}

CCM_TEST(link, stranger__sends_garbage)
{
	Door door(test);
	ccm_node_stats before = Cluster::stats(2);
	u8 version[wire::kHeaderSize], magic[wire::kHeaderSize];
	u8 noise[300];

	wire::encode(Fake::control(wire::Kind::Ready), version);
	wire::encode(Fake::control(wire::Kind::Ready), magic);
	version[2] = 2;
	magic[0] = 'X';
	ccm_random(noise, sizeof(noise));
	noise[0] = 0;
	{
		Fake a(test), b(test), c(test), d(test);

		EXPECT_EQ(0, ccm_raw_send(a.raw, version, sizeof(version), 0));
		EXPECT_EQ(0, ccm_raw_send(b.raw, magic, sizeof(magic), 0));
		EXPECT_EQ(0, ccm_raw_send(c.raw, noise, sizeof(noise), 0));
		d.send(Fake::control(wire::Kind::Ready)); // no Hello first
		EXPECT(a.closed());
		EXPECT(b.closed());
		EXPECT(c.closed());
		EXPECT(d.closed());
	}
	EXPECT_EQ(before.garbage + 4, Cluster::stats(2).garbage);
}

CCM_TEST(link, stranger__says_nothing_or_half)
{
	Door door(test);
	ccm_node_stats before = Cluster::stats(2);
	Fake silent(test), half(test);

	REQUIRE(silent.raw && half.raw);
	EXPECT_EQ(0, ccm_raw_send(half.raw, "CC", 2, 0));
	EXPECT(silent.closed());
	EXPECT(half.closed());
	EXPECT_EQ(before.late + 2, Cluster::stats(2).late);
}

// Many at once from where a member may come from; less than the backlog each time,
// so that TCP drops none.
CCM_TEST(link, stranger__crowds_are_bounded)
{
	Door door(test);
	ccm_node_stats before = Cluster::stats(2);
	u64 began_ms = ccm_now_ms();
	ccm_endpoint to = Cluster::endpoint_of(2, 4);
	constexpr u32 kMany = kPlacesEach + 8;
	static ccm_raw *crowd[kMany];

	for (u32 i = 0; i < kMany; i++) {
		u64 accepted = Cluster::stats(2).accepted;

		// None if it is closed before this returns.
		crowd[i] = ccm_raw_connect(Cluster::net(1), &to);
		EXPECT(eventually(
			[&] { return Cluster::stats(2).accepted > accepted; }));
	}
	EXPECT(eventually([&] {
		ccm_node_stats now = Cluster::stats(2);

		return now.accepted - before.accepted <=
		       now.refused - before.refused + kPlacesEach;
	}));
	// On a slow machine the first are late before the last have come.
	if (ccm_now_ms() - began_ms < kHandshakeMs)
		EXPECT(eventually([&] {
			return Cluster::stats(2).crowded >=
			       before.crowded + kMany - kPlacesEach;
		}));
	// They keep no member out.
	EXPECT_EQ(0, CCM_Connect_to(door.net(1), 2, kSoon));
	for (ccm_raw *&one : crowd) {
		if (one)
			ccm_raw_close(one, true);
		one = nullptr;
	}
}

// Others may take such a connection over, and keep what they find there for longer than
// this module lasts.
CCM_TEST(link, stranger__has_no_callback_of_ours_until_accepted)
{
	Door cluster(test);
	Stall stall(test, 2, 3);
	Fake fake(test);

	REQUIRE(fake.raw);
	EXPECT_EQ(0, ccm_raw_callbacks(fake.raw, Cluster::net(2), true));
	EXPECT_EQ(0, ccm_raw_callbacks(fake.raw, Cluster::net(2), false));
	stall.end();
	EXPECT(eventually([&] {
		return ccm_raw_callbacks(fake.raw, Cluster::net(2), false) == 3;
	}));
	EXPECT_EQ(0, ccm_raw_callbacks(fake.raw, Cluster::net(2), true));
}

CCM_TEST(link, stranger__from_elsewhere_takes_no_place)
{
	Door door(test);
	ccm_node_stats before = Cluster::stats(2);
	ccm_endpoint to = Cluster::endpoint_of(2, 4);

	for (u32 i = 0; i < 10; i++) {
		ccm_raw *stranger = ccm_raw_connect(Cluster::net(4), &to);
		char byte;

		if (!stranger)
			continue; // closed before it returned
		EXPECT(ccm_raw_receive(stranger, &byte, 1, 5000) <= 0);
		ccm_raw_close(stranger, true);
	}
	EXPECT(eventually([&] {
		return Cluster::stats(2).strangers == before.strangers + 10;
	}));
	EXPECT_EQ(before.crowded, Cluster::stats(2).crowded);
}

// --- waiting for a connection -----------------------------------------------------------

CCM_TEST(link, listen__ends_when_the_peer_is_closed_or_deleted)
{
	Cluster cluster(test, 2);
	int closed = 0, deleted = 0;
	auto closed_body = [&] {
		closed = CCM_Listen_to(cluster.net(2), 1, CCM_FOREVER);
	};
	auto deleted_body = [&] {
		deleted = CCM_Listen_to(cluster.net(2), 1, CCM_FOREVER);
	};

	{
		Thread waiting(closed_body);
		ccm_test_sleep(100);
		EXPECT_EQ(0, CCM_Close(cluster.net(2), 1, kSoon));
		EXPECT(eventually([&] { return closed != 0; }));
	}
	{
		Thread waiting(deleted_body);
		ccm_test_sleep(100);
		EXPECT_EQ(0, Cluster::delete_peer(2, 1));
		EXPECT(eventually([&] { return deleted != 0; }));
	}
	EXPECT_EQ(-ECANCELED, closed);
	EXPECT_EQ(-ENODEV, deleted);
}

CCM_TEST(link, close__during_the_handshake)
{
	Cluster cluster(test, 2);

	EXPECT_EQ(0, CCM_Listen_to(cluster.net(2), 1, 0));
	for (u32 round = 0; round < 40; round++) {
		EXPECT_EQ(0, CCM_Connect_to(cluster.net(1), 2, 0));
		for (u32 spin = 0; spin < round; spin++)
			ccm_yield();
		EXPECT_EQ(0, CCM_Close(cluster.net(1), 2, kSoon));
		EXPECT(cluster.is(1, 2, CCM_STATE_DOWN));
		EXPECT_EQ(CCM_REASON_ADMIN, cluster.peer(1, 2).reason);
	}
	EXPECT_EQ(0, cluster.peer(1, 2).stats.breaks);
}
