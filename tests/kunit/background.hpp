// SPDX-License-Identifier: GPL-2.0
// Something that a test lets another thread do.
#pragma once

#include "kernel/kernel.h"
#include "support/atomic.hpp"
#include "test.hpp"

namespace ccm_testing {

// Runs work() once, in a thread of its own. The end of the scope waits for it:
// it must come to an end by then.
template <class F> class Background {
public:
	explicit Background(F work) : work_(work)
	{
		thread_ = ccm_thread_start(run, this, "test", 0);
	}
	~Background()
	{
		// A kthread that is stopped before it began never runs.
		while (thread_ && !done())
			ccm_test_sleep(1);
		if (thread_)
			ccm_thread_stop(thread_);
	}
	Background(const Background &) = delete;
	Background &operator=(const Background &) = delete;

	bool done() const
	{
		return done_.load();
	}
	// At most ten seconds.
	bool ends() const
	{
		return eventually([this] { return done(); });
	}
	// It has no reason to end, and does not: a short look.
	bool goes_on() const
	{
		ccm_test_sleep(20);
		return !done();
	}

private:
	static int run(void *background)
	{
		auto *me = static_cast<Background *>(background);

		me->work_();
		me->done_.store(true);
		return 0;
	}

	F work_;
	ccm::Atomic<bool> done_;
	ccm_thread *thread_;
};

} // namespace ccm_testing
