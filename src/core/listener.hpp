// SPDX-License-Identifier: GPL-2.0
// The paper's listener (3.3.1): the one thread of a node that takes what comes
// from all peers, sends what could not be sent at once, and alone makes and
// ends connections. It never waits for one peer.
#pragma once

#include "core/connection.hpp"
#include "core/poke.hpp"
#include "core/work.hpp"
#include "support/lock.hpp"

namespace ccm {

// How long a connection may take until it is up.
constexpr u32 kHandshakeMs = 3000;

// How long what is accepted may still be sent when a connection is closed.
constexpr u32 kGoodbyeMs = 1000;

class Listener {
public:
	explicit Listener(Node &node);
	~Listener();
	Listener(const Listener &) = delete;
	Listener &operator=(const Listener &) = delete;

	// Run, and open the door; on an error it has to be stopped all the same.
	// Sleeps. EINTR: the caller is killed, and the door may be being opened still.
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
		mark(door_work_, kBacklog);
	}

	// Look for what is late at this time. Any context.
	void due_at(u64 time_ms);

	// For connections, in the listener's thread.
	void wake_at(u64 time_ms);
	// The peer said who it is: it is no stranger any more.
	void known(Connection &connection);
	// Refuse a stranger: counted, told, closed.
	void refuse(Connection &connection, ccm_reason reason, int error);
	// A poke is all a connection was for.
	void dismiss(Connection &connection)
	{
		remove(connection);
	}
	// The same for one that we have sent.
	void remove(Poke &poke);
	// End a connection, and what its peer had with it.
	void end(Connection &connection, ccm_reason reason, int error);

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
	void accept_all();
	void size_backlog();
	void make_room(Origin &origin, u32 places);
	void leave_origin(Connection &connection);
	void accept(ccm_socket *socket);
	// node: who it has proven to be, or 0.
	void tell_refused(const ccm_endpoint &remote, ccm_reason reason,
			  int error, u32 node = 0);
	void check_deadlines();
	void check(Connection &connection, u64 now);
	void check_pokes(u64 now);
	void forget(Work &work);
	void take_due();
	void sleep();
	void begin_stopping();
	void end_all();
	void remove(Connection &connection);

	Node &node_;
	ccm_thread *thread_ = nullptr;
	ccm_socket *door_ = nullptr;
	Work door_work_{Work::Of::Door};

	Lock lock_{CCM_LOCK_READY}; // protects the next five
	List<Work> ready_;
	bool stop_ = false;
	bool tried_ = false; // to open the door
	int opened_ = 0;     // and what came of it
	u64 due_ms_ = 0;     // asked for by others; 0: nothing
	Sleepers awake_;
	Sleepers opening_; // asleep until it is tried_

	// The thread's own.
	u64 accepted_ = 0; // connections, in their order
	List<Connection, OfListener> connections_;
	List<Poke, OfPokes> pokes_;
	bool stopping_ = false;
	u64 stop_by_ms_ = 0;
	u64 wake_at_ms_ = 0;	// 0: nothing is due
	u64 door_again_ms_ = 0; // when to try to accept again; 0: no need
};

} // namespace ccm
