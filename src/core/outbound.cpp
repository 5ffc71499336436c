// SPDX-License-Identifier: GPL-2.0
// The sending side of a connection. Whoever has queued something and finds the
// pump idle works it; when the socket is full, the listener goes on.
#include "core/connection.hpp"
#include "core/listener.hpp"
#include "core/node.hpp"

namespace ccm {

namespace {

constexpr int kSendBudget = 256 * 1024; // bytes at a time
constexpr int kRounds = 4; // times somebody else's messages are sent too

} // namespace

struct Connection::Source {
	Connection &connection;

	bool next(Frame &frame)
	{
		return connection.next_frame(frame);
	}
};

struct Connection::Transport {
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

void Connection::transmit(Peer &peer)
{
	Connection *connection;
	{
		Guard guard(peer.lock);

		connection = peer.connection;
		if (!connection || connection->pumping_ ||
		    connection->blocked_ || !connection->has_work_locked())
			return;
		connection->pumping_ = true;
		connection->again_ = false;
	}
	connection->pump();
}

void Connection::room_again()
{
	Guard guard(peer->lock);

	blocked_ = false;
	again_ = true;
}

// When it returns, the connection may be gone.
void Connection::pump()
{
	Source source{*this};
	Transport transport{socket};

	for (int round = 1;; round++) {
		Pump::Outcome outcome =
			pump_.run(source, transport, kSendBudget);

		if (!keep_pumping(outcome, round >= kRounds))
			return;
	}
}

// What was queued, and what the socket had to say, between the pump's last look
// and now must not be forgotten. When it returns false the connection may be gone.
bool Connection::keep_pumping(Pump::Outcome outcome, bool tired)
{
	Guard guard(peer->lock);

	unfinished_ = pump_.busy();

	if (!detached_) {
		switch (outcome) {
		case Pump::Outcome::Idle:
			if (has_work_locked() && !tired)
				return true;
			if (has_work_locked() || goodbye_sent_)
				mark(kTransmit);
			break;
		case Pump::Outcome::Blocked:
			if (again_) {
				again_ = false;
				return true;
			}
			blocked_ = true;
			break;
		case Pump::Outcome::Budget:
			mark(kTransmit);
			break;
		case Pump::Outcome::Broken:
			blocked_ = true; // the listener will end it
			refused_ = pump_.error();
			mark(CCM_READY_STATE);
			break;
		}
	}
	pumping_ = false;
	if (detached_) {
		mark(kTransmit); // to be done away with
		pump_left_.wake();
	}
	return false;
}

// --- frames ----------------------------------------------------------------------

bool Connection::next_frame(Frame &frame)
{
	Message *done = nullptr;
	bool found;

	if (sending_ && offset_ == sending_->size) {
		done = sending_;
		sending_ = nullptr;
	}
	{
		Guard guard(peer->lock);

		// What is detached is no part of the peer's account any more.
		if (done && !detached_) {
			peer->queued -= done->charge();
			if (!peer->waiting.empty() || !peer->answers.empty())
				peer->admit_waiting_locked();
		}
		found = !detached_ && compose_locked(frame);
		if (found)
			peer->stats.frames_out++;
	}
	Message::drop(done);
	return found;
}

bool Connection::may_send_messages_locked() const
{
	return greeted_ && !ready_due_ &&
	       (is_up(peer->state) || peer->state == CCM_STATE_CLOSING);
}

bool Connection::has_work_locked() const
{
	return unfinished_ || has_frame_locked();
}

bool Connection::has_frame_locked() const
{
	if (goodbye_sent_)
		return false;
	if (hello_due_ || proof_due_ ||
	    (greeted_ && (ready_due_ || !peer->to_announce.empty())))
		return true;
	if (may_send_messages_locked() &&
	    (heartbeat_due_ || echo_due_ || sending_ || !peer->queue.empty()))
		return true;
	return goodbye_due_;
}

// Control frames first, between the fragments; a goodbye after everything.
bool Connection::compose_locked(Frame &frame)
{
	if (!has_frame_locked())
		return false;
	if (hello_due_) {
		compose_hello_locked(frame);
		hello_due_ = false;
	} else if (proof_due_) {
		compose_proof_locked(frame);
		proof_due_ = false;
	} else if (echo_due_ && may_send_messages_locked()) {
		compose_echo_locked(frame);
		echo_due_ = false;
	} else if (heartbeat_due_ && may_send_messages_locked()) {
		compose_heartbeat_locked(frame);
		heartbeat_due_ = false;
	} else if (Channel *channel = greeted_ ? peer->to_announce.pop_front()
					       : nullptr) {
		compose_limit_locked(frame, *channel);
	} else if (greeted_ && ready_due_) {
		frame.begin(header_locked(wire::Kind::Ready));
		ready_due_ = false;
	} else if (may_send_messages_locked() &&
		   (sending_ || !peer->queue.empty())) {
		compose_fragment_locked(frame);
	} else {
		frame.begin(header_locked(wire::Kind::Goodbye));
		goodbye_sent_ = true;
	}
	bool whole = !sending_ || offset_ == sending_->size;
	frame.more = !whole ||
		     (may_send_messages_locked() && !peer->queue.empty());
	return true;
}

wire::Header Connection::header_locked(wire::Kind kind) const
{
	return {.kind = kind,
		.source = static_cast<u16>(node.number()),
		.destination = static_cast<u16>(peer->config.number),
		.acknowledged = greeted_ ? peer->received_sequence : 0};
}

void Connection::compose_hello_locked(Frame &frame)
{
	frame.begin(handshake_.mine());
}

void Connection::compose_proof_locked(Frame &frame)
{
	wire::Header header = header_locked(wire::Kind::Proof);

	header.length = wire::kProofSize;
	frame.begin(header);
	frame.add(handshake_.proof(), wire::kProofSize);
}

void Connection::compose_heartbeat_locked(Frame &frame)
{
	wire::Header header = header_locked(wire::Kind::Heartbeat);

	header.seqn = ++heartbeat_seqn_;
	if (!heartbeat_us_) {
		heartbeat_us_ = ccm_now_us();
		timed_seqn_ = heartbeat_seqn_;
	}
	peer->stats.heartbeats++;
	frame.begin(header);
}

void Connection::compose_echo_locked(Frame &frame)
{
	wire::Header header = header_locked(wire::Kind::Echo);

	header.seqn = echo_seqn_;
	frame.begin(header);
}

void Connection::compose_limit_locked(Frame &frame, Channel &channel)
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

void Connection::compose_fragment_locked(Frame &frame)
{
	if (!sending_) {
		sending_ = peer->take_queued_locked();
		offset_ = 0;
		peer->sent_sequence++;
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
	header.sequence = peer->sent_sequence;
	frame.begin(header);
	frame.body = sending_->payload() + offset_;
	frame.body_size = length;
	offset_ += length;
}

} // namespace ccm
