// SPDX-License-Identifier: GPL-2.0
// A thread of a node that does one random thing after the other.
#pragma once

#include "sim/member.hpp"
#include "sim/world.hpp"

#include <vector>

namespace ccm_testing {

// What a round allows to happen; drawn from its seed.
struct Plan {
	explicit Plan(u64 seed);

	u32 members;
	u32 workers;	 // of each
	u32 disturb_ms;	 // for so long
	bool nodes;	 // are deleted and set again
	bool peers;	 // are deleted and added again
	bool closes;	 // of connections
	bool cuts;	 // of them, by the network
	bool silences;	 // of the network
	bool losses;	 // of machines, which begin again
	bool detaches;	 // of consumers
	bool heartbeats; // are asked for
	bool memory;	 // fails
	bool signals;	 // for threads
};

// Take what is left of one flow; what is wrong with it is a fault.
void receive_all(Member &me, u32 source, u32 thread, u32 module);

class Worker {
public:
	Worker(Member &me, const Plan &plan, u32 thread, u64 seed);
	~Worker();
	Worker(const Worker &) = delete;
	Worker &operator=(const Worker &) = delete;

	void begin()
	{
		begun_ = true;
	}
	// Does what it is at, and no more.
	void enough()
	{
		enough_ = true;
	}
	bool ended() const
	{
		return ended_;
	}
	void signal()
	{
		ccm_sim::signal(thread_);
	}

private:
	struct Operation {
		u32 weight;
		const char *name;
		void (Worker::*run)();
		bool Plan::*allowed; // nullptr: always
	};
	static const Operation kOperations[];

	static int thread_main(void *worker);
	void work();
	void step();

	// worker.cpp
	void join();
	void meet();
	void close();
	void attach();
	void detach();
	void regist();
	void unregist();
	void change_peer();
	void change_node();
	void set_heartbeat();
	void ask();
	void fail_memory();
	void rename();
	void look();

	// messages.cpp
	void send();
	int send(u32 target, u32 module, size_t size, bool nowait);
	void receive();
	int receive(ccm_msg &msg, u32 flags);
	void cancel();

	// calls, by call.cpp
	void call();
	void call_later();
	void call_short();
	void call_long();

	u32 any_node() // from 0
	{
		return random_.below(plan_.members);
	}
	// A number; 0 if this node is alone.
	u32 any_peer();
	bool chance(u32 one_in)
	{
		return random_.below(one_in) == 0;
	}

	Member &me_;
	const Plan plan_;
	const u32 index_;
	Random random_;
	Doing doing_;
	u32 short_calls_[kNodesMax] = {};    // to each node, tried
	u32 short_accepted_[kNodesMax] = {}; // the last that was accepted
	std::atomic<bool> begun_{false};
	std::atomic<bool> enough_{false};
	std::atomic<bool> ended_{false};
	ccm_thread *thread_;
};

} // namespace ccm_testing
