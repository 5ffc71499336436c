// SPDX-License-Identifier: GPL-2.0
// The paper's listener (3.3.1): the one thread of a node that takes what comes
// from all peers, sends what could not be sent at once, and alone makes and
// ends connections. It never waits for one peer.
#pragma once

#include "core/acceptor.hpp"
#include "core/poke.hpp"
#include "core/work.hpp"
#include "support/lock.hpp"

namespace ccm {

// How long what is accepted may still be sent when a connection is closed.
constexpr u32 kGoodbyeMs = 1000;

class Listener {
public:
	explicit Listener(Node &node);
	Listener(const Listener &) = delete;
	Listener &operator=(const Listener &) = delete;

	// Run, and listen at the node's address; on an error it has to be stopped all
	// the same. Sleeps. EINTR: the caller is killed, and the address may be being
	// bound still.
	Status start();
	// Say goodbye to all peers, end all connections, and the thread.
	void ask_to_stop();
	// The same, and wait for it. Sleeps.
	void stop();

	// There is something to do. Any context.
	void mark(Work &work, u32 bits);
	// Nobody marks this peer any more. The thread has ended.
	void forget(Peer &peer);

	// More of them may connect at once. Any context.
	void peers_changed()
	{
		mark(acceptor_, kBacklog);
	}

	// Look for what is late at this time. Any context.
	void due_at(u64 time_ms);

	// For connections, in the listener's thread.
	void wake_at(u64 time_ms);
	// From now on it is looked after, and removed in the end.
	void add(Connection &connection)
	{
		connections_.push_back(&connection);
	}
	// No peer has it.
	void remove(Connection &connection);
	void remove(Poke &poke);
	// End a connection, and what its peer had with it.
	void end(Connection &connection, ccm_reason reason, int error);

	Acceptor &acceptor()
	{
		return acceptor_;
	}

private:
	static int run(void *listener);
	bool open();
	void work();
	Work *next_work();
	void serve(Work &work);
	void serve_peer(Peer &peer, u32 bits);
	void take_own(Peer &self);
	void connect(Peer &peer);
	void close(Peer &peer);
	void poke(Peer &peer);
	void follow_policy(Peer &peer);
	void fail_connecting(Peer &peer, ccm_reason reason, int error);
	void tell_down(Peer &peer, const ccm_event &event);
	void check_deadlines();
	void check(Connection &connection, u64 now);
	void check_pokes(u64 now);
	void forget(Work &work);
	void take_due();
	void sleep();
	void begin_stopping();
	void end_all();

	Node &node_;
	ccm_thread *thread_ = nullptr;

	Lock lock_{CCM_LOCK_READY}; // protects the next five
	List<Work> ready_ GUARDED_BY(lock_);
	bool stop_ GUARDED_BY(lock_) = false;
	bool tried_ GUARDED_BY(lock_) = false; // to listen
	int opened_ GUARDED_BY(lock_) = 0;     // and what came of it
	u64 due_ms_ GUARDED_BY(lock_) = 0; // asked for by others; 0: nothing
	Sleepers awake_;
	Sleepers opening_; // asleep until it is tried_

	// The thread's own.
	List<Connection, OfListener> connections_;
	List<Poke, OfPokes> pokes_;
	bool stopping_ = false;
	u64 stop_by_ms_ = 0;
	u64 wake_at_ms_ = 0; // 0: nothing is due

	Acceptor acceptor_; // its socket may mark it until it is gone
};

} // namespace ccm
