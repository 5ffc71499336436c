// SPDX-License-Identifier: GPL-2.0
// Sending and receiving between nodes: the contract of include/ccm/ccm.h.
#include "buffer.hpp"
#include "cluster.hpp"

#include "core/message.hpp"
#include "kernel/memory.h"
#include "support/atomic.hpp"
#include "support/errno.hpp"

using namespace ccm;
using namespace ccm_testing;

namespace {

ccm_consumer_info consumer(u32 node)
{
	ccm_consumer_info info{};

	Cluster::consumer(node, kModule, &info);
	return info;
}

bool asleep(u32 node, u32 receivers)
{
	return eventually(
		[&] { return consumer(node).receivers == receivers; });
}

bool queued(u32 node, u64 messages)
{
	return eventually([&] { return consumer(node).messages == messages; });
}

} // namespace

CCM_TEST(api, send__every_size_arrives_whole)
{
	const u32 sizes[] = {0,	    1,	   47,	  48,	  4096,	  8064,
			     65487, 65488, 65489, 130976, 1 << 20};
	Cluster cluster(test, 2);
	Buffer sent(1 << 20), got(1 << 20);

	cluster.attach_all();
	cluster.connect_all();
	for (u32 size : sizes) {
		sent.fill(size);
		REQUIRE_EQ(0, send(1, 2, sent.data, size));
		EXPECT_EQ(size, receive(2, 1, got.data, got.size));
		EXPECT(got.holds(size, size));
		REQUIRE_EQ(0, send(2, 1, sent.data, size));
		EXPECT_EQ(size, receive(1, 2, got.data, got.size));
		EXPECT(got.holds(size, size));
	}
}

CCM_TEST(api, send__every_size_into_a_posted_buffer)
{
	const u32 sizes[] = {0, 1, 4096, 65488, 65489, 300000, 1 << 20};
	Cluster cluster(test, 2);
	Buffer sent(1 << 20), got(1 << 20);

	cluster.attach_all();
	cluster.connect_all();
	for (u32 size : sizes) {
		int result = -1;
		auto body = [&] {
			result = receive(2, 1, got.data, got.size);
		};
		Thread receiver(body);

		sent.fill(size + 1);
		REQUIRE(asleep(2, 1));
		REQUIRE_EQ(0, send(1, 2, sent.data, size));
		EXPECT(eventually([&] { return consumer(2).receivers == 0; }));
		receiver.join();
		EXPECT_EQ(size, result);
		EXPECT(got.holds(size + 1, size));
	}
}

CCM_TEST(api, send__largest_message)
{
	const ccm_limits limits{.max_size = CCM_SIZE_MAX, .window = 0};
	Cluster cluster(test, 2);
	Buffer sent(CCM_SIZE_MAX);
	ccm_msg msg = wanted(1, nullptr, 0);

	cluster.attach_all(&limits);
	cluster.connect_all();
	sent.fill(3);
	// The limit is told by then, or this waits for it.
	REQUIRE(eventually(
		[&] { return send(1, 2, sent.data, sent.size) == 0; }));
	REQUIRE_EQ(CCM_SIZE_MAX,
		   CCM_brecv(cluster.net(2), &msg, CCM_HANDOVER, 60000));
	EXPECT_EQ(0, __builtin_memcmp(sent.data, msg.data, sent.size));
	CCM_free(&msg);
	EXPECT(msg.data == nullptr);
}

CCM_TEST(api, send__over_ipv6)
{
	Cluster cluster(test, 2, 6);
	char got[8] = {};

	cluster.attach_all();
	cluster.connect_all();
	REQUIRE_EQ(0, send(2, 1, "six", 4));
	EXPECT_EQ(4, receive(1, 2, got, sizeof(got)));
}

CCM_TEST(api, send__to_itself)
{
	Cluster cluster(test, 1);
	char got[8] = {};

	cluster.attach_all();
	REQUIRE_EQ(0, send(1, 1, "self", 5));
	EXPECT_EQ(5, receive(1, 1, got, sizeof(got)));
	EXPECT_EQ(0, __builtin_memcmp(got, "self", 5));
}

CCM_TEST(api, send__without_waiting_is_sent_by_the_listener)
{
	Cluster cluster(test, 2);
	u32 got = 0;

	cluster.attach_all();
	cluster.connect_all();
	for (u32 i = 0; i < 100; i++)
		EXPECT_EQ(0, send(1, 2, &i, sizeof(i), 1, i, CCM_NOWAIT));
	for (u32 i = 0; i < 100; i++) {
		EXPECT_EQ(sizeof(got), receive(2, 1, &got, sizeof(got), 1, i));
		EXPECT_EQ(i, got);
	}
}

CCM_TEST(api, send__without_waiting_in_atomic_context)
{
	Cluster cluster(test, 2);
	char got[8];

	cluster.attach_all();
	cluster.connect_all();
	ccm_test_atomic_begin();
	int result = send(1, 2, "atomic", 7, 1, 1, CCM_NOWAIT);
	ccm_test_atomic_end();
	EXPECT_EQ(0, result);
	EXPECT_EQ(7, receive(2, 1, got, sizeof(got)));
}

CCM_TEST(api, send__order_is_kept_with_many_senders)
{
	constexpr u32 kCount = 300;
	Cluster cluster(test, 3);
	u32 next[4] = {};
	auto sender = [](u32 from) {
		for (u32 i = 0; i < kCount; i++)
			(void)send(from, 3, &i, sizeof(i));
	};
	auto one = [&] {
		sender(1);
	};
	auto two = [&] {
		sender(2);
	};

	cluster.attach_all();
	cluster.connect_all();
	Thread first(one), second(two);
	for (u32 i = 0; i < 2 * kCount; i++) {
		u32 got = ~0u;
		ccm_msg msg = wanted(CCM_ANY_NODE, &got, sizeof(got));

		REQUIRE_EQ(sizeof(got),
			   CCM_brecv(cluster.net(3), &msg, 0, kSoon));
		REQUIRE(msg.node == 1 || msg.node == 2);
		EXPECT_EQ(next[msg.node], got);
		next[msg.node]++;
	}
}

// --- what a receiver asks for ---------------------------------------------------

CCM_TEST(api, receive__picks_by_type_and_seqn)
{
	Cluster cluster(test, 2);
	char got = 0;
	ccm_msg any = wanted(1, &got, 1, 2, 0);

	cluster.attach_all();
	cluster.connect_all();
	EXPECT_EQ(0, send(1, 2, "a", 1, 1, 1));
	EXPECT_EQ(0, send(1, 2, "b", 1, 1, 2));
	EXPECT_EQ(0, send(1, 2, "c", 1, 2, 9));
	EXPECT_EQ(1, receive(2, 1, &got, 1, 1, 2));
	EXPECT_EQ('b', got);
	EXPECT_EQ(1, CCM_brecv(cluster.net(2), &any, CCM_NOSEQ, kSoon));
	EXPECT_EQ('c', got);
	EXPECT_EQ(9, any.seqn);
	EXPECT_EQ(1, receive(2, 1, &got, 1, 1, 1));
	EXPECT_EQ('a', got);
}

CCM_TEST(api, receive__too_small_keeps_the_message)
{
	Cluster cluster(test, 2);
	char got[8];
	ccm_msg msg = wanted(1, got, 2);

	cluster.attach_all();
	cluster.connect_all();
	EXPECT_EQ(0, send(1, 2, "12345", 5));
	EXPECT_EQ(-EMSGSIZE, CCM_brecv(cluster.net(2), &msg, 0, kSoon));
	EXPECT_EQ(5, msg.size);
	msg.size = 4;
	EXPECT_EQ(-EMSGSIZE, CCM_arecv(cluster.net(2), &msg, 0));
	EXPECT_EQ(5, receive(2, 1, got, sizeof(got)));
}

CCM_TEST(api, receive__too_small_while_waiting)
{
	Cluster cluster(test, 2);
	char got[8];
	int result = 0;
	ccm_msg msg = wanted(1, got, 2);
	auto body = [&] {
		result = CCM_brecv(cluster.net(2), &msg, 0, kSoon);
	};

	cluster.attach_all();
	cluster.connect_all();
	Thread receiver(body);
	REQUIRE(asleep(2, 1));
	EXPECT_EQ(0, send(1, 2, "12345", 5));
	EXPECT(asleep(2, 0));
	receiver.join();
	EXPECT_EQ(-EMSGSIZE, result);
	EXPECT_EQ(5, msg.size);
	EXPECT_EQ(5, receive(2, 1, got, sizeof(got)));
}

CCM_TEST(api, receive__first_come_first_served)
{
	Cluster cluster(test, 2);
	char got[2] = {};
	auto first_body = [&] {
		(void)receive(2, 1, &got[0], 1);
	};
	auto second_body = [&] {
		(void)receive(2, 1, &got[1], 1);
	};

	cluster.attach_all();
	cluster.connect_all();
	Thread first(first_body);
	REQUIRE(asleep(2, 1));
	Thread second(second_body);
	REQUIRE(asleep(2, 2));
	EXPECT_EQ(0, send(1, 2, "1", 1));
	EXPECT_EQ(0, send(1, 2, "2", 1));
	EXPECT(asleep(2, 0));
	first.join();
	second.join();
	EXPECT_EQ('1', got[0]);
	EXPECT_EQ('2', got[1]);
}

CCM_TEST(api, receive__does_not_wait)
{
	Cluster cluster(test, 2);
	char got;
	ccm_msg msg = wanted(1, &got, 1);
	ccm_msg any = wanted(CCM_ANY_NODE, &got, 1);

	cluster.attach_all();
	EXPECT_EQ(-EAGAIN, CCM_arecv(cluster.net(2), &any, 0));
	EXPECT_EQ(-EHOSTDOWN, CCM_arecv(cluster.net(2), &msg, 0));
	cluster.connect_all();
	EXPECT_EQ(-EAGAIN, CCM_arecv(cluster.net(2), &msg, 0));
	EXPECT_EQ(0, send(1, 2, "x", 1));
	REQUIRE(queued(2, 1));
	EXPECT_EQ(1, CCM_arecv(cluster.net(2), &msg, 0));
}

CCM_TEST(api, receive__times_out)
{
	Cluster cluster(test, 2);
	char got;

	cluster.attach_all();
	cluster.connect_all();
	EXPECT_EQ(-ETIMEDOUT, receive(2, 1, &got, 1, 1, 1, 50));
	EXPECT_EQ(0, consumer(2).receivers);
}

CCM_TEST(api, receive__ends_when_its_thread_is_stopped)
{
	Cluster cluster(test, 2);
	char got;
	int result = 0;
	auto body = [&] {
		result = receive(2, 1, &got, 1, 1, 1, CCM_FOREVER);
	};

	cluster.attach_all();
	cluster.connect_all();
	Thread receiver(body);
	REQUIRE(asleep(2, 1));
	receiver.join();
	EXPECT_EQ(-EINTR, result);
	EXPECT_EQ(0, consumer(2).receivers);
}

CCM_TEST(api, receive__ends_by_a_signal)
{
	Cluster cluster(test, 2);
	char got;
	int result = 0;
	Atomic<void *> thread;
	auto body = [&] {
		thread.store(ccm_test_me());
		result = receive(2, 1, &got, 1, 1, 1, CCM_FOREVER);
	};

	cluster.attach_all();
	cluster.connect_all();
	Thread receiver(body);
	REQUIRE(asleep(2, 1));
	ccm_test_signal(thread.load());
	EXPECT(asleep(2, 0));
	receiver.join();
	EXPECT_EQ(-ERESTARTSYS, result);
}

CCM_TEST(api, receive__is_cancelled)
{
	Cluster cluster(test, 2);
	char got;
	int result = 0, other_result = 0;
	ccm_msg which = wanted(1, nullptr, 0, 1, 5);
	auto body = [&] {
		result = receive(2, 1, &got, 1, 1, 5, CCM_FOREVER);
	};
	auto other_body = [&] {
		other_result = receive(2, 1, &got, 1, 1, 6, 300);
	};

	cluster.attach_all();
	cluster.connect_all();
	Thread receiver(body), other(other_body);
	REQUIRE(asleep(2, 2));
	EXPECT_EQ(1, CCM_cancel(cluster.net(2), &which, 0));
	EXPECT(asleep(2, 0));
	receiver.join();
	other.join();
	EXPECT_EQ(-ECANCELED, result);
	EXPECT_EQ(-ETIMEDOUT, other_result);
}

CCM_TEST(api, receive__cancelled_while_its_message_arrives)
{
	Cluster cluster(test, 2);
	Buffer sent(1 << 20), got(1 << 20);
	u32 kept = 0;

	cluster.attach_all();
	cluster.connect_all();
	for (u32 round = 0; round < 20; round++) {
		int result = 0;
		ccm_msg which = wanted(1, nullptr, 0);
		auto body = [&] {
			result = receive(2, 1, got.data, got.size);
		};
		auto send_body = [&] {
			(void)send(1, 2, sent.data, sent.size);
		};

		sent.fill(round);
		Thread receiver(body);
		REQUIRE(asleep(2, 1));
		Thread sender(send_body);
		for (u32 spin = 0; spin < round * 20; spin++)
			ccm_yield();
		(void)CCM_cancel(cluster.net(2), &which, 0);
		EXPECT(asleep(2, 0));
		receiver.join();
		if (result == -ECANCELED) {
			kept++;
			result = receive(2, 1, got.data, got.size);
		}
		EXPECT_EQ(sent.size, result);
		EXPECT(got.holds(round, got.size));
		sender.join();
	}
	EXPECT(kept > 0);
}

CCM_TEST(api, receive__by_pointer)
{
	Cluster cluster(test, 2);
	ccm_msg msg = wanted(CCM_ANY_NODE, nullptr, 0);

	cluster.attach_all();
	cluster.connect_all();
	EXPECT_EQ(0, send(1, 2, "pointer", 8, 1, 1));
	REQUIRE_EQ(8, CCM_brecv(cluster.net(2), &msg, CCM_HANDOVER, kSoon));
	EXPECT_EQ(1, msg.node);
	EXPECT_EQ(0, __builtin_memcmp(msg.data, "pointer", 8));
	CCM_free(&msg);
	CCM_free(&msg);
}

// --- flow limits -----------------------------------------------------------------

CCM_TEST(api, limit__stops_the_sender_and_nobody_else)
{
	const ccm_limits limits{.max_size = 4096, .window = 64 * 1024};
	const u64 charge = charge_of(4096);
	Cluster cluster(test, 3);
	Buffer data(4096);
	u32 sent = 0;
	char got[8];

	cluster.attach_all(&limits);
	EXPECT_EQ(0, ccm_attach_owner(cluster.net(2), kModule + 1, nullptr,
				      nullptr));
	cluster.connect_all();
	while (sent < 1000 &&
	       send(1, 2, data.data, 4096, 1, 1, CCM_NOWAIT) == 0)
		sent++;
	EXPECT_EQ(64 * 1024 / charge, sent);
	REQUIRE(queued(2, sent));
	EXPECT(consumer(2).queued <= limits.window);
	// Another consumer of the same pair of nodes, and another node, go on.
	ccm_msg other{.node = 2,
		      .module = kModule + 1,
		      .type = 1,
		      .seqn = 1,
		      .size = 2,
		      .data = const_cast<char *>("o")};
	EXPECT_EQ(0, CCM_bsend(cluster.net(1), &other, 0, kSoon));
	other.data = got;
	other.node = 1;
	EXPECT_EQ(2, CCM_brecv(cluster.net(2), &other, 0, kSoon));
	EXPECT_EQ(0, send(3, 2, "3", 2));
	EXPECT_EQ(2, receive(2, 3, got, sizeof(got)));
	EXPECT_EQ(0, send(1, 3, "3", 2));
	EXPECT_EQ(2, receive(3, 1, got, sizeof(got)));
	// Room comes back as messages are taken.
	EXPECT_EQ(-ETIMEDOUT, send(1, 2, data.data, 4096, 1, 1, 0, 50));
	for (u32 i = 0; i < sent; i++)
		EXPECT_EQ(4096, receive(2, 1, data.data, 4096));
	EXPECT_EQ(0, send(1, 2, data.data, 4096));
	EXPECT_EQ(4096, receive(2, 1, data.data, 4096));
	EXPECT_EQ(0, CCM_detach(cluster.net(2), kModule + 1));
}

CCM_TEST(api, limit__a_waiting_sender_goes_on)
{
	const ccm_limits limits{.max_size = 4096, .window = 16 * 1024};
	constexpr u32 kCount = 200;
	Cluster cluster(test, 2);
	Buffer data(4096);
	u32 failed = 0;
	auto body = [&] {
		for (u32 i = 0; i < kCount; i++) {
			*reinterpret_cast<u32 *>(data.data) = i;
			failed += send(1, 2, data.data, 4096) != 0;
		}
	};
	Buffer got(4096);

	cluster.attach_all(&limits);
	cluster.connect_all();
	Thread sender(body);
	for (u32 i = 0; i < kCount; i++) {
		REQUIRE_EQ(4096, receive(2, 1, got.data, 4096));
		EXPECT_EQ(i, *reinterpret_cast<u32 *>(got.data));
		EXPECT(consumer(2).queued <= limits.window);
	}
	sender.join();
	EXPECT_EQ(0, failed);
	EXPECT(cluster.peer(1, 2).stats.waits > 0);
}

CCM_TEST(api, limit__nobody_attached_holds_little_then_waits)
{
	Cluster cluster(test, 2);
	char got[100] = {};
	u32 sent = 0;

	cluster.connect_all();
	while (sent < 1000 && send(1, 2, got, 100, 1, 1, CCM_NOWAIT) == 0)
		sent++;
	EXPECT(sent > 0);
	EXPECT(sent * charge_of(100) <= 16 * 1024);
	// Who attaches finds them, and the sender has room again.
	cluster.attach_all();
	for (u32 i = 0; i < sent; i++)
		EXPECT_EQ(100, receive(2, 1, got, sizeof(got)));
	EXPECT_EQ(0, send(1, 2, got, 100));
	EXPECT_EQ(100, receive(2, 1, got, sizeof(got)));
}

CCM_TEST(api, limit__too_large_for_the_receiver)
{
	const ccm_limits limits{.max_size = 1000, .window = 0};
	Cluster cluster(test, 2);
	Buffer data(1001);

	cluster.attach_all(&limits);
	cluster.connect_all();
	EXPECT_EQ(0, send(1, 2, data.data, 1000));
	EXPECT_EQ(-EMSGSIZE, send(1, 2, data.data, 1001));
	EXPECT_EQ(-EMSGSIZE, send(1, 1, data.data, 1001));
}

CCM_TEST(api, limit__of_messages_to_itself)
{
	const ccm_limits limits{.max_size = 4096, .window = 64 * 1024};
	Cluster cluster(test, 1);
	Buffer data(4096);
	u32 sent = 0;
	int late = -1;
	auto body = [&] {
		late = send(1, 1, data.data, 4096);
	};

	cluster.attach_all(&limits);
	while (sent < 1000 &&
	       send(1, 1, data.data, 4096, 1, 1, CCM_NOWAIT) == 0)
		sent++;
	EXPECT_EQ(64 * 1024 / charge_of(4096), sent);
	Thread sender(body);
	for (u32 i = 0; i <= sent; i++)
		EXPECT_EQ(4096, receive(1, 1, data.data, 4096));
	sender.join();
	EXPECT_EQ(0, late);
}

// --- attach and detach -------------------------------------------------------------

CCM_TEST(api, detach__wakes_receivers_and_empties_the_queue)
{
	Cluster cluster(test, 2);
	char got;
	int result = 0;
	auto body = [&] {
		result = receive(2, 1, &got, 1, 9, 9, CCM_FOREVER);
	};

	cluster.attach_all();
	cluster.connect_all();
	Thread receiver(body);
	REQUIRE(asleep(2, 1));
	EXPECT_EQ(0, send(1, 2, "x", 1));
	REQUIRE(queued(2, 1));
	EXPECT_EQ(0, CCM_detach(cluster.net(2), kModule));
	receiver.join();
	EXPECT_EQ(-ESHUTDOWN, result);
	EXPECT_EQ(0, consumer(2).messages);
	EXPECT_EQ(0, cluster.peer(2, 1).queued_in);
	EXPECT_EQ(-ENOENT, receive(2, 1, &got, 1));
	EXPECT_EQ(-ENOENT, CCM_detach(cluster.net(2), kModule));
	EXPECT_EQ(0,
		  ccm_attach_owner(cluster.net(2), kModule, nullptr, nullptr));
}

CCM_TEST(api, attach__before_the_node_has_a_number)
{
	EXPECT_EQ(0, ccm_attach_owner(ccm_test_net(1), kModule + 2, nullptr,
				      nullptr));
	EXPECT_EQ(-EBUSY, ccm_attach_owner(ccm_test_net(1), kModule + 2,
					   nullptr, nullptr));
	EXPECT_EQ(-ENOTCONN, CCM_node(ccm_test_net(1)));
	{
		Cluster cluster(test, 2);
		ccm_msg msg{.node = 1,
			    .module = kModule + 2,
			    .type = 1,
			    .seqn = 1,
			    .size = 3,
			    .data = const_cast<char *>("ok")};
		char got[4];

		EXPECT_EQ(1, CCM_node(cluster.net(1)));
		cluster.connect_all();
		EXPECT_EQ(0, CCM_bsend(cluster.net(2), &msg, 0, kSoon));
		msg.node = 2;
		msg.data = got;
		EXPECT_EQ(3, CCM_brecv(cluster.net(1), &msg, 0, kSoon));
	}
	EXPECT_EQ(0, CCM_detach(ccm_test_net(1), kModule + 2));
}

// --- bad arguments -------------------------------------------------------------------

CCM_TEST(api, bad__arguments_of_send)
{
	Cluster cluster(test, 1);
	char byte = 0;
	const struct {
		ccm_msg msg;
		unsigned int flags;
		int result;
	} cases[] = {
		{{0, kModule, 1, 1, 1, &byte}, 0, -EINVAL},
		{{CCM_NODE_MAX + 1, kModule, 1, 1, 1, &byte}, 0, -EINVAL},
		{{CCM_ANY_NODE, kModule, 1, 1, 1, &byte}, 0, -EINVAL},
		{{1, 0, 1, 1, 1, &byte}, 0, -EINVAL},
		{{1, CCM_MODULE_MAX + 1, 1, 1, 1, &byte}, 0, -EINVAL},
		{{1, kModule, 1, 1, 1, nullptr}, 0, -EINVAL},
		{{1, kModule, 1, 1, 1, &byte}, CCM_NOSEQ, -EINVAL},
		{{1, kModule, 1, 1, 1, &byte}, 0x80000000u, -EINVAL},
		{{1, kModule, 1, 1, CCM_SIZE_MAX + 1, &byte}, 0, -EMSGSIZE},
		{{1, kModule, 1, 1, ~size_t{0}, &byte}, 0, -EMSGSIZE},
		{{9, kModule, 1, 1, 1, &byte}, 0, -ENODEV},
	};

	for (const auto &c : cases)
		EXPECT_EQ(c.result,
			  CCM_bsend(cluster.net(1), &c.msg, c.flags, 0));
	EXPECT_EQ(-EINVAL, CCM_bsend(nullptr, &cases[0].msg, 0, 0));
	EXPECT_EQ(-EINVAL, CCM_bsend(cluster.net(1), nullptr, 0, 0));
}

CCM_TEST(api, bad__arguments_of_receive)
{
	Cluster cluster(test, 1);
	char byte = 0;
	const struct {
		ccm_msg msg;
		unsigned int flags;
		int result;
	} cases[] = {
		{{0, kModule, 1, 1, 1, &byte}, 0, -EINVAL},
		{{CCM_NODE_MAX + 1, kModule, 1, 1, 1, &byte}, 0, -EINVAL},
		{{1, 0, 1, 1, 1, &byte}, 0, -EINVAL},
		{{1, CCM_MODULE_MAX + 1, 1, 1, 1, &byte}, 0, -EINVAL},
		{{1, kModule, 1, 1, 1, nullptr}, 0, -EINVAL},
		{{1, kModule, 1, 1, 1, &byte}, CCM_NOWAIT, -EINVAL},
		{{1, kModule + 9, 1, 1, 1, &byte}, 0, -ENOENT},
		{{9, kModule, 1, 1, 1, &byte}, 0, -ENODEV},
	};

	cluster.attach_all();
	for (const auto &c : cases) {
		ccm_msg msg = c.msg;

		EXPECT_EQ(c.result,
			  CCM_brecv(cluster.net(1), &msg, c.flags, 10));
		msg = c.msg;
		EXPECT_EQ(c.result, CCM_arecv(cluster.net(1), &msg, c.flags));
	}
	EXPECT_EQ(-EINVAL, CCM_brecv(cluster.net(1), nullptr, 0, 0));
	EXPECT_EQ(-EINVAL, CCM_arecv(nullptr, nullptr, 0));
	EXPECT_EQ(-EINVAL, CCM_cancel(cluster.net(1), nullptr, 0));
}

CCM_TEST(api, bad__arguments_of_attach)
{
	const ccm_limits large{.max_size = CCM_SIZE_MAX + 1, .window = 0};
	const ccm_limits wide{.max_size = 0, .window = CCM_WINDOW_MAX + 1};
	struct net *net = ccm_test_net(1);

	EXPECT_EQ(-EINVAL, ccm_attach_owner(net, 0, nullptr, nullptr));
	EXPECT_EQ(-EINVAL,
		  ccm_attach_owner(net, CCM_MODULE_MAX + 1, nullptr, nullptr));
	EXPECT_EQ(-EINVAL, ccm_attach_owner(net, 1, &large, nullptr));
	EXPECT_EQ(-EINVAL, ccm_attach_owner(net, 1, &wide, nullptr));
	EXPECT_EQ(-EINVAL, ccm_attach_owner(nullptr, 1, nullptr, nullptr));
	EXPECT_EQ(-EINVAL, CCM_detach(net, 0));
	EXPECT_EQ(-ENOENT, CCM_detach(net, 1));
}

CCM_TEST(api, bad__arguments_of_connections)
{
	Cluster cluster(test, 2);

	EXPECT_EQ(-EINVAL, CCM_Connect_to(cluster.net(2), 1, 0));
	EXPECT_EQ(-EINVAL, CCM_Listen_to(cluster.net(1), 2, 0));
	EXPECT_EQ(-EINVAL, CCM_Connect_to(cluster.net(1), 0, 0));
	EXPECT_EQ(-EINVAL, CCM_Connect_to(cluster.net(1), 1, 0));
	EXPECT_EQ(-ENODEV, CCM_Connect_to(cluster.net(1), 9, 0));
	EXPECT_EQ(-ENODEV, CCM_Close(cluster.net(1), 9, 0));
	EXPECT_EQ(-EINVAL, CCM_Close(cluster.net(1), CCM_NODE_MAX + 1, 0));
	EXPECT_EQ(-ENOTCONN, CCM_Connect_to(ccm_test_net(3), 4, 0));
}

// --- memory ---------------------------------------------------------------------------

CCM_TEST(api, memory__failures_lose_no_message_and_leak_nothing)
{
	{
		Cluster once(test, 2); // mailboxes are kept until the node goes

		once.attach_all();
	}
	long before = ccm_memory_count();
	{
		Cluster cluster(test, 2);
		Buffer sent(100000), got(100000);

		cluster.attach_all();
		cluster.connect_all();
		for (int nth = 1; nth <= 12; nth++) {
			int result;

			sent.fill(nth);
			ccm_memory_fail(nth);
			result = send(1, 2, sent.data, sent.size);
			EXPECT(result == 0 || result == -ENOMEM);
			if (result == 0)
				EXPECT_EQ(sent.size,
					  receive(2, 1, got.data, got.size));
			if (result == 0)
				EXPECT(got.holds(nth, got.size));
			ccm_memory_fail(0);
		}
		EXPECT(cluster.is(1, 2, CCM_STATE_UP));
	}
	EXPECT_EQ(before, ccm_memory_count());
}
