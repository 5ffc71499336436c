// SPDX-License-Identifier: GPL-2.0
// The threads of a node that run long calls: made as needed up to a bound, used
// again, ended when idle for a while. What finds none waits, in order.
#pragma once

#include "core/message.hpp"
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
	ccm_thread *thread = nullptr; // of who makes it, then of who joins it
	// Under the pool's lock:
	Message *next = nullptr; // what it is to run
	bool fresh = true;	 // it has not asked for a call yet
	Sleepers sleepers;
};

class Pool {
public:
	explicit Pool(Node &node) : node_(node), making_(make_threads, this)
	{
	}
	~Pool();
	Pool(const Pool &) = delete;
	Pool &operator=(const Pool &) = delete;

	// Run this call, which is the pool's from then on. If there is no thread,
	// and none can be made, the node is told. ESHUTDOWN: it stays the caller's.
	// For the listener: the thread that it may need is made by another one.
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
	Message *take_locked(Worker &worker) REQUIRES(lock_);
	static void make_threads(void *pool);
	bool wants_thread_locked() const REQUIRES(lock_);
	bool begin_making();
	bool make_thread();
	void give_up_making();
	bool give_to_idle_locked(Message *call) REQUIRES(lock_);
	void queue_locked(Message *call) REQUIRES(lock_);
	void take_all_locked(Tree<Message> &calls) REQUIRES(lock_);
	void reap();
	static void join(Worker &worker);

	Node &node_;
	Lock lock_{CCM_LOCK_POOL}; // protects all that follows
	// No thread has time for them yet; in turn.
	Tree<Message> calls_ GUARDED_BY(lock_);
	u64 last_turn_ GUARDED_BY(lock_) = 0;
	u32 waiting_ GUARDED_BY(lock_) = 0;	 // how many of calls_
	List<Worker> workers_ GUARDED_BY(lock_); // that have not ended
	List<Worker> ended_ GUARDED_BY(lock_);	 // to be joined
	// The last to become so is the first.
	List<Worker, Idle> idle_ GUARDED_BY(lock_);
	u32 count_ GUARDED_BY(lock_) = 0; // of workers_, and those being made
	// Of these: have not asked for a call yet.
	u32 fresh_ GUARDED_BY(lock_) = 0;
	bool stopping_ GUARDED_BY(lock_) = false;

	// A new thread waits for memory that nobody asks for in our way, and which
	// may come free only by what the listener does.
	Task making_;
};

} // namespace ccm
