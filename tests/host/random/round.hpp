// SPDX-License-Identifier: GPL-2.0
// Two new nodes, a time of random operations, and then a look at what is left.
#pragma once

#include "random/worker.hpp"

#include <deque>

namespace ccm_testing {

class Round {
public:
	explicit Round(u64 seed);
	~Round();
	Round(const Round &) = delete;
	Round &operator=(const Round &) = delete;

	void run();

private:
	void disturb();
	void end_in_use();
	void attach_all();
	void calm_down();
	void end_calls();
	void join();
	void see_that_all_works();
	void exchange(u32 source, u32 target);
	void drain();
	void see_that_nothing_is_held();
	void end_consumers();
	void destroy_nodes();
	void stop_workers(bool in_the_middle);
	void print_peers();
	template <class F> void await(const char *what, u32 seconds, F is_so);

	Random random_;
	const u64 seed_;
	const Plan plan_;
	Doing doing_;
	const long memory_;
	std::unique_ptr<Ledger> ledger_;
	net networks_[kNodes];
	std::unique_ptr<Cable> cable_;
	std::deque<Member> members_;
	std::deque<Worker> workers_;
};

} // namespace ccm_testing
