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
	bool keeps_locked(const Channel &channel, u64 charge) const
		REQUIRES(lock);
	// More is held than there is room for, as nobody is there any more.
	bool is_too_much_locked(const Channel &channel) const REQUIRES(lock)
	{
		return !keeps_locked(channel, 0);
	}
	// A message has come, and this much is held of what it counts.
	void take_in_locked(Channel &channel, u64 charge, u64 holds)
		REQUIRES(lock);
	// Made if need be; nullptr without memory.
	Channel *channel_locked(u32 module) REQUIRES(lock);
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
	void meet_locked(u64 proven) REQUIRES(lock);
	// What is accepted already is the last.
	void take_no_more_locked() REQUIRES(lock);
	void change_locked(ccm_state to, ccm_reason why, int errno_behind)
		REQUIRES(lock);
	// The first that is to be sent, or nullptr; it is charged until it is sent.
	Message *take_queued_locked() REQUIRES(lock);
	// There may be room in this channel now, or none any more.
	void review_locked(Channel &channel) REQUIRES(lock);
	// What has room in its channel and waited for the queue goes on, if there is
	// some there.
	void admit_waiting_locked() REQUIRES(lock);
	void fail_senders_locked(int error) REQUIRES(lock);
	// Everything about the session begins anew, for a connection.
	void begin_session_locked(u32 their_window) REQUIRES(lock);
	// No connection: nothing of what was to be sent will be.
	Loss end_session_locked(List<Message> &dropped) REQUIRES(lock);
	// Who is to transmit, if nobody does and there is something: the caller,
	// who has to run() it.
	Egress *claim_egress_locked() REQUIRES(lock);
	// This must be told to the peer.
	void announce_locked(Channel &channel) REQUIRES(lock);

	Lock lock{CCM_LOCK_PEER}; // protects all that follows
	ccm_state state GUARDED_BY(lock) = CCM_STATE_DOWN;
	ccm_reason reason GUARDED_BY(lock) = CCM_REASON_NONE;
	int error GUARDED_BY(lock) = 0;
	u64 since_ms GUARDED_BY(lock);
	ccm_peer_policy policy GUARDED_BY(lock);
	bool listening GUARDED_BY(lock) = false;
	bool deleted GUARDED_BY(lock) = false; // goes, once it is down
	// What is told of it later must not come before.
	bool untold GUARDED_BY(lock) = true;
	bool close_due GUARDED_BY(lock) = false; // asked for since it was down
	// Order of accepting, of the newest connection it had.
	u64 newest GUARDED_BY(lock) = 0;
	u64 downs GUARDED_BY(lock) = 0; // times it went down
	u64 incarnation GUARDED_BY(lock) = 0;
	Claims claims GUARDED_BY(lock);	 // of machines to be this peer
	u64 rtt_us GUARDED_BY(lock) = 0; // of the last heartbeat answered
	Quota pokes GUARDED_BY(lock){kPokeMs, 1}; // that are told
	u64 pokes_left_out GUARDED_BY(lock) = 0;  // since the last one that was
	// The one that may be used to send.
	Connection *connection GUARDED_BY(lock) = nullptr;
	Sleepers changed; // asleep until the state is another

	List<Message> queue GUARDED_BY(lock); // accepted, in order
	u64 queued GUARDED_BY(lock) = 0;      // their charge
	u64 queue_count GUARDED_BY(lock) = 0;
	// Of self: for the listener, and what is behind.
	List<Message> arrived GUARDED_BY(lock);
	bool taking_own GUARDED_BY(lock) = false; // it has one of them in hand
	List<Message> answers GUARDED_BY(lock);	  // until the queue has room
	u64 answers_charge GUARDED_BY(lock) = 0;
	List<Channel> to_announce GUARDED_BY(lock);
	u64 sent_sequence GUARDED_BY(lock) = 0; // of the last message begun
	// Of the last the peer has.
	u64 acknowledged_sequence GUARDED_BY(lock) = 0;
	u64 received_sequence GUARDED_BY(lock) = 0; // of the last we have
	u64 held GUARDED_BY(lock) = 0;		    // of all channels
	// Of these, of those nobody has attached.
	u64 orphaned GUARDED_BY(lock) = 0;
	// Of numbers the peer said nothing about.
	u64 default_limit GUARDED_BY(lock) = 0;
	ccm_peer_stats stats GUARDED_BY(lock){};

private:
	void wake_listener();
	Result<bool> offer(Sender &sender, bool may_wait, MaySleep may_sleep,
			   Egress *&mine);
	Status await(Sender &sender, int timeout_ms);
	void give_up(Sender &sender, int error_);
	Status check_locked(const Channel &channel, u32 size) const
		REQUIRES(lock);
	bool has_room_locked(const Channel &channel, u64 charge) const
		REQUIRES(lock);
	bool is_queue_full_locked() const REQUIRES(lock)
	{
		return !self && queued >= kQueueMax;
	}
	void freed_locked(Channel &channel) REQUIRES(lock);
	void review_orphans_locked() REQUIRES(lock);
	void accept_locked(Channel &channel, Message *message) REQUIRES(lock);
	void accept_answer_locked(Channel &channel, Message *answer)
		REQUIRES(lock);
	Status let_wait_locked(Message *answer, Message &call) REQUIRES(lock);
	void settle_locked(Message &answer) REQUIRES(lock);
	void give_back_locked(Channel &channel, u64 charge) REQUIRES(lock);
	void set_attached_locked(Channel &channel, bool attached)
		REQUIRES(lock);
	Channel *put_channel_locked(Channel *made) REQUIRES(lock);

	Count count_;
	Atomic<bool> down_{true}; // as the state, which the lock protects
	u64 last_turn_ GUARDED_BY(lock) = 0;
	// The first of whose senders waits for the queue alone, in turn.
	Tree<Channel> eligible_ GUARDED_BY(lock);
	Table<Channel, CCM_MODULE_MAX + 1>
		channels_; // found without the lock; kept until the peer goes
};

} // namespace ccm
