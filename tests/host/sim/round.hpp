// SPDX-License-Identifier: GPL-2.0
// One run: new nodes, a time of random operations, and then a look at what is left.
#pragma once

#include "sim/network.hpp"
#include "sim/weather.hpp"
#include "sim/worker.hpp"

#include <deque>
#include <memory>

namespace ccm_testing {

class Round {
public:
	struct Outcome {
		u64 trace;
		u64 steps;
		u64 ms;
		u32 messages; // and calls, that were tried
		u32 calls;
	};

	// A fault ends the program.
	static Outcome run(u64 seed);

private:
	Round(ccm_sim::World &world, u64 seed);

	static void main(void *round);
	void run();
	void disturb();
	void watch();
	void end_in_use();
	void calm_down();
	void end_calls();
	void join();
	void see_that_all_works();
	void see_that_all_is_counted();
	bool is_counted(Member &source, Member &target);
	void exchange(u32 source, u32 target);
	void drain();
	void see_that_nothing_is_held();
	void end_consumers();
	void destroy_nodes();
	void stop_workers(bool in_the_middle);
	void print_peers();
	template <class F> void await(const char *what, u32 seconds, F is_so);

	ccm_sim::World &world_;
	Random random_;
	const u64 seed_;
	const Plan plan_;
	Doing doing_;
	host::Warnings nobody_reads_them_;
	std::unique_ptr<Ledger> ledger_;
	ccm_sim::Network network_;
	std::deque<Member> members_;
	std::deque<Worker> workers_;
	std::unique_ptr<Weather> weather_;
	// How often in a row a call of a node's has waited, and none has run.
	u32 waits_[kNodesMax] = {};
};

} // namespace ccm_testing
