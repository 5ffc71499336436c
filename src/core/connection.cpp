// SPDX-License-Identifier: GPL-2.0
#include "core/connection.hpp"

#include "core/endpoint.hpp"
#include "core/listener.hpp"
#include "core/node.hpp"

namespace ccm {

Connection::Connection(Listener &listener, Node &node_, Peer *peer_)
	: Work(Work::Of::Connection), node(node_), peer(peer_),
	  phase(peer_ ? Phase::Connecting : Phase::Hello), listener_(listener)
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

	if (phase == Phase::Connecting && !finish_connecting())
		return;
	if (bits & (CCM_READY_READ | CCM_READY_STATE))
		if (!receive(drained))
			return;
	if (!peer)
		return;
	if (bits & CCM_READY_WRITE)
		room_again();
	transmit(*peer);
	if (!finished_ && goodbye_is_out()) {
		finished_ = true;
		ccm_socket_finish(socket);
	}
	// What came before the end is read first, so that nothing is lost.
	if (drained && (bits & CCM_READY_STATE)) {
		int status = ccm_socket_status(socket);

		if (status < 0 && status != -EINPROGRESS && status != -EPIPE)
			on_end(-status);
	}
}

bool Connection::goodbye_is_out()
{
	Guard guard(peer->lock);

	return goodbye_sent_ && !pumping_ && !unfinished_;
}

bool Connection::finish_connecting()
{
	int status = ccm_socket_status(socket);

	if (status == -EINPROGRESS)
		return false;
	// Closed at once is an end like any other, which reading finds.
	if (status < 0 && status != -EPIPE)
		return break_off(CCM_REASON_FAILED, -status);
	phase = Phase::Hello;
	Guard guard(peer->lock);
	hello_due_ = true;
	return true;
}

bool Connection::on_control()
{
	const wire::Header &header = parser_.header();

	switch (header.kind) {
	case wire::Kind::Hello: {
		wire::Hello hello = wire::decode(control_);

		return peer ? on_hello(hello) : on_stranger(hello);
	}
	case wire::Kind::Limit: {
		u8 raw[wire::kLimitSize];

		copy(raw, control_, sizeof(raw));
		return on_limit(wire::decode(raw));
	}
	case wire::Kind::Ready:
		return on_ready();
	case wire::Kind::Goodbye:
		return break_off(CCM_REASON_GOODBYE, 0);
	case wire::Kind::Message:
	case wire::Kind::Call:
	case wire::Kind::Answer:
		break;
	}
	return true;
}

static bool same_cluster(const wire::Hello &hello,
			 const ccm_node_config &config)
{
	static_assert(sizeof(hello.cluster) == sizeof(config.cluster));
	return __builtin_memcmp(hello.cluster, config.cluster,
				sizeof(hello.cluster)) == 0;
}

// Somebody has connected and says to be a node. Nothing of that peer is touched
// before everything is right.
bool Connection::on_stranger(const wire::Hello &hello)
{
	const wire::Header &header = parser_.header();
	PeerRef named = node.peer(header.source);

	if (!same_cluster(hello, node.config))
		return break_off(CCM_REASON_CLUSTER, 0);
	if (!named || named->self || header.destination != node.number() ||
	    !same_address(remote, named->config.remote))
		return break_off(CCM_REASON_STRANGER, 0);
	if (header.source > node.number())
		return break_off(CCM_REASON_UNWANTED, 0);
	if (!claim(*named, hello))
		return false;
	listener_.known(*this);
	return true;
}

// The connection is this peer's from now on. One it had before must be stale:
// the peer would not have connected otherwise.
bool Connection::claim(Peer &claimed, const wire::Hello &hello)
{
	for (;;) {
		Connection *stale;
		{
			Guard guard(claimed.lock);

			if (!claimed.listening || claimed.deleted)
				break;
			stale = claimed.connection;
			if (!stale) {
				adopt_locked(claimed, hello);
				return true;
			}
		}
		listener_.end(*stale, CCM_REASON_REPLACED, 0);
	}
	return break_off(CCM_REASON_UNWANTED, 0);
}

void Connection::adopt_locked(Peer &claimed, const wire::Hello &hello)
{
	claimed.get();
	peer = &claimed;
	phase = Phase::Ready;
	claimed.change_locked(CCM_STATE_CONNECTING, CCM_REASON_NONE, 0);
	claimed.incarnation = hello.incarnation;
	claimed.begin_session_locked(hello.window);
	claimed.connection = this;
	hello_due_ = greeted_ = ready_due_ = true;
}

// The peer we connected to answers.
bool Connection::on_hello(const wire::Hello &hello)
{
	if (!same_cluster(hello, node.config))
		return break_off(CCM_REASON_CLUSTER, 0);
	phase = Phase::Ready;
	Guard guard(peer->lock);
	peer->incarnation = hello.incarnation;
	peer->begin_session_locked(hello.window);
	greeted_ = ready_due_ = true;
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
			peer->admit_waiting_locked();
		}
	}
	if (!fine)
		return break_off(CCM_REASON_PROTOCOL, EPROTO);
	return channel || break_off(CCM_REASON_BROKEN, ENOMEM);
}

bool Connection::on_ready()
{
	{
		Guard guard(peer->lock);

		peer->change_locked(CCM_STATE_UP, CCM_REASON_NONE, 0);
		peer->stats.connects++;
	}
	phase = Phase::Open;
	deadline_ms = 0;
	node.tell({.kind = CCM_EVENT_KIND_STATE,
		   .node = peer->config.number,
		   .state = CCM_STATE_UP});
	return true;
}

void Connection::say_goodbye()
{
	{
		Guard guard(peer->lock);

		if (goodbye_due_)
			return;
		goodbye_due_ = true;
	}
	deadline_ms = ccm_now_ms() + kGoodbyeMs;
	listener_.wake_at(deadline_ms);
	transmit(*peer);
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
		listener_.refuse(*this, reason, error);
	return false;
}

static bool is_break(ccm_reason reason)
{
	return reason != CCM_REASON_ADMIN && reason != CCM_REASON_GOODBYE &&
	       reason != CCM_REASON_REPLACED;
}

ccm_event Connection::detach(ccm_reason reason, int error)
{
	List<Message> dropped;
	Loss loss;
	{
		Guard guard(peer->lock);

		peer->connection = nullptr;
		detached_ = true;
	}
	// Whoever sends is not blocked by the network, and looks soon.
	pump_left_.wait_idle(
		[this] {
			Guard guard(peer->lock);
			return !pumping_;
		},
		CCM_FOREVER);
	abandon_message();
	{
		Guard guard(peer->lock);

		if (peer->state == CCM_STATE_CLOSING) {
			reason = CCM_REASON_ADMIN;
			error = 0;
		}
		if (is_break(reason) && peer->state == CCM_STATE_UP)
			peer->stats.breaks++;
		if (reason == CCM_REASON_REPLACED)
			peer->stats.replaced++;
		if (reason == CCM_REASON_PROTOCOL ||
		    reason == CCM_REASON_URGENT)
			peer->stats.garbage++;
		loss = peer->end_session_locked(dropped);
		if (sending_)
			dropped.push_back(sending_);
		peer->change_locked(CCM_STATE_DOWN, reason, error);
	}
	while (Message *message = dropped.pop_front())
		Message::drop(message);
	return {.kind = CCM_EVENT_KIND_STATE,
		.node = peer->config.number,
		.state = CCM_STATE_DOWN,
		.reason = reason,
		.error = -error,
		.unsent = loss.unsent,
		.unknown = loss.unknown};
}

} // namespace ccm
