// SPDX-License-Identifier: GPL-2.0
// A cable between the networks of two nodes, numbers 1 and 2: what one node
// dials arrives at the other, and what it sends. In pieces, late, through
// buffers that fill up, as chance has it.
#pragma once

#include "network.hpp"
#include "random.hpp"

#include <atomic>
#include <thread>

namespace ccm_testing {

class Cable {
public:
	Cable(Network &first, Network &second, u64 seed);
	~Cable();
	Cable(const Cable &) = delete;
	Cable &operator=(const Cable &) = delete;

	// All connections break.
	void cut()
	{
		cut_ = true;
	}
	// From now on nothing is held back or refused.
	void calm()
	{
		calm_ = true;
	}
	static ccm_endpoint address_of(u32 number);

private:
	struct Link {
		Wire *ends[2];
		bool ended[2] = {}; // this end sends no more
		bool over[2] = {};  // it is closed, and the other has been told
		u32 held_back = 0;  // for so many rounds
	};

	void run();
	void dial(u32 from);
	void serve(Link &link);
	void carry(Link &link, u32 from);
	void deliver(Wire &target, const Stream &bytes);
	bool chance(u32 one_in);

	Network *networks_[2];
	Random random_; // the thread's
	std::deque<Link> links_;
	std::atomic<bool> cut_{false};
	std::atomic<bool> calm_{false};
	std::atomic<bool> stop_{false};
	std::thread thread_;
};

} // namespace ccm_testing
