// SPDX-License-Identifier: GPL-2.0
// The sending side of a connection. Whoever has queued something and finds nobody
// transmitting does so himself; when the socket is full, the listener goes on.
#pragma once

#include "core/peer.hpp"
#include "core/transmitter.hpp"
#include "support/lock.hpp"

namespace ccm {

class Connection;
class Handshake;

// All is under the peer's lock, but for what is the transmitter's.
class Egress {
public:
	// Control frames, in the order in which they are sent.
	enum Due : u32 {
		kHello = 1u << 0,
		kProof = 1u << 1,
		kEcho = 1u << 2,
		kHeartbeat = 1u << 3,
		kReady = 1u << 4,   // after what is to be announced
		kGoodbye = 1u << 5, // after all that is queued
	};

	Egress(Connection &connection, const Handshake &handshake)
		: connection_(connection), handshake_(handshake)
	{
	}
	~Egress();
	Egress(const Egress &) = delete;
	Egress &operator=(const Egress &) = delete;

	// Transmit what there is for this peer, unless somebody does. Sleeps.
	static void transmit(Peer &peer);
	// Become the transmitter: if true, the caller has to run() it without the
	// lock, and the connection stays until that returns.
	bool claim_locked();
	void run();

	// This is to be sent, once somebody transmits.
	void want_locked(Due what)
	{
		peer().lock.assert_held();
		due_ |= what;
	}
	bool wants_locked(Due what) const
	{
		peer().lock.assert_held();
		return due_ & what;
	}
	// The peer's proof has come: acknowledge, announce limits, and say Ready.
	void begin_session_locked()
	{
		peer().lock.assert_held();
		greeted_ = true;
		want_locked(kReady);
	}
	// A heartbeat of the peer's is to be answered.
	void echo_locked(u32 seqn);
	// A heartbeat is to be sent for its echo, unless one is awaited already.
	bool want_echo_locked();
	// An echo has come: false if it is of none that is awaited.
	bool take_echo_locked(u32 seqn, u64 now_us, u64 &rtt_us);
	// The socket has room again.
	void room_again_locked();
	// The goodbye has left for the socket, and nothing follows.
	bool goodbye_is_out_locked() const;
	// Why the socket took no frame; 0: it does.
	int refused_locked() const
	{
		peer().lock.assert_held();
		return state_ == State::Broken ? transmitter_.error() : 0;
	}
	// Nothing is sent any more, but for the frame that a transmitter has in
	// hand. What that one has is left to him.
	void detach_locked();
	bool is_unused_locked() const
	{
		peer().lock.assert_held();
		return !is_owned_locked();
	}
	// Until nobody transmits. Sleeps.
	void await_leaving();

private:
	Peer &peer() const;
	enum class State {
		Idle,	      // nobody transmits
		Transmitting, // somebody does
		Again,	 // and the socket has had room again since he began
		Blocked, // nobody does: the socket is full, and will tell
		Broken,	 // nobody does: the socket takes no more
		Leaving, // detached, and somebody transmits still
		Gone,	 // detached
	};
	struct Source;
	struct Transport;

	bool is_owned_locked() const REQUIRES(peer().lock)
	{
		return state_ == State::Transmitting ||
		       state_ == State::Again || state_ == State::Leaving;
	}
	bool is_detached_locked() const REQUIRES(peer().lock)
	{
		return state_ == State::Leaving || state_ == State::Gone;
	}
	bool next_frame(Frame &frame);
	void account_locked(const Message &sent) REQUIRES(peer().lock);
	bool goes_on(Transmitter::Outcome outcome);
	void leave_locked(State to) REQUIRES(peer().lock);
	bool has_frame_locked() const REQUIRES(peer().lock);
	bool may_send_messages_locked() const REQUIRES(peer().lock);
	void compose_locked(Frame &frame) REQUIRES(peer().lock);
	bool compose_control_locked(Frame &frame) REQUIRES(peer().lock);
	wire::Header header_locked(wire::Kind kind) const REQUIRES(peer().lock);
	void compose_proof_locked(Frame &frame) REQUIRES(peer().lock);
	void compose_heartbeat_locked(Frame &frame) REQUIRES(peer().lock);
	void compose_echo_locked(Frame &frame) REQUIRES(peer().lock);
	void compose_limit_locked(Frame &frame, Channel &channel)
		REQUIRES(peer().lock);
	void compose_fragment_locked(Frame &frame) REQUIRES(peer().lock);

	Connection &connection_;
	const Handshake &handshake_;
	State state_ GUARDED_BY(peer().lock) = State::Idle;
	u32 due_ GUARDED_BY(peer().lock) = 0; // of enum Due
	bool greeted_ GUARDED_BY(peer().lock) = false;
	bool goodbye_sent_ GUARDED_BY(peer().lock) = false;
	u32 heartbeat_seqn_ GUARDED_BY(peer().lock) = 0; // of the last one sent
	// Of the one whose echo is awaited, and when that was; 0: none is.
	u32 timed_seqn_ GUARDED_BY(peer().lock) = 0;
	u64 heartbeat_us_ GUARDED_BY(peer().lock) = 0;
	u32 echo_seqn_ GUARDED_BY(peer().lock) = 0; // of the peer's last
	Sleepers left_; // asleep until nobody transmits

	// The transmitter's, or under the lock while there is none.
	Transmitter transmitter_;
	Message *sending_ = nullptr;
	u32 offset_ = 0; // of its next fragment
};

} // namespace ccm
