// SPDX-License-Identifier: GPL-2.0
#include "core/connection.hpp"

#include "core/endpoint.hpp"
#include "core/listener.hpp"
#include "core/node.hpp"

namespace ccm {

Connection::Connection(Listener &listener, Node &node_, Peer *peer_)
	: Work(Work::Of::Connection), node(node_), peer(peer_),
	  phase(peer_ ? Phase::Connecting : Phase::Hello),
	  egress(*this, handshake_), listener_(listener)
{
	if (peer)
		peer->get();
}

Connection::~Connection()
{
	if (socket)
		ccm_socket_close(socket);
	if (peer)
		peer->put();
}

void Connection::mark(u32 bits)
{
	listener_.mark(*this, bits);
}

void Connection::serve(u32 bits)
{
	bool drained = false;

	if (is_detached()) {
		if (is_unused())
			listener_.remove(*this);
		return;
	}
	if (phase == Phase::Connecting && !finish_connecting())
		return;
	if (bits & (CCM_READY_READ | CCM_READY_STATE))
		if (!receive(drained))
			return;
	if (!peer)
		return;
	note_life();
	if (bits & CCM_READY_WRITE)
		room_again();
	Egress::transmit(*peer);
	if (!finished_ && goodbye_is_out()) {
		finished_ = true;
		ccm_socket_finish(socket);
	}
	// Nothing of ours gets out any more, whatever comes in.
	int refused = why_refused();
	if (refused && ccm_socket_status(socket) == 0) {
		break_off(phase == Phase::Open ? CCM_REASON_BROKEN
					       : CCM_REASON_FAILED,
			  refused);
		return;
	}
	// What came before the end is read first, so that nothing is lost.
	if (drained && (bits & CCM_READY_STATE)) {
		int status = ccm_socket_status(socket);

		if (status < 0 && status != -EINPROGRESS && status != -EPIPE)
			on_end(-status);
	}
}

void Connection::room_again()
{
	Guard guard(peer->lock);

	egress.room_again_locked();
}

bool Connection::goodbye_is_out()
{
	Guard guard(peer->lock);

	return egress.goodbye_is_out_locked();
}

int Connection::why_refused()
{
	Guard guard(peer->lock);

	return egress.refused_locked();
}

bool Connection::on_control()
{
	const wire::Header &header = parser_.header();

	switch (header.kind) {
	case wire::Kind::Hello:
		handshake_.hear(header, wire::decode(control_));
		return peer ? on_hello() : on_pending();
	case wire::Kind::Proof:
		return peer ? on_proof() : on_claim();
	case wire::Kind::Limit: {
		u8 raw[wire::kLimitSize];

		copy(raw, control_, sizeof(raw));
		return on_limit(wire::decode(raw));
	}
	case wire::Kind::Ready:
		return on_ready();
	case wire::Kind::Goodbye:
		return break_off(CCM_REASON_GOODBYE, 0);
	case wire::Kind::Heartbeat:
		on_heartbeat(header.seqn);
		break;
	case wire::Kind::Echo:
		on_echo(header.seqn);
		break;
	case wire::Kind::Message:
	case wire::Kind::Call:
	case wire::Kind::Answer:
		break;
	}
	return true;
}

// Before its Ready the peer says where the session begins; after that a limit
// only grows.
bool Connection::on_limit(const wire::Limit &limit)
{
	bool fine = limit.max_size <= CCM_SIZE_MAX;
	Channel *channel;
	{
		Guard guard(peer->lock);

		channel = peer->channel_locked(parser_.header().module);
		if (channel && phase == Phase::Open &&
		    limit.limit < channel->send.limit)
			fine = false;
		if (channel && fine) {
			channel->send.limit = limit.limit;
			channel->send.max_size = limit.max_size;
			peer->review_locked(*channel);
			peer->admit_waiting_locked();
		}
	}
	if (!fine)
		return break_off(CCM_REASON_PROTOCOL, EPROTO);
	return channel || break_off(CCM_REASON_BROKEN, ENOMEM);
}

// --- signs of life ---------------------------------------------------------------

void Connection::follow_policy()
{
	ccm_peer_policy policy;

	if (phase != Phase::Open)
		return; // it will be asked for then
	{
		Guard guard(peer->lock);

		policy = peer->policy;
	}
	u64 now = ccm_now_ms();
	bool watched = heartbeat_.beats();
	if (watched && heartbeat_.is(policy.interval_ms, policy.limit))
		return;
	if (watched && policy.interval_ms)
		heartbeat_.change(policy.interval_ms, policy.limit, now);
	else
		heartbeat_.begin(policy.interval_ms, policy.limit, now);
	// A machine that lives, and whose listener is busy, is not to be broken
	// off by TCP: heartbeats tell the two apart.
	ccm_socket_set_timeout(
		socket,
		heartbeat_.beats() ? 0 : static_cast<int>(policy.timeout_ms));
	look_ms = heartbeat_.beats() ? now : 0;
	if (look_ms)
		listener_.wake_at(look_ms);
	else
		become(CCM_STATE_UP); // nobody doubts it any more
}

bool Connection::look_after(u64 now)
{
	// Without memory we do not read, and so hear nothing.
	if (todo_ != Todo::Nothing)
		heartbeat_.heard(now, false);
	ccm_signs signs;

	ccm_socket_signs(socket, &signs);
	Heartbeat::Look look = heartbeat_.look(now, signs);
	if (look.verdict == Heartbeat::Verdict::Dead)
		return break_off(CCM_REASON_SILENT, ETIMEDOUT);
	if (look.verdict == Heartbeat::Verdict::Lost)
		return break_off(CCM_REASON_PATH, ETIMEDOUT);
	look_ms = look.again;
	{
		Guard guard(peer->lock);

		peer->stats.missed += look.missed;
		if (look.ask)
			egress.want_locked(Egress::kHeartbeat);
	}
	if (look.verdict == Heartbeat::Verdict::Suspect)
		become(CCM_STATE_SUSPECT);
	else if (look.verdict == Heartbeat::Verdict::Stalled)
		become(CCM_STATE_STALLED);
	Egress::transmit(*peer);
	// No heartbeat passes a window that is shut.
	if (look.ask)
		ccm_socket_probe(socket);
	return true;
}

void Connection::note_life()
{
	if (heard_ && heartbeat_.beats()) {
		heartbeat_.heard(ccm_now_ms(), by_itself_);
		if (doubted_)
			become(CCM_STATE_UP);
	}
	heard_ = by_itself_ = false;
}

void Connection::become(ccm_state state)
{
	{
		Guard guard(peer->lock);

		doubted_ = state != CCM_STATE_UP;
		if (!is_up(peer->state) || peer->state == state)
			return;
		peer->change_locked(state, CCM_REASON_NONE, 0);
	}
	node.news.state(*peer, {.kind = CCM_EVENT_KIND_STATE,
				.node = peer->config.number,
				.state = state});
}

void Connection::ask_locked()
{
	peer->lock.assert_held();
	asked_ = true;
	if (egress.want_echo_locked())
		mark(kTransmit);
}

void Connection::on_heartbeat(u32 seqn)
{
	Guard guard(peer->lock);

	egress.echo_locked(seqn);
}

void Connection::on_echo(u32 seqn)
{
	u64 now_us = ccm_now_us();
	u64 rtt_us;
	bool asked;
	{
		Guard guard(peer->lock);

		if (!egress.take_echo_locked(seqn, now_us, rtt_us))
			return;
		peer->rtt_us = rtt_us;
		asked = asked_;
		asked_ = false;
	}
	if (asked)
		node.tell({.kind = CCM_EVENT_KIND_HEARTBEAT,
			   .node = peer->config.number,
			   .rtt_us = rtt_us});
}

// --- the end ----------------------------------------------------------------------

void Connection::say_goodbye()
{
	{
		Guard guard(peer->lock);

		if (egress.wants_locked(Egress::kGoodbye))
			return;
		egress.want_locked(Egress::kGoodbye);
	}
	deadline_ms = ccm_now_ms() + kGoodbyeMs;
	listener_.wake_at(deadline_ms);
	Egress::transmit(*peer);
	mark(kTransmit); // to see whether it is sent
}

bool Connection::on_end(int error)
{
	if (error == EPROTO)
		return break_off(CCM_REASON_URGENT, EPROTO);
	return break_off(phase == Phase::Open ? CCM_REASON_BROKEN
					      : CCM_REASON_FAILED,
			 error == EPIPE ? ECONNRESET : error);
}

bool Connection::break_off(ccm_reason reason, int error)
{
	if (peer)
		listener_.end(*this, reason, error);
	else
		listener_.acceptor().refuse(*this, reason, error);
	return false;
}

static bool is_break(ccm_reason reason)
{
	return reason != CCM_REASON_ADMIN && reason != CCM_REASON_GOODBYE &&
	       reason != CCM_REASON_REPLACED && reason != CCM_REASON_CLAIMED;
}

bool Connection::is_unused()
{
	Guard guard(peer->lock);

	return egress.is_unused_locked();
}

// Whoever transmits may be a thread that does not get to run: what it has is
// left to it, and so is the socket.
ccm_event Connection::detach(ccm_reason reason, int error)
{
	List<Message> dropped;
	Loss loss;
	bool lost;
	{
		Guard guard(peer->lock);

		peer->connection = nullptr;
		egress.detach_locked();
		if (peer->state == CCM_STATE_CLOSING) {
			reason = CCM_REASON_ADMIN;
			error = 0;
		}
		lost = is_up(peer->state) || peer->state == CCM_STATE_CLOSING;
		if (is_break(reason) && is_up(peer->state))
			peer->stats.breaks++;
		if (reason == CCM_REASON_REPLACED ||
		    reason == CCM_REASON_CLAIMED)
			peer->stats.replaced++;
		if (reason == CCM_REASON_PROTOCOL ||
		    reason == CCM_REASON_URGENT)
			peer->stats.garbage++;
		loss = peer->end_session_locked(dropped);
		peer->change_locked(CCM_STATE_DOWN, reason, error);
	}
	phase = Phase::Ended;
	abandon_message();
	while (Message *message = dropped.pop_front())
		discard(message);
	retry_ms = deadline_ms = look_ms = 0;
	return {.kind = CCM_EVENT_KIND_STATE,
		.node = peer->config.number,
		.state = CCM_STATE_DOWN,
		.reason = reason,
		.error = -error,
		.unsent = loss.unsent,
		.unknown = loss.unknown,
		.lost = lost};
}

} // namespace ccm
