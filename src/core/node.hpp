// SPDX-License-Identifier: GPL-2.0
// This machine's part in the cluster: one node a network namespace.
#pragma once

#include "core/calls.hpp"
#include "core/mailbox.hpp"
#include "core/news.hpp"
#include "core/origins.hpp"
#include "core/peer.hpp"
#include "core/pool.hpp"
#include "core/removals.hpp"
#include "core/secret.hpp"
#include "support/counters.hpp"

namespace ccm {

class Listener;
struct Reply;

// What an administrator's request came to; the sentence is for people.
struct Refusal {
	const char *why = nullptr;

	Failure operator()(int error, const char *sentence)
	{
		why = sentence;
		return fail(error);
	}
};

using PeerRef = Ref<Peer>;

struct Node {
	explicit Node(struct net *net_) : net(net_), cleaning_(clean_up, this)
	{
	}
	~Node();
	Node(const Node &) = delete;
	Node &operator=(const Node &) = delete;

	struct net *const net;
	Count count;

	// 0: not configured.
	u32 number() const
	{
		return number_.load();
	}
	bool going() const
	{
		return going_.load();
	}
	PeerRef peer(u32 number) const;
	PeerRef peer_from(u32 number) const;
	// None before set_key().
	Ref<Secret> secret() const;
	// Where it goes, or why nothing can be sent there, or received from this
	// node alone.
	Status find_peer(u32 number, PeerRef &peer) const;
	Status check_peer(u32 number) const;

	// For administrators. All sleep, and wait for nothing that a consumer does:
	// what has to is left to clean_up(), and an event tells its end.
	Status configure(const ccm_node_config &config, Refusal &refusal);
	Status unconfigure(Refusal &refusal);
	Status add_peer(const ccm_peer_config &config, Refusal &refusal);
	Status delete_peer(u32 number, Refusal &refusal);
	Status connect(u32 number, int timeout_ms, Refusal &refusal);
	Status listen(u32 number, int timeout_ms, Refusal &refusal);
	Status close(u32 number, int timeout_ms, Refusal &refusal);
	Status set_key(const void *secret, size_t size, Refusal &refusal);
	Status set_policy(u32 number, const ccm_peer_policy &policy,
			  bool set_interval, Refusal &refusal);
	Status ping(u32 number, Refusal &refusal);
	Status poke(u32 number, Refusal &refusal);
	void report(ccm_node_info &out);
	// The namespace goes: the first half tells everybody, the second waits.
	void begin_end();
	void destroy();
	// There is nothing more to tell of a peer that was deleted. Any context.
	void clean_up_later()
	{
		cleaning_.start();
	}

	// For consumers.
	Status attach(u32 module, const ccm_limits &limits,
		      struct ::module *owner);
	Status detach(u32 module);
	Status unregist(u32 module, u32 function);
	// Made if need be; nullptr without memory.
	Mailbox *make_mailbox(u32 module, MaySleep may_sleep);
	// Receivers that wait for this node alone get the error.
	void fail_receivers(u32 node, int error);

	// Dumps of the node's configuration and states that span this are not
	// consistent.
	void changed()
	{
		(void)generation_.add(1);
	}
	u64 generation() const
	{
		return generation_.load();
	}
	// What those who watch should know, each time. Sleeps. What is changed under
	// the mutex is told under it.
	void tell(const ccm_event &event)
	{
		news.tell(event);
	}

	// One from somebody else, or of this node to itself, has arrived; it is this
	// function's. A call or an answer: in the listener.
	void arrived(Message *message);
	// The pool runs one, or has no thread for it and will not have one.
	void run_call(Message *call, bool on_thread);
	void no_thread_for(Message *call);
	// Whether this module is the owner of anything.
	bool has(const struct ::module *owner);
	// Detach all that it is the owner of; how many numbers nobody else was
	// detaching. Sleeps.
	u32 forget(const struct ::module *owner);
	// The next of a dump; false behind the last.
	bool report_handler(ccm_cursor &at, ccm_handler_info &out);
	bool report_call(ccm_cursor &at, ccm_call_info &out);
	// At this time the listener has to look: an asynchronous call is late, or
	// something withheld may be told. Any context.
	void due_at(u64 time_ms);

	Calls calls;
	News news{*this};
	Pool pool{*this};

	Origins origins;
	// Kept until the node goes.
	Table<Mailbox, CCM_MODULE_MAX + 1> mailboxes;
	// Constant while the listener runs.
	ccm_node_config config{};
	u64 incarnation = 0;		// this life of the node
	Counters<ccm_node_stats> stats; // counted by the listener

private:
	// Unconfigured, being configured, the same by somebody who was killed,
	// configured, being unconfigured.
	enum class Life : u8 { None, Starting, GivenUp, Set, Ending };

	// Peers that are in no table any more, and what the node sent to itself and
	// the listener has not taken.
	struct Gone {
		List<Peer, Removed> peers;
		List<Message> arrived;
	};

	void message_arrived(Message *message);
	void answer_arrived(Message *answer);
	void call_arrived(Message *call);
	void refuse_call(Message *call, wire::Answer::Outcome outcome);
	void finish_call(Message *call, Reply &reply);
	void detach(Mailbox &mailbox);
	Result<Peer *> new_peer(const ccm_peer_config &config, bool self)
		REQUIRES(mutex_);
	Status begin_starting(const ccm_node_config &config, Refusal &refusal);
	Status start(Refusal &refusal);
	bool leave_starting();
	void give_up_starting();
	static void let_go(Secret *old);
	static void clean_up(void *node);
	void remove_deleted();
	void remove_all(Gone &gone) REQUIRES(mutex_);
	void put_all(Gone &gone);
	void begin_ending() REQUIRES(mutex_);
	Life life();
	void end_life();
	Status check_life(Refusal &refusal) const REQUIRES(mutex_);
	Status set_windows(u32 module, const ccm_limits &limits, bool attached)
		REQUIRES(mutex_);
	Result<Peer *> find(u32 number, Refusal &refusal) const
		REQUIRES(mutex_);
	static Status wait_while(Peer &peer, ccm_state during, int timeout_ms);

	Removals removals_; // of handlers
	// Configuration, peers, consumers: one change at a time, and each of those
	// that are events is told before the next is made. Nothing under it may ask
	// for a module of the kernel.
	Mutex mutex_{CCM_MUTEX_NODE};
	Atomic<u32> number_;
	Atomic<bool> going_;
	Atomic<u64> generation_;
	Atomic<Secret *> secret_; // changed under the mutex, read inside RCU
	Life life_ GUARDED_BY(mutex_) = Life::None;
	Listener *listener_ = nullptr; // unless unconfigured
	// Changed under the mutex, read inside RCU.
	Table<Peer, CCM_NODE_MAX + 1> peers_;
	Task cleaning_;
};

} // namespace ccm

// The same, by the name the kernel side knows.
struct ccm_node final : ccm::Node {
	using Node::Node;
};
