// SPDX-License-Identifier: GPL-2.0
#include "core/egress.hpp"

#include "core/connection.hpp"
#include "core/node.hpp"

namespace ccm {

namespace {

constexpr int kSendBudget = 256 * 1024; // bytes at a time, then others

} // namespace

struct Egress::Source {
	Egress &egress;

	bool next(Frame &frame)
	{
		return egress.next_frame(frame);
	}
};

struct Egress::Transport {
	ccm_socket *socket;

	int send(const Frame &frame)
	{
		u32 head = frame.sent < frame.head_size ? frame.sent
							: frame.head_size;
		u32 body = frame.sent - head;

		return ccm_socket_send(
			socket, frame.head + head, frame.head_size - head,
			frame.body + body, frame.body_size - body, frame.more);
	}
};

Egress::~Egress()
{
	Message::drop(sending_);
}

Peer &Egress::peer() const
{
	return *connection_.peer;
}

// --- who transmits ---------------------------------------------------------------

void Egress::transmit(Peer &peer)
{
	Egress *mine;
	{
		Guard guard(peer.lock);

		mine = peer.claim_egress_locked();
	}
	if (mine)
		mine->run();
}

bool Egress::claim_locked()
{
	peer().lock.assert_held();
	if (state_ != State::Idle ||
	    (!transmitter_.busy() && !has_frame_locked()))
		return false;
	state_ = State::Transmitting;
	return true;
}

// Whoever finds nothing left to send has left by that: the connection may be gone.
void Egress::run()
{
	Source source{*this};
	Transport transport{connection_.socket};
	Transmitter::Outcome outcome;

	do {
		outcome = transmitter_.run(source, transport, kSendBudget);
	} while (outcome != Transmitter::Outcome::Idle && goes_on(outcome));
}

// What the socket had to say since it was full must not be forgotten. When it
// returns false the connection may be gone.
bool Egress::goes_on(Transmitter::Outcome outcome)
{
	Guard guard(peer().lock);

	if (outcome == Transmitter::Outcome::Blocked &&
	    state_ == State::Again) {
		state_ = State::Transmitting;
		return true;
	}
	if (outcome == Transmitter::Outcome::Blocked)
		leave_locked(State::Blocked);
	else if (outcome == Transmitter::Outcome::Broken)
		leave_locked(State::Broken);
	else
		leave_locked(State::Idle);
	return false;
}

// The listener does the rest, and sees what has become of it.
void Egress::leave_locked(State to)
{
	if (state_ == State::Leaving) {
		state_ = State::Gone;
		connection_.mark(kTransmit); // to be done away with
		left_.wake();
		return;
	}
	state_ = to;
	if (to == State::Broken)
		connection_.mark(CCM_READY_STATE);
	else if (to == State::Idle &&
		 (transmitter_.busy() || has_frame_locked() || goodbye_sent_))
		connection_.mark(kTransmit);
}

void Egress::room_again_locked()
{
	peer().lock.assert_held();
	if (state_ == State::Blocked)
		state_ = State::Idle;
	else if (state_ == State::Transmitting)
		state_ = State::Again;
}

bool Egress::goodbye_is_out_locked() const
{
	peer().lock.assert_held();
	return goodbye_sent_ && !is_owned_locked() && !transmitter_.busy();
}

void Egress::detach_locked()
{
	peer().lock.assert_held();
	state_ = is_owned_locked() ? State::Leaving : State::Gone;
}

void Egress::await_leaving()
{
	left_.wait_idle(
		[this] {
			Guard guard(peer().lock);
			return is_unused_locked();
		},
		CCM_FOREVER);
}

// --- heartbeats ------------------------------------------------------------------

void Egress::echo_locked(u32 seqn)
{
	peer().lock.assert_held();
	want_locked(kEcho);
	echo_seqn_ = seqn;
}

bool Egress::want_echo_locked()
{
	peer().lock.assert_held();
	if (heartbeat_us_)
		return false; // its echo will do
	want_locked(kHeartbeat);
	return true;
}

// Or of one that was sent after it.
bool Egress::take_echo_locked(u32 seqn, u64 now_us, u64 &rtt_us)
{
	peer().lock.assert_held();
	if (!heartbeat_us_ || static_cast<int>(seqn - timed_seqn_) < 0)
		return false;
	rtt_us = now_us - heartbeat_us_;
	heartbeat_us_ = 0;
	return true;
}

// --- frames ----------------------------------------------------------------------

// One time under the lock between two frames: what was sent is accounted for, and
// what comes next composed, or the transmitter leaves.
bool Egress::next_frame(Frame &frame)
{
	Message *done = nullptr;
	bool found;

	if (sending_ && offset_ == sending_->size) {
		done = sending_;
		sending_ = nullptr;
	}
	{
		Guard guard(peer().lock);

		if (done && !is_detached_locked())
			account_locked(*done);
		found = !is_detached_locked() && has_frame_locked();
		if (found)
			compose_locked(frame);
		else
			leave_locked(State::Idle);
	}
	Message::drop(done);
	return found;
}

// What is detached is no part of the peer's account any more.
void Egress::account_locked(const Message &sent)
{
	peer().queued -= sent.charge();
	peer().admit_waiting_locked();
}

bool Egress::may_send_messages_locked() const
{
	return greeted_ && !wants_locked(kReady) &&
	       (is_up(peer().state) || peer().state == CCM_STATE_CLOSING);
}

bool Egress::has_frame_locked() const
{
	if (goodbye_sent_)
		return false;
	if ((due_ & (kHello | kProof | kGoodbye)) ||
	    (greeted_ && (wants_locked(kReady) || !peer().to_announce.empty())))
		return true;
	return may_send_messages_locked() &&
	       ((due_ & (kHeartbeat | kEcho)) || sending_ ||
		!peer().queue.empty());
}

// Control frames first, between the fragments; a goodbye after everything.
void Egress::compose_locked(Frame &frame)
{
	if (compose_control_locked(frame)) {
		// A fragment may follow.
	} else if (may_send_messages_locked() &&
		   (sending_ || !peer().queue.empty())) {
		compose_fragment_locked(frame);
	} else {
		frame.begin(header_locked(wire::Kind::Goodbye));
		goodbye_sent_ = true;
	}
	bool whole = !sending_ || offset_ == sending_->size;
	frame.more = !whole ||
		     (may_send_messages_locked() && !peer().queue.empty());
	peer().stats.frames_out++;
}

bool Egress::compose_control_locked(Frame &frame)
{
	u32 now = due_ & (kHello | kProof);

	if (may_send_messages_locked())
		now |= due_ & (kEcho | kHeartbeat);
	if (now & kHello) {
		frame.begin(handshake_.mine());
		due_ &= ~kHello;
	} else if (now & kProof) {
		compose_proof_locked(frame);
		due_ &= ~kProof;
	} else if (now & kEcho) {
		compose_echo_locked(frame);
		due_ &= ~kEcho;
	} else if (now & kHeartbeat) {
		compose_heartbeat_locked(frame);
		due_ &= ~kHeartbeat;
	} else if (Channel *channel = greeted_ ? peer().to_announce.pop_front()
					       : nullptr) {
		compose_limit_locked(frame, *channel);
	} else if (greeted_ && wants_locked(kReady)) {
		frame.begin(header_locked(wire::Kind::Ready));
		due_ &= ~kReady;
	} else {
		return false;
	}
	return true;
}

wire::Header Egress::header_locked(wire::Kind kind) const
{
	return {.kind = kind,
		.source = static_cast<u16>(connection_.node.number()),
		.destination = static_cast<u16>(peer().config.number),
		.acknowledged = greeted_ ? peer().received_sequence : 0};
}

void Egress::compose_proof_locked(Frame &frame)
{
	wire::Header header = header_locked(wire::Kind::Proof);

	header.length = wire::kProofSize;
	frame.begin(header);
	frame.add(handshake_.proof(), wire::kProofSize);
}

void Egress::compose_heartbeat_locked(Frame &frame)
{
	wire::Header header = header_locked(wire::Kind::Heartbeat);

	header.seqn = ++heartbeat_seqn_;
	if (!heartbeat_us_) {
		heartbeat_us_ = ccm_now_us();
		timed_seqn_ = heartbeat_seqn_;
	}
	peer().stats.heartbeats++;
	frame.begin(header);
}

void Egress::compose_echo_locked(Frame &frame)
{
	wire::Header header = header_locked(wire::Kind::Echo);

	header.seqn = echo_seqn_;
	frame.begin(header);
}

void Egress::compose_limit_locked(Frame &frame, Channel &channel)
{
	wire::Header header = header_locked(wire::Kind::Limit);
	u8 raw[wire::kLimitSize];

	channel.receive.tell();
	header.module = static_cast<u16>(channel.module);
	header.length = wire::kLimitSize;
	wire::encode({.limit = channel.receive.announced,
		      .max_size = channel.receive.max_size},
		     raw);
	frame.begin(header);
	frame.add(raw, sizeof(raw));
}

void Egress::compose_fragment_locked(Frame &frame)
{
	if (!sending_) {
		sending_ = peer().take_queued_locked();
		offset_ = 0;
		peer().sent_sequence++;
	}
	u32 left = sending_->size - offset_;
	u32 length = left < wire::kPayloadMax ? left : wire::kPayloadMax;
	wire::Header header = header_locked(sending_->kind);

	header.module = static_cast<u16>(sending_->module);
	header.type = sending_->key.type;
	header.seqn = sending_->key.seqn;
	header.size = sending_->size;
	header.offset = offset_;
	header.length = length;
	header.sequence = peer().sent_sequence;
	frame.begin(header);
	frame.body = sending_->payload() + offset_;
	frame.body_size = length;
	offset_ += length;
}

} // namespace ccm
