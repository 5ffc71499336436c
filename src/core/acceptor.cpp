// SPDX-License-Identifier: GPL-2.0
#include "core/acceptor.hpp"

#include "core/listener.hpp"
#include "core/node.hpp"

namespace ccm {

namespace {

constexpr u32 kAtOnce = 16;	// connections, then others
constexpr u32 kBacklogMin = 64; // finished by TCP and not accepted
constexpr u32 kAgainMs = 20;	// until it is tried again

} // namespace

Acceptor::Acceptor(Listener &listener_of, Node &node)
	: Work(Of::Acceptor), listener_(listener_of), node_(node)
{
	listener = &listener_of;
}

Acceptor::~Acceptor()
{
	if (socket_)
		ccm_socket_close(socket_);
}

Status Acceptor::listen()
{
	Work *work = this;

	return Status::from(ccm_socket_listen(node_.net, &node_.config.local,
					      work, &socket_));
}

void Acceptor::stop()
{
	stopped_ = true;
	if (socket_)
		ccm_socket_mute(socket_);
}

void Acceptor::serve(u32 bits)
{
	if (bits & kBacklog)
		size_backlog();
	accept_all();
}

void Acceptor::check(u64 now)
{
	if (again_ms_ && now >= again_ms_) {
		again_ms_ = 0;
		listener_.mark(*this, CCM_READY_READ);
	} else if (again_ms_) {
		listener_.wake_at(again_ms_);
	}
}

void Acceptor::try_again()
{
	again_ms_ = ccm_now_ms() + kAgainMs;
	listener_.wake_at(again_ms_);
}

void Acceptor::accept_all()
{
	if (stopped_)
		return;
	// Until the node has begun nobody is told of what comes.
	if (!node_.number()) {
		try_again();
		return;
	}
	for (u32 turn = 0; turn < kAtOnce; turn++) {
		ccm_socket *socket;

		int error = ccm_socket_accept(socket_, &socket);
		if (error == -EAGAIN)
			return;
		if (error) {
			try_again();
			return;
		}
		accept(socket);
	}
	listener_.mark(*this, CCM_READY_READ);
}

// The rest waits in TCP's queue, so that no SYN of a peer's is lost when all of
// them come at once.
void Acceptor::size_backlog()
{
	u32 peers = node_.origins.peer_count();

	ccm_socket_set_backlog(
		socket_,
		static_cast<int>(peers > kBacklogMin ? peers : kBacklogMin));
}

// The address's own oldest goes: it has had most time, and whoever knows the key
// needs little of it.
void Acceptor::make_room(Origin &origin, u32 places)
{
	while (origin.unproven_count >= places)
		refuse(*origin.unproven.front(), CCM_REASON_CROWDED, 0);
}

void Acceptor::leave(Connection &connection)
{
	if (!connection.origin)
		return;
	connection.origin->unproven.remove(&connection);
	connection.origin->unproven_count--;
	connection.origin = Ref<Origin>();
}

void Acceptor::accept(ccm_socket *socket)
{
	Connection *connection = nullptr;
	ccm_endpoint remote;

	node_.stats.count(&ccm_node_stats::accepted);
	ccm_socket_remote(socket, &remote);
	// What can be seen from outside is judged at once.
	Verdict verdict = node_.origins.judge(remote, node_.number());
	if (verdict.reason == CCM_REASON_NONE)
		connection = create<Connection>(MaySleep::Yes, listener_, node_,
						nullptr);
	if (!connection) {
		ccm_socket_close(socket);
		tell_refused(remote,
			     verdict.reason ? verdict.reason
					    : CCM_REASON_CROWDED,
			     0);
		return;
	}

	Work *work = connection;
	connection->listener = &listener_;
	connection->socket = socket;
	connection->remote = remote;
	connection->order = ++accepted_;
	connection->deadline_ms = ccm_now_ms() + kHandshakeMs;
	listener_.wake_at(connection->deadline_ms);
	make_room(*verdict.origin, verdict.places);
	listener_.add(*connection);
	verdict.origin->unproven.push_back(connection);
	verdict.origin->unproven_count++;
	connection->origin = static_cast<Ref<Origin> &&>(verdict.origin);
	int error = ccm_socket_own(socket, work);
	if (error)
		refuse(*connection, CCM_REASON_TAKEN, -error);
	else
		ccm_socket_set_timeout(socket, kHandshakeMs);
}

void Acceptor::admit(Connection &connection)
{
	u32 timeout_ms;
	{
		Guard guard(connection.peer->lock);

		timeout_ms = connection.peer->policy.timeout_ms;
	}
	leave(connection);
	ccm_socket_set_timeout(connection.socket, static_cast<int>(timeout_ms));
}

void Acceptor::refuse(Connection &connection, ccm_reason reason, int error)
{
	tell_refused(connection.remote, reason, error,
		     reason == CCM_REASON_CLAIMED ? connection.named() : 0);
	listener_.remove(connection);
}

static u64 ccm_node_stats::*counter_of(ccm_reason reason)
{
	switch (reason) {
	case CCM_REASON_LATE:
	case CCM_REASON_REPLACED: // by a newer attempt
		return &ccm_node_stats::late;
	case CCM_REASON_CROWDED:
		return &ccm_node_stats::crowded;
	case CCM_REASON_PROOF:
	case CCM_REASON_KEYLESS:
		return &ccm_node_stats::proofs;
	case CCM_REASON_STRANGER:
	case CCM_REASON_CLUSTER:
	case CCM_REASON_UNWANTED:
	case CCM_REASON_CLAIMED:
		return &ccm_node_stats::strangers;
	default:
		return &ccm_node_stats::garbage;
	}
}

void Acceptor::tell_refused(const ccm_endpoint &remote, ccm_reason reason,
			    int error, u32 node)
{
	node_.stats.count(&ccm_node_stats::refused);
	node_.stats.count(counter_of(reason));
	node_.news.refused({.kind = CCM_EVENT_KIND_REFUSED,
			    .node = node,
			    .reason = reason,
			    .error = -error,
			    .remote = remote});
}

} // namespace ccm
