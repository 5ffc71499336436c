// SPDX-License-Identifier: GPL-2.0
// The receiving side of a connection: from the socket, through the parser, to
// the mailbox. Bytes are looked at under the socket's lock, where nothing may
// sleep or send; what needs either is left to do, and stops the reading.
#include "core/connection.hpp"
#include "core/listener.hpp"
#include "core/node.hpp"

namespace ccm {

namespace {

constexpr u32 kReadBudget = 256 * 1024; // bytes for one peer, then the next
constexpr u32 kTurns = 64;		// things to do for one peer, then too
constexpr u32 kRetryMs = 20;		// until memory is looked for again
constexpr u32 kAtOnce = 4096;		// bytes to get without sleeping

} // namespace

// Drained: nothing more is there, and nothing left to do.
bool Connection::receive(bool &drained)
{
	u32 taken = 0;

	for (u32 turn = 0; turn < kTurns && taken < kReadBudget; turn++) {
		if (todo_ != Todo::Nothing) {
			if (!resolve())
				return false;
			if (todo_ != Todo::Nothing)
				return true; // later
			// What follows may need no byte more.
			Bytes none{nullptr, 0};
			feed(none);
			continue;
		}
		int got = ccm_socket_read(socket, kReadBudget - taken, take,
					  this);
		if (got > 0) {
			taken += static_cast<u32>(got);
			heard_ = true;
		}
		if (todo_ != Todo::Nothing || got > 0)
			continue;
		if (got < 0)
			return on_end(-got);
		drained = true; // the socket will tell of more
		return true;
	}
	mark(CCM_READY_READ);
	return true;
}

// False if the connection has ended. If something is still to do after it, that
// has to wait.
bool Connection::resolve()
{
	Todo todo = todo_;

	todo_ = Todo::Nothing;
	switch (todo) {
	case Todo::Nothing:
		break;
	case Todo::Place:
		retry_ms = 0;
		if (find_place(MaySleep::Briefly))
			break;
		if (todo_ != Todo::Nothing)
			return resolve(); // memory is not what was missing
		todo_ = Todo::Place;
		retry_ms = ccm_now_ms() + kRetryMs;
		listener_.wake_at(retry_ms);
		{
			Guard guard(peer->lock);
			peer->stats.no_memory++;
		}
		break;
	case Todo::Control:
		return on_control();
	case Todo::Arrived:
		act_on_arrived();
		break;
	case Todo::Discard:
		Message::drop(arrived_);
		arrived_ = nullptr;
		break;
	case Todo::Break:
		return break_off(parser_.error() == EPROTONOSUPPORT
					 ? CCM_REASON_VERSION
					 : CCM_REASON_PROTOCOL,
				 EPROTO);
	case Todo::Overrun:
		return break_off(CCM_REASON_BROKEN, ENOBUFS);
	}
	return true;
}

void Connection::act_on_arrived()
{
	Message *arrived = arrived_;

	arrived_ = nullptr;
	node.arrived(arrived);
}

void Connection::finish_reading()
{
	if (todo_ != Todo::Arrived)
		return;
	todo_ = Todo::Nothing;
	act_on_arrived();
}

size_t Connection::take(void *connection, const u8 *data, size_t size)
{
	Bytes bytes{data, size};

	static_cast<Connection *>(connection)->feed(bytes);
	return size - bytes.size;
}

void Connection::feed(Bytes &bytes)
{
	while (todo_ == Todo::Nothing) {
		switch (parser_.feed(bytes)) {
		case Parser::Step::More:
			return;
		case Parser::Step::Header:
			on_header(parser_.header());
			break;
		case Parser::Step::Payload:
			on_payload(parser_.piece());
			break;
		case Parser::Step::Frame:
			on_frame();
			break;
		case Parser::Step::Bad:
			todo_ = Todo::Break;
			break;
		}
	}
}

// The header is judged before any payload is read.
void Connection::on_header(const wire::Header &header)
{
	if (!expects(header) || !acknowledge(header)) {
		todo_ = Todo::Break;
		return;
	}
	if (header.kind != wire::Kind::Heartbeat &&
	    header.kind != wire::Kind::Echo)
		by_itself_ = true;
	if (!is_sequenced(header.kind))
		return;
	if (header.offset == 0)
		begin_message(header);
	else if (!continues(header))
		todo_ = Todo::Break;
}

bool Connection::expects(const wire::Header &header) const
{
	wire::Kind kind = header.kind;

	if (phase == Phase::Hello && !peer)
		return kind == wire::Kind::Hello;
	if (header.source != handshake_.other ||
	    header.destination != node.number() || header.flags)
		return false;
	switch (phase) {
	case Phase::Connecting:
	case Phase::Ended:
		break;
	case Phase::Hello:
		return kind == wire::Kind::Hello;
	case Phase::Proof:
		return kind == wire::Kind::Proof;
	case Phase::Ready:
		return kind == wire::Kind::Limit || kind == wire::Kind::Ready ||
		       kind == wire::Kind::Goodbye;
	case Phase::Open:
		return kind == wire::Kind::Limit || is_sequenced(kind) ||
		       kind == wire::Kind::Goodbye ||
		       kind == wire::Kind::Heartbeat ||
		       kind == wire::Kind::Echo;
	}
	return false;
}

bool Connection::acknowledge(const wire::Header &header)
{
	if (phase == Phase::Hello || phase == Phase::Proof)
		return true; // the peer is not touched yet

	Guard guard(peer->lock);

	peer->stats.frames_in++;
	if (header.acknowledged > peer->sent_sequence ||
	    header.acknowledged < peer->acknowledged_sequence)
		return false;
	peer->acknowledged_sequence = header.acknowledged;
	expected_ = peer->received_sequence + 1;
	return true;
}

void Connection::begin_message(const wire::Header &header)
{
	// The one before must be whole, and none left out.
	if (placement_.channel || header.sequence != expected_) {
		todo_ = Todo::Break;
		return;
	}
	first_ = header;
	placement_.key = {.node = header.source,
			  .type = header.type,
			  .seqn = header.seqn};
	placement_.size = header.size;
	if (!find_place(MaySleep::No) && todo_ == Todo::Nothing)
		todo_ = Todo::Place;
}

bool Connection::continues(const wire::Header &header)
{
	return placement_.channel && header.offset == placement_.filled &&
	       header.kind == first_.kind &&
	       header.sequence == first_.sequence &&
	       header.size == first_.size && header.module == first_.module &&
	       header.type == first_.type && header.seqn == first_.seqn;
}

// False if there is no memory, or the peer sent more than it may.
bool Connection::find_place(MaySleep may_sleep)
{
	Mailbox *mailbox = node.make_mailbox(first_.module, may_sleep);

	if (!mailbox || (!placement_.channel && !charge()))
		return false;
	placement_.mailbox = mailbox;
	if (placement_.dropped)
		return true;
	if (first_.kind == wire::Kind::Message && mailbox->place(placement_))
		return true;
	if (may_sleep == MaySleep::No && first_.size > kAtOnce)
		return false;
	placement_.message = Message::make(first_.module, placement_.key,
					   first_.size, may_sleep);
	if (!placement_.message)
		return false;
	placement_.message->kind = first_.kind;
	return true;
}

bool Connection::charge()
{
	Guard guard(peer->lock);
	Channel *channel = peer->channel_locked(first_.module);
	u64 charge = charge_of(first_.size);

	if (!channel)
		return false;
	// An answer is wanted, and not kept: no limit but that of its size, and
	// none for an empty one.
	bool limited = first_.kind != wire::Kind::Answer;
	if (limited ? !channel->receive.allows(first_.size)
		    : first_.size > channel->receive.max_announced &&
			      first_.size > wire::kCallSize) {
		todo_ = Todo::Break;
		return false;
	}
	placement_.peer = peer;
	placement_.channel = channel;
	if (!limited)
		return true;
	return first_.kind == wire::Kind::Call
		       ? charge_call_locked(*channel, charge)
		       : charge_message_locked(*channel, charge);
}

bool Connection::charge_message_locked(Channel &channel, u64 charge)
{
	placement_.dropped = !peer->keeps_locked(channel, charge);
	if (placement_.dropped)
		peer->stats.dropped++;
	else
		placement_.held = charge;
	peer->take_in_locked(channel, charge, placement_.held);
	return true;
}

// One for a number that nobody has attached is refused at once, and nothing stays
// of it but its answer. Without that one who calls may wait for ever, so none is
// dropped: a peer that takes no answers is left.
bool Connection::charge_call_locked(Channel &channel, u64 charge)
{
	bool refused = !channel.receive.attached;

	if (refused && peer->answers_charge >= kQueueMax + kOrphansMax) {
		placement_ = {};
		todo_ = Todo::Overrun;
		return false;
	}
	placement_.held = refused ? charge_of(0) : charge;
	peer->take_in_locked(channel, charge, placement_.held);
	return true;
}

void Connection::on_payload(const Parser::Piece &piece)
{
	if (!is_sequenced(parser_.header().kind))
		copy(control_ + piece.offset, piece.data, piece.size);
	else if (placement_.dropped)
		placement_.filled += piece.size;
	else
		placement_.mailbox->fill(placement_, piece.data, piece.size);
}

void Connection::on_frame()
{
	if (!is_sequenced(parser_.header().kind))
		todo_ = Todo::Control;
	else if (placement_.filled == placement_.size)
		message_is_whole();
}

void Connection::message_is_whole()
{
	ccm_msg told{.node = placement_.key.node,
		     .module = first_.module,
		     .type = first_.type,
		     .seqn = first_.seqn,
		     .size = first_.size,
		     .data = nullptr};
	Channel &channel = *placement_.channel;

	bool posted = false;
	bool left_over = is_left_over();
	if (left_over) {
		pass_over();
	} else if (first_.kind == wire::Kind::Message) {
		peer->get(); // for the message
		posted = placement_.mailbox->finish(placement_);
	} else {
		hold_for_listener();
	}
	{
		Guard guard(peer->lock);

		peer->received_sequence++;
		peer->stats.messages_in++;
		peer->stats.bytes_in += first_.size;
	}
	if (posted) {
		peer->give_back(channel, placement_.held);
		peer->put();
	}
	placement_ = {};
	if (!left_over)
		ccm_trace_deliver(node.number(), &told, posted);
}

// Its number was detached as it came, and nobody's number keeps so much.
bool Connection::is_left_over()
{
	if (placement_.dropped)
		return true;
	if (first_.kind != wire::Kind::Message)
		return false;
	Guard guard(peer->lock);
	if (!peer->is_too_much_locked(*placement_.channel))
		return false;
	peer->stats.dropped++;
	return true;
}

// To free much memory sleeps.
void Connection::pass_over()
{
	arrived_ = placement_.mailbox->abandon(placement_);
	if (arrived_)
		todo_ = Todo::Discard;
	peer->give_back(*placement_.channel, placement_.held);
}

// Calls and answers are looked at outside the socket's lock.
void Connection::hold_for_listener()
{
	arrived_ = placement_.message;
	todo_ = Todo::Arrived;
	if (first_.kind == wire::Kind::Answer)
		return;
	peer->get();
	arrived_->peer = peer;
	arrived_->owed = placement_.held;
	Guard guard(peer->lock);
	arrived_->session = peer->downs;
}

void Connection::abandon_message()
{
	Message::drop(arrived_); // left over, and counted
	arrived_ = nullptr;
	if (!placement_.channel)
		return;
	if (placement_.mailbox)
		Message::drop(placement_.mailbox->abandon(placement_));
	peer->give_back(*placement_.channel, placement_.held);
	placement_ = {};
}

} // namespace ccm
