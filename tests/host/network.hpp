// SPDX-License-Identifier: GPL-2.0
// The network of one node: its sockets, whose other ends are the test.
//
// Nothing comes and nothing fails unless the test says so, and what the node
// does the test can wait for. All that waits gives up after ten seconds.
#pragma once

#include "kernel/kernel.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

namespace ccm_testing {

using Stream = std::vector<u8>;

class Network;

// A connection of the node's.
class Wire {
public:
	Wire(Network &network, const ccm_endpoint &remote, int status);
	Wire(const Wire &) = delete;
	Wire &operator=(const Wire &) = delete;

	// --- the test's end ---

	// The connection that the node began is there; one that came, was.
	void establish();
	// From now on the socket takes this many bytes more. Without: all.
	void set_room(size_t bytes);
	// These come, in one piece.
	void deliver(const Stream &bytes);
	// The stream ends: behind what was delivered, or with a last piece.
	void end(const Stream &last = {});
	// The connection breaks; what was delivered can be read still.
	void fail(int error);
	// The socket is well, and takes no more with this error; 0: it does again.
	void refuse(int error);
	// Whoever sends stays in the socket until it may go.
	void hold();
	void let_go();
	bool holds() const; // waits until somebody stays there
	// The other machine's TCP acknowledges all that comes; at first it does
	// not.
	void acknowledge();
	// What the node has sent since this was last asked for.
	Stream take_sent();

	// From now on nothing that the node sends arrives.
	void lose();

	// Everything the node has sent.
	Stream sent() const;
	// The node will send no more.
	bool finished() const;
	// It has closed it.
	bool closed() const;

	// Wait until the node has met a full socket, and nothing else.
	bool fills() const;
	bool sends(size_t bytes) const; // in all
	bool finishes() const;
	bool closes() const;
	// Until it has taken over or closed what has arrived: true if it has
	// taken over.
	bool is_taken() const;
	// Until it has done what there was to do.
	bool settles();

	// --- the node's end: as kernel.h says ---

	int own(void *owner);
	int status() const;
	ccm_signs signs() const;
	int send(const Stream &bytes);
	int read(size_t budget, size_t (*take)(void *arg, const u8 *, size_t),
		 void *arg);
	void finish();
	void mute();
	void close();

	const ccm_endpoint remote;

private:
	friend class Network;

	bool look();
	void tell(u32 what);
	void touch();
	void become(int status);
	int why_nothing() const;

	Network &network_;
	// Under the network's mutex.
	void *owner_ = nullptr;
	int status_; // 0, or what the socket's status is
	bool acknowledges_ = false;
	bool foreign_ = false;
	int refuses_ = 0;
	bool hold_ = false;
	bool held_ = false;	     // somebody is
	std::optional<size_t> lost_; // what comes behind so many bytes is
	bool full_ = false;
	bool finished_ = false;
	bool closed_ = false;
	std::optional<size_t> room_;
	Stream sent_;
	std::deque<Stream> incoming_;
	u64 looks_ = 0; // times the node has read to the end of what there was
};

class Network {
public:
	Network() = default;
	Network(const Network &) = delete;
	Network &operator=(const Network &) = delete;

	// --- the test's end ---

	// What the node connects next; nullptr if it reports that it cannot.
	Wire *connects();
	// Somebody connects to the node.
	Wire *arrive(const ccm_endpoint &remote);
	// The same, and something else in the node's kernel has taken it over.
	Wire *arrive_taken(const ccm_endpoint &remote);
	// One of many that come at the same moment: nullptr if as many wait as the
	// node has asked TCP for, and the SYN is lost. The node is told by knock().
	Wire *try_arrive(const ccm_endpoint &remote);
	void knock();
	// Those that the node has sent by, or closed, since this was last asked.
	std::deque<Wire *> touched();
	// From now on the node cannot listen.
	void fail_listening(int error);
	// From now on whoever makes it listen waits, as for a module that is being
	// loaded, until it may go on.
	void hold_listening();
	void let_listen();
	bool holds_listening(); // waits until somebody does
	// The next time the node accepts, this is what comes of it.
	void fail_accept(int error);
	// All events that the node has told administrators so far, in their order;
	// of a kind.
	std::vector<ccm_event> told();
	std::vector<ccm_event> told(ccm_event_kind kind);
	// The next change of a peer's state that it tells modules.
	std::optional<ccm_event> changes();
	// The next answered heartbeat, or poke, that it reports.
	std::optional<ccm_event> heartbeat();
	std::optional<ccm_event> poke();
	// Or connection that it refused.
	std::optional<ccm_event> refusal();
	// The next peer that is gone, or with node 0 that this node has no number.
	std::optional<ccm_event> goes();
	// From now on this is called with each event before administrators have it,
	// in the thread that tells it. Nothing: no more. What it was before has ended
	// then.
	void watch_reports(std::function<void(const ccm_event &)> watch);

	// Called with each change of a peer's state, in the thread that reports it.
	std::function<void(const ccm_event &)> on_change;

	// --- the node's end ---

	int open(void *owner);
	void close();
	void set_backlog(int backlog);
	int accept(Wire *&out);
	Wire &connect(const ccm_endpoint &remote, void *owner);
	void report(const ccm_event &event);
	void change(const ccm_event &event);

private:
	friend class Wire;

	template <class F> bool await(F is_so)
	{
		std::unique_lock lock(mutex_);

		return await(lock, is_so);
	}
	template <class F>
	bool await(std::unique_lock<std::mutex> &lock, F is_so)
	{
		return changed_.wait_for(lock, std::chrono::seconds(10), is_so);
	}

	std::mutex mutex_; // held as the node is told, and as it takes bytes
	std::condition_variable changed_;
	std::deque<Wire> wires_; // all there ever were
	void *door_ = nullptr;	 // who listens
	std::deque<Wire *> connecting_;
	std::deque<Wire *> arriving_;
	int listen_error_ = 0;
	bool hold_listening_ = false;
	bool held_listening_ = false; // somebody is
	std::deque<int> accept_errors_;
	std::deque<Wire *> touched_;
	size_t backlog_ = 64;
	Wire *arrive_locked(const ccm_endpoint &remote);
	std::optional<ccm_event> next(std::deque<ccm_event> &events);
	Wire *come(const ccm_endpoint &remote, bool foreign);

	std::function<void(const ccm_event &)> watch_reports_;
	u32 watching_ = 0; // threads
	std::vector<ccm_event> told_;
	std::deque<ccm_event> changes_;
	std::deque<ccm_event> heartbeats_;
	std::deque<ccm_event> pokes_;
	std::deque<ccm_event> refusals_;
	std::deque<ccm_event> gone_;
};

} // namespace ccm_testing

// The network namespace of a node under test. Has to outlive it.
struct net final : ccm_testing::Network {};
