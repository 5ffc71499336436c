// SPDX-License-Identifier: GPL-2.0
// The threads of a node that run long calls: made as needed up to a bound, used
// again, ended when idle for a while. What is above the bound waits, in order.
#pragma once

#include "core/message.hpp"
#include "support/atomic.hpp"
#include "support/lock.hpp"
#include "support/result.hpp"

namespace ccm {

struct Node;
class Pool;
struct Idle;

constexpr u32 kWorkersMax = 32; // calls that run at once
constexpr int kWorkerIdleMs = 5000;

struct Worker : Hook<Worker>, Hook<Idle> {
	explicit Worker(Pool &pool_) : pool(pool_)
	{
	}

	Pool &pool;
	Atomic<ccm_thread *> thread;
	Message *next = nullptr; // under the pool's lock: what it is to run
	Sleepers sleepers;
};

class Pool {
public:
	explicit Pool(Node &node) : node_(node)
	{
	}
	~Pool();
	Pool(const Pool &) = delete;
	Pool &operator=(const Pool &) = delete;

	// Run this call, which is the pool's from then on. ENOMEM without a
	// single thread, ESHUTDOWN: it stays the caller's. Sleeps.
	Status run(Message *call);
	// End all threads, once what they run has ended. Calls that have not
	// begun are the caller's. Nobody runs one any more. Sleeps.
	void stop(List<Message> &dropped);
	// The next call of a dump that waits for a thread; false behind the last
	// that there was as it began.
	bool report(ccm_cursor &at, ccm_call_info &out);

private:
	static int thread_main(void *worker);
	void work(Worker &worker);
	Message *next_call(Worker &worker);
	Message *take_locked(Worker &worker);
	bool spawn(Message *call);
	bool give_to_idle_locked(Message *call);
	void queue_locked(Message *call);
	void reap();
	static void join(Worker &worker);

	Node &node_;
	Lock lock_{CCM_LOCK_POOL}; // protects all that follows
	Tree<Message> calls_;	   // no thread has time for them yet; in turn
	u64 last_turn_ = 0;
	List<Worker> workers_;	  // that have not ended
	List<Worker> ended_;	  // to be joined
	List<Worker, Idle> idle_; // the last to become so is the first
	u32 count_ = 0;		  // of workers_, and those being made
	bool stopping_ = false;
};

} // namespace ccm
