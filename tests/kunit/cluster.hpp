// SPDX-License-Identifier: GPL-2.0
// A cluster in one kernel, for tests of the whole API: configured, connected,
// and taken down again when it goes out of scope.
#pragma once

#include "kernel/kernel.h"
#include "nodes.h"
#include "test.hpp"

namespace ccm_testing {

constexpr u32 kModule = 7;   // the consumer's number in tests
constexpr int kSoon = 10000; // ms, for what should happen at once

class Cluster {
public:
	// Nodes 1 to count, configured and each other's peers, not connected.
	Cluster(ccm_test *test, u32 count, u8 family = 4);
	~Cluster();
	Cluster(const Cluster &) = delete;
	Cluster &operator=(const Cluster &) = delete;

	static struct net *net(u32 node)
	{
		return ccm_test_net(node);
	}
	// Every pair, waiting until it is up at both ends.
	void connect_all();
	void connect(u32 lower, u32 higher);
	// The same limits at all nodes.
	void attach_all(const ccm_limits *limits = nullptr);
	static ccm_peer_info peer(u32 node, u32 number);
	static void consumer(u32 node, u32 module, ccm_consumer_info *out);
	bool is(u32 node, u32 peer_number, ccm_state state) const
	{
		return peer(node, peer_number).state == state;
	}
	static ccm_endpoint endpoint_of(u32 node, u8 family);
	static int add_peer(u32 node, const ccm_peer_config &config);
	// Its key and itself, without peers.
	int set_node(u32 node) const;
	// Both wait until it is gone.
	static int delete_peer(u32 node, u32 number);
	static int delete_node(u32 node);
	static int set_key(u32 node, const void *secret, size_t size);
	static int set_policy(u32 node, u32 number,
			      const ccm_peer_policy &policy);
	static int ping(u32 node, u32 number);
	static int poke(u32 node, u32 number);
	static ccm_node_stats stats(u32 node);
	// What a module of this owner left attached: how many numbers.
	static u32 forget(u32 node, struct module *owner);
	static u32 count_calls(u32 node, ccm_call_what what);

private:
	static void copy_name(char *to);

	ccm_test *test;
	const u32 count_;
	const u8 family_;
	bool attached_ = false;
};

// A thread that runs a function once, and is waited for at the end.
class Thread {
public:
	template <class F> Thread(F &run)
	{
		thread_ = ccm_thread_start(call<F>, &run, "test", 0);
	}
	~Thread()
	{
		join();
	}
	void join()
	{
		if (thread_)
			ccm_thread_stop(thread_);
		thread_ = nullptr;
	}

private:
	template <class F> static int call(void *run)
	{
		(*static_cast<F *>(run))();
		return 0;
	}

	ccm_thread *thread_;
};

inline int send(u32 from, u32 to, const void *data, size_t size, u32 type = 1,
		u32 seqn = 1, unsigned int flags = 0, int timeout_ms = kSoon)
{
	ccm_msg msg{.node = to,
		    .module = kModule,
		    .type = type,
		    .seqn = seqn,
		    .size = size,
		    .data = const_cast<void *>(data)};

	return CCM_bsend(ccm_test_net(from), &msg, flags, timeout_ms);
}

inline ccm_msg wanted(u32 from, void *buffer, size_t room, u32 type = 1,
		      u32 seqn = 1)
{
	return {.node = from,
		.module = kModule,
		.type = type,
		.seqn = seqn,
		.size = room,
		.data = buffer};
}

inline int receive(u32 at, u32 from, void *buffer, size_t room, u32 type = 1,
		   u32 seqn = 1, int timeout_ms = kSoon)
{
	ccm_msg msg = wanted(from, buffer, room, type, seqn);

	return CCM_brecv(ccm_test_net(at), &msg, 0, timeout_ms);
}

} // namespace ccm_testing
