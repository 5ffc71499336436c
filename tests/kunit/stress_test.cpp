// SPDX-License-Identifier: GPL-2.0
// Everything at once, for long enough that threads meet in odd places. What
// arrives is whole, in order and only once, whatever happens to connections.
#include "buffer.hpp"
#include "cluster.hpp"

#include "kernel/memory.h"
#include "support/atomic.hpp"
#include "support/errno.hpp"
#include "support/memory.hpp"

using namespace ccm;
using namespace ccm_testing;

namespace {

constexpr u32 kLargest = 150000;

u32 random_below(u32 limit)
{
	u32 value;

	ccm_random(&value, sizeof(value));
	return value % limit;
}

// One direction between two nodes, under a type of its own.
struct Flow {
	Flow(ccm_test *test_, u32 from_, u32 to_)
		: test(test_), from(from_), to(to_), type(from_ * 16 + to_),
		  out(kLargest), in(kLargest)
	{
	}

	void send_all()
	{
		while (!enough.load()) {
			u32 size = random_below(8) ? random_below(3000)
						   : random_below(kLargest);
			unsigned int flags = random_below(4) ? 0 : CCM_NOWAIT;

			// The seed is the sequence number, which counts up.
			for (u32 i = 0; i < size; i++)
				out.data[i] = pattern(next, i);
			int result = send(from, to, out.data, size, type, next,
					  flags, 200);
			if (result == 0) {
				sent.add(1);
				next++;
			} else if (result != -EAGAIN && result != -EHOSTDOWN &&
				   result != -ETIMEDOUT && result != -ENOMEM &&
				   result != -EINTR) {
				EXPECT_EQ(0, result);
			} else {
				ccm_yield();
			}
		}
	}

	void receive_all()
	{
		u32 least = 0;

		while (!quiet.load()) {
			ccm_msg msg =
				wanted(random_below(2) ? from : CCM_ANY_NODE,
				       in.data, in.size, type);
			unsigned int flags = CCM_NOSEQ;
			unsigned int how = random_below(3);

			if (how == 0)
				flags |= CCM_HANDOVER;
			int result = how == 1 ? CCM_arecv(Cluster::net(to),
							  &msg, flags)
					      : CCM_brecv(Cluster::net(to),
							  &msg, flags, 50);
			if (result < 0) {
				if (result != -EAGAIN && result != -ETIMEDOUT &&
				    result != -EHOSTDOWN &&
				    result != -ECANCELED && result != -EINTR)
					EXPECT_EQ(0, result);
				ccm_yield();
				continue;
			}
			EXPECT_EQ(from, msg.node);
			EXPECT(msg.seqn >= least);
			EXPECT(holds(static_cast<u8 *>(msg.data), msg.seqn,
				     static_cast<u32>(result)));
			least = msg.seqn + 1;
			received.add(1);
			if (how == 0)
				CCM_free(&msg);
		}
	}

	static bool holds(const u8 *data, u32 seed, u32 size)
	{
		for (u32 i = 0; i < size; i++)
			if (data[i] != pattern(seed, i))
				return false;
		return true;
	}

	ccm_test *test;
	const u32 from, to, type;
	Buffer out, in;
	u32 next = 0;
	Atomic<bool> enough{false}, quiet{false};
	Atomic<u32> sent, received;
};

// A flow with its two threads.
struct Running {
	Running(ccm_test *test, u32 from, u32 to)
		: flow(test, from, to), receiver(receive), sender(send)
	{
	}
	void stop()
	{
		flow.enough.store(true);
		sender.join();
	}
	void finish()
	{
		flow.quiet.store(true);
		receiver.join();
	}

	Flow flow;
	struct Send {
		Flow &flow;
		void operator()()
		{
			flow.send_all();
		}
	} send{flow};
	struct Receive {
		Flow &flow;
		void operator()()
		{
			flow.receive_all();
		}
	} receive{flow};
	Thread receiver, sender;
};

constexpr struct {
	u32 from, to;
} kPairs[] = {{1, 2}, {2, 1}, {1, 3}, {3, 2}, {2, 2}};
constexpr u32 kFlows = sizeof(kPairs) / sizeof(kPairs[0]);

struct Flows {
	explicit Flows(ccm_test *test)
	{
		for (u32 i = 0; i < kFlows; i++)
			running[i] = create<Running>(MaySleep::Yes, test,
						     kPairs[i].from,
						     kPairs[i].to);
	}
	// The senders end; what is under way arrives.
	void stop()
	{
		for (Running *one : running)
			one->stop();
	}
	~Flows()
	{
		for (Running *one : running) {
			one->finish();
			destroy(one);
		}
	}

	Running *running[kFlows];
};

} // namespace

CCM_TEST(stress, undisturbed__every_message_arrives)
{
	const ccm_limits limits{.max_size = kLargest, .window = 400000};
	Cluster cluster(test, 3);

	cluster.attach_all(&limits);
	cluster.connect_all();
	Flows flows(test);
	ccm_test_sleep(3000);
	flows.stop();
	for (Running *one : flows.running) {
		EXPECT(eventually([&] {
			return one->flow.received.load() ==
			       one->flow.sent.load();
		}));
		EXPECT(one->flow.sent.load() > 10);
		EXPECT_EQ(one->flow.sent.load(), one->flow.received.load());
	}
}

CCM_TEST(stress, disturbed__nothing_twice_or_torn)
{
	const ccm_limits limits{.max_size = kLargest, .window = 400000};
	long before;
	{
		Cluster once(test, 3);

		once.attach_all();
	}
	before = ccm_memory_count();
	{
		Cluster cluster(test, 3);

		cluster.attach_all(&limits);
		cluster.connect_all();
		{
			Flows flows(test);

			for (u32 round = 0; round < 60; round++) {
				u32 lower = 1 + random_below(2);
				u32 higher = lower == 1 ? 2 + random_below(2)
							: 3;
				ccm_msg any = wanted(CCM_ANY_NODE, nullptr, 0,
						     16 + 2);
				ccm_test_sleep(random_below(60));
				(void)CCM_Close(
					cluster.net(random_below(2) ? lower
								    : higher),
					random_below(2) ? higher : lower, 0);
				(void)CCM_cancel(cluster.net(2), &any,
						 CCM_NOSEQ);
				ccm_test_sleep(random_below(30));
				(void)CCM_Listen_to(cluster.net(higher), lower,
						    0);
				(void)CCM_Connect_to(cluster.net(lower), higher,
						     100);
			}
			flows.stop();
		}
		for (u32 node = 1; node <= 3; node++)
			for (u32 other = 1; other <= 3; other++)
				EXPECT(cluster.peer(node, other).queued_in <=
				       kFlows * limits.window);
	}
	EXPECT_EQ(before, ccm_memory_count());
}

CCM_TEST(stress, memory__fails_now_and_then)
{
	const ccm_limits limits{.max_size = kLargest, .window = 400000};
	Cluster cluster(test, 3);

	cluster.attach_all(&limits);
	cluster.connect_all();
	Flows flows(test);
	for (u32 round = 0; round < 150; round++) {
		ccm_memory_fail(1 + random_below(30));
		ccm_test_sleep(10);
	}
	ccm_memory_fail(0);
	flows.stop();
	for (Running *one : flows.running)
		EXPECT(eventually([&] {
			return one->flow.received.load() ==
			       one->flow.sent.load();
		}));
	EXPECT(cluster.is(1, 2, CCM_STATE_UP));
	EXPECT(cluster.is(2, 3, CCM_STATE_UP));
}
