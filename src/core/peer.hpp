// SPDX-License-Identifier: GPL-2.0
// Another node, as this one sees it: its state, what is to be sent to it and
// how much. A node is its own first peer, with no connection in between.
#pragma once

#include "core/channel.hpp"
#include "core/claims.hpp"
#include "core/news.hpp"
#include "core/work.hpp"
#include "support/lock.hpp"
#include "support/result.hpp"
#include "support/table.hpp"

namespace ccm {

class Connection;
class Egress;
struct Node;
struct OfOrigin;
struct Origin;

// Bytes at true size in a peer's queue from which on senders wait.
constexpr u64 kQueueMax = 8u << 20;

// Bytes at true size that a peer may have us hold for numbers that nobody has
// attached, of all of them together.
constexpr u64 kOrphansMax = 1u << 20;

// One of a peer's pokes is told in this time.
constexpr u32 kPokeMs = 1000;

// Connected, and messages are taken.
constexpr bool is_up(ccm_state state)
{
	return state == CCM_STATE_UP || state == CCM_STATE_SUSPECT ||
	       state == CCM_STATE_STALLED;
}

// What a broken connection may have lost.
struct Loss {
	u64 unsent = 0;
	u64 unknown = 0;
};

struct Removed; // the list of those that are in no table any more

// What administrators ask for is done by the listener.
struct Peer : Work, Hook<OfOrigin>, Hook<Removed> {
	Peer(Node &node, const ccm_peer_config &config, bool self);
	~Peer();
	void get()
	{
		count_.get();
	}
	[[nodiscard]] bool get_live()
	{
		return count_.get_live();
	}
	void put();
	using Work::linked; // in the listener's list

	Node &node;
	const ccm_peer_config config;
	const bool self;
	Origin *origin = nullptr; // under the lock of Origins
	Outlet outlet;		  // of its state; under the lock of News

	// Accept a message, which belongs to this function from then on. Waits
	// up to timeout_ms for room.
	Status send(Message *message, MaySleep may_sleep, int timeout_ms);
	// The same for an answer, which nobody waits for, and which no limit of the
	// receiver's concerns: it awaits it. If the queue is full it is sent later,
	// and takes over what its call is charged. EMSGSIZE, EHOSTDOWN, ENOBUFS
	// (too much waits already): the answer is still the caller's. Sleeps.
	Status post(Message *answer, Message &call);
	// What was received is no longer held in memory.
	void give_back(Channel &channel, u64 charge);
	// What its consumer accepts has changed, or it is nobody's. ENOMEM.
	Status set_window(u32 module, const ccm_limits &limits,
			  bool attached = true);
	// Let nobody connect, and what is accepted be the last: true if there is
	// something for the listener to close.
	bool begin_closing();
	// What was untold has been told.
	void told();
	// It was deleted, and nobody has anything to do with it any more, or to tell.
	bool may_go();
	void report(ccm_peer_info &out);
	// Nothing can be sent to it now, nor received. Without the lock: what was
	// done before it went down is seen by whoever sees that it is.
	bool is_down() const
	{
		return down_.load();
	}

	// For those who hold the lock.
	// Whether there is room for so much more: nobody's number has little.
	bool keeps_locked(const Channel &channel, u64 charge) const;
	// More is held than there is room for, as nobody is there any more.
	bool is_too_much_locked(const Channel &channel) const
	{
		return !keeps_locked(channel, 0);
	}
	// A message has come, and this much is held of what it counts.
	void take_in_locked(Channel &channel, u64 charge, u64 holds);
	// Made if need be; nullptr without memory.
	Channel *channel_locked(u32 module);
	Channel *known_channel(u32 module) const
	{
		return channels_.get(module);
	}
	// Of one that has been charged, or was accepted.
	Channel &channel_of(const Message &message) const
	{
		return *channels_.get(message.module);
	}
	// A machine of this incarnation has proven to be the peer.
	void meet_locked(u64 proven);
	// What is accepted already is the last.
	void take_no_more_locked();
	void change_locked(ccm_state to, ccm_reason why, int errno_behind);
	// The first that is to be sent, or nullptr; it is charged until it is sent.
	Message *take_queued_locked();
	// There may be room in this channel now, or none any more.
	void review_locked(Channel &channel);
	// What has room in its channel and waited for the queue goes on, if there is
	// some there.
	void admit_waiting_locked();
	void fail_senders_locked(int error);
	// Everything about the session begins anew, for a connection.
	void begin_session_locked(u32 their_window);
	// No connection: nothing of what was to be sent will be.
	Loss end_session_locked(List<Message> &dropped);
	// Who is to transmit, if nobody does and there is something: the caller,
	// who has to run() it.
	Egress *claim_egress_locked();
	// This must be told to the peer.
	void announce_locked(Channel &channel);

	Lock lock{CCM_LOCK_PEER}; // protects all that follows
	ccm_state state = CCM_STATE_DOWN;
	ccm_reason reason = CCM_REASON_NONE;
	int error = 0;
	u64 since_ms;
	ccm_peer_policy policy;
	bool listening = false;
	bool deleted = false;	// goes, once it is down
	bool untold = true;	// what is told of it later must not come before
	bool close_due = false; // asked for since it was down
	u64 newest = 0; // order of accepting, of the newest connection it had
	u64 downs = 0;	// times it went down
	u64 incarnation = 0;
	Claims claims;			  // of machines to be this peer
	u64 rtt_us = 0;			  // of the last heartbeat answered
	Quota pokes{kPokeMs, 1};	  // that are told
	u64 pokes_left_out = 0;		  // since the last one that was
	Connection *connection = nullptr; // that may be used to send
	Sleepers changed;		  // asleep until the state is another

	List<Message> queue; // accepted, in order
	u64 queued = 0;	     // their charge
	u64 queue_count = 0;
	List<Message> arrived; // of self: for the listener, and what is behind
	bool taking_own = false; // it has one of them in hand
	List<Message> answers;	 // until the queue has room
	u64 answers_charge = 0;
	List<Channel> to_announce;
	u64 sent_sequence = 0;	       // of the last message begun
	u64 acknowledged_sequence = 0; // of the last the peer has
	u64 received_sequence = 0;     // of the last we have
	u64 held = 0;		       // of all channels
	u64 orphaned = 0;	       // of these, of those nobody has attached
	u64 default_limit = 0;	       // of numbers the peer said nothing about
	ccm_peer_stats stats{};

private:
	void wake_listener();
	Result<bool> offer(Sender &sender, bool may_wait, MaySleep may_sleep,
			   Egress *&mine);
	Status await(Sender &sender, int timeout_ms);
	Status check_locked(const Channel &channel, u32 size) const;
	bool has_room_locked(const Channel &channel, u64 charge) const;
	bool is_queue_full_locked() const
	{
		return !self && queued >= kQueueMax;
	}
	void freed_locked(Channel &channel);
	void review_orphans_locked();
	void accept_locked(Channel &channel, Message *message);
	void accept_answer_locked(Channel &channel, Message *answer);
	Status let_wait_locked(Message *answer, Message &call);
	void settle_locked(Message &answer);
	void give_back_locked(Channel &channel, u64 charge);
	void set_attached_locked(Channel &channel, bool attached);
	Channel *put_channel_locked(Channel *made);

	Count count_;
	Atomic<bool> down_{true}; // as the state, which the lock protects
	u64 last_turn_ = 0;
	// The first of whose senders waits for the queue alone, in turn.
	Tree<Channel> eligible_;
	Table<Channel, CCM_MODULE_MAX + 1>
		channels_; // kept until the peer goes
};

} // namespace ccm
