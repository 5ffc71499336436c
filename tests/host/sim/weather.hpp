// SPDX-License-Identifier: GPL-2.0
// What comes over the nodes from outside, at random times: connections that break,
// silence, machines that are lost, signals, memory that is short.
#pragma once

#include "sim/network.hpp"
#include "sim/worker.hpp"

#include <deque>

namespace ccm_testing {

class Weather {
public:
	Weather(ccm_sim::Network &network, std::deque<Member> &members,
		std::deque<Worker> &workers, const Plan &plan);
	// Waits for the end of what it has begun.
	~Weather();
	Weather(const Weather &) = delete;
	Weather &operator=(const Weather &) = delete;

private:
	static int thread_main(void *weather);
	void work();
	void cut();
	void silence();
	void lose();
	void take_memory();
	void part();
	void signal();
	u32 any_node();

	ccm_sim::Network &network_;
	std::deque<Member> &members_;
	std::deque<Worker> &workers_;
	const Plan plan_;
	Doing doing_{"the weather", 0};
	std::atomic<bool> enough_{false};
	ccm_thread *thread_;
};

} // namespace ccm_testing
