// SPDX-License-Identifier: GPL-2.0
// Something that comes between two steps of a thread, where it does most harm.
#pragma once

#include "kernel/kernel.h"
#include "support/atomic.hpp"

namespace ccm_testing {

// When this thread is for the nth time, from one on, where others can come in
// between (it has dropped its last spinlock, or has left RCU), what() runs on
// another one. This one waits for its end as long as that does not take more than
// a moment: it may need what this one has. One at a time.
class Between {
public:
	template <class F>
	Between(u32 nth, F &what) : left_(nth), run_(call<F>), what_(&what)
	{
		begin();
	}
	// Waits for its end; runs it if it has not come.
	~Between();
	Between(const Between &) = delete;
	Between &operator=(const Between &) = delete;

	// False: there were fewer such places.
	bool came() const
	{
		return other_ != nullptr;
	}
	// For the boundary: this thread is at such a place.
	static void pass();

private:
	template <class F> static void call(void *what)
	{
		(*static_cast<F *>(what))();
	}
	static int run(void *between);
	void begin();
	void come();

	u32 left_;
	void (*const run_)(void *what);
	void *const what_;
	ccm::Atomic<bool> ended_{false};
	ccm_thread *other_ = nullptr;
};

} // namespace ccm_testing
