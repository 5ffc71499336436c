// SPDX-License-Identifier: GPL-2.0
#include "core/listener.hpp"

#include "core/endpoint.hpp"
#include "core/node.hpp"

namespace ccm {

namespace {

constexpr u32 kOwnTurns = 64;	 // calls to itself at once, then others
constexpr u32 kAcceptTurns = 16; // connections at once, then others
constexpr u32 kBacklogMin = 64;	 // finished by TCP and not accepted
constexpr u32 kDoorAgainMs = 20; // after an accept without memory

} // namespace

Listener::Listener(Node &node) : node_(node)
{
	door_work_.listener = this;
}

Listener::~Listener()
{
	if (door_)
		ccm_socket_close(door_);
}

// The door is opened by the thread. Whoever configures the node may be anybody, and
// a socket belongs to the cgroup of its maker.
Status Listener::start()
{
	thread_ = ccm_thread_start(run, this, "ccm", node_.config.number);
	if (!thread_)
		return fail(ENOMEM);
	TRY(Status::from(opening_.wait_killable([this] {
		Guard guard(lock_);
		return tried_;
	})));
	Guard guard(lock_);
	return Status::from(opened_);
}

void Listener::ask_to_stop()
{
	{
		Guard guard(lock_);

		stop_ = true;
	}
	awake_.wake();
}

void Listener::stop()
{
	ask_to_stop();
	if (thread_)
		ccm_thread_stop(thread_);
	thread_ = nullptr;
	// It may not even have run.
	begin_stopping();
	end_all();
}

void Listener::end_all()
{
	while (Connection *connection = connections_.front()) {
		if (!connection->peer) {
			remove(*connection);
		} else if (connection->is_detached()) {
			connection->egress.await_leaving();
			remove(*connection);
		} else {
			end(*connection, CCM_REASON_ADMIN, 0);
		}
	}
	while (Poke *left = pokes_.front())
		remove(*left);
	while (Work *left = next_work())
		if (left->of == Work::Of::Peer)
			static_cast<Peer *>(left)->put();
}

void Listener::mark(Work &work, u32 bits)
{
	if (work.bits.fetch_or(bits) != 0)
		return; // it is in the list, or about to be served
	{
		Guard guard(lock_);

		if (work.linked())
			return;
		if (work.of == Work::Of::Peer)
			static_cast<Peer &>(work).get();
		ready_.push_back(&work);
	}
	awake_.wake();
}

void Listener::due_at(u64 time_ms)
{
	{
		Guard guard(lock_);

		if (due_ms_ == 0 || time_ms < due_ms_)
			due_ms_ = time_ms;
	}
	awake_.wake();
}

void Listener::take_due()
{
	Guard guard(lock_);

	if (due_ms_)
		wake_at(due_ms_);
	due_ms_ = 0;
}

void Listener::wake_at(u64 time_ms)
{
	if (wake_at_ms_ == 0 || time_ms < wake_at_ms_)
		wake_at_ms_ = time_ms;
}

// --- the thread -----------------------------------------------------------------

int Listener::run(void *listener)
{
	auto *mine = static_cast<Listener *>(listener);

	if (mine->open())
		mine->work();
	return 0;
}

// Binding waits for nobody.
bool Listener::open()
{
	Work *door = &door_work_;
	int result =
		ccm_socket_listen(node_.net, &node_.config.local, door, &door_);
	{
		Guard guard(lock_);

		opened_ = result;
		tried_ = true;
	}
	opening_.wake();
	return result == 0;
}

void Listener::work()
{
	while (!stopping_ ||
	       (!connections_.empty() && ccm_now_ms() < stop_by_ms_)) {
		if (Work *next = next_work()) {
			serve(*next);
			ccm_yield();
		} else {
			sleep();
		}
		take_due();
		if (wake_at_ms_ && ccm_now_ms() >= wake_at_ms_)
			check_deadlines();
		begin_stopping();
	}
	end_all();
}

Work *Listener::next_work()
{
	Guard guard(lock_);

	return ready_.pop_front();
}

void Listener::serve(Work &work)
{
	u32 bits = work.bits.exchange(0);

	switch (work.of) {
	case Work::Of::Connection:
		static_cast<Connection &>(work).serve(bits);
		break;
	case Work::Of::Peer: {
		Peer &peer = static_cast<Peer &>(work);

		serve_peer(peer, bits);
		peer.put();
		break;
	}
	case Work::Of::Door:
		if (bits & kBacklog)
			size_backlog();
		accept_all();
		break;
	case Work::Of::Poke:
		static_cast<Poke &>(work).serve();
		break;
	}
}

void Listener::sleep()
{
	int timeout_ms = CCM_FOREVER;

	if (wake_at_ms_) {
		u64 now = ccm_now_ms();

		timeout_ms = wake_at_ms_ > now
				     ? static_cast<int>(wake_at_ms_ - now)
				     : 0;
	}
	(void)awake_.wait_idle(
		[this] {
			Guard guard(lock_);
			return !ready_.empty() || due_ms_ ||
			       (stop_ && !stopping_);
		},
		timeout_ms);
}

void Listener::check_deadlines()
{
	u64 now = ccm_now_ms();

	wake_at_ms_ = node_.calls.expire(now);
	if (u64 more = node_.news.expire(now))
		wake_at(more);
	if (door_again_ms_ && now >= door_again_ms_) {
		door_again_ms_ = 0;
		mark(door_work_, CCM_READY_READ);
	} else if (door_again_ms_) {
		wake_at(door_again_ms_);
	}
	for (Connection *c = connections_.front(), *next; c; c = next) {
		next = connections_.next(c);
		check(*c, now);
	}
	check_pokes(now);
	if (stopping_)
		wake_at(stop_by_ms_);
}

// It may be gone then.
void Listener::check(Connection &c, u64 now)
{
	if (c.retry_ms && now >= c.retry_ms)
		mark(c, CCM_READY_READ);
	else if (c.retry_ms)
		wake_at(c.retry_ms);
	if (c.deadline_ms && now >= c.deadline_ms) {
		if (c.peer)
			end(c, CCM_REASON_LATE, ETIMEDOUT);
		else
			refuse(c, CCM_REASON_LATE, ETIMEDOUT);
		return;
	}
	if (c.deadline_ms)
		wake_at(c.deadline_ms);
	if (c.look_ms && now >= c.look_ms && !c.look_after(now))
		return;
	if (c.look_ms)
		wake_at(c.look_ms);
}

void Listener::check_pokes(u64 now)
{
	for (Poke *poke = pokes_.front(), *next; poke; poke = next) {
		next = pokes_.next(poke);
		if (now >= poke->deadline_ms)
			remove(*poke);
		else
			wake_at(poke->deadline_ms);
	}
}

// --- what administrators ask ------------------------------------------------------

void Listener::serve_peer(Peer &peer, u32 bits)
{
	if (bits & kClose)
		close(peer);
	if (bits & kConnect)
		connect(peer);
	if (bits & kPolicy)
		follow_policy(peer);
	if (bits & kPokeIt)
		poke(peer);
	if (bits & kArrived)
		take_own(peer);
}

// Calls of this node to itself, their answers, and messages that came after.
void Listener::take_own(Peer &self)
{
	for (u32 turn = 0; turn < kOwnTurns; turn++) {
		Message *message;
		{
			Guard guard(self.lock);

			message = self.arrived.pop_front();
			self.taking_own = message != nullptr;
		}
		if (!message)
			return;
		node_.arrived(message);
	}
	mark(self, kArrived);
}

void Listener::connect(Peer &peer)
{
	u32 timeout_ms;
	{
		Guard guard(peer.lock);

		timeout_ms = peer.policy.timeout_ms;
		if (peer.state != CCM_STATE_CONNECTING || peer.connection)
			return;
	}
	auto *connection =
		create<Connection>(MaySleep::Yes, *this, node_, &peer);
	if (!connection) {
		fail_connecting(peer, CCM_REASON_FAILED, ENOMEM);
		return;
	}

	Work *work = connection;
	ccm_endpoint local = node_.config.local;
	local.port = 0;
	connection->listener = this;
	connection->remote = peer.config.remote;
	int error = ccm_socket_connect(node_.net, &local, &peer.config.remote,
				       static_cast<int>(timeout_ms), work,
				       &connection->socket);
	if (error) {
		destroy(connection);
		fail_connecting(peer, CCM_REASON_FAILED, -error);
		return;
	}
	connections_.push_back(connection);
	connection->deadline_ms = ccm_now_ms() + timeout_ms;
	wake_at(connection->deadline_ms);
	{
		Guard guard(peer.lock);

		peer.connection = connection;
	}
	mark(*connection, CCM_READY_STATE | CCM_READY_READ);
}

// There is no connection yet that could be ended.
void Listener::fail_connecting(Peer &peer, ccm_reason reason, int error)
{
	{
		Guard guard(peer.lock);

		peer.fail_senders_locked(EHOSTDOWN);
		peer.change_locked(CCM_STATE_DOWN, reason, error);
	}
	tell_down(peer, {.kind = CCM_EVENT_KIND_STATE,
			 .node = peer.config.number,
			 .state = CCM_STATE_DOWN,
			 .reason = reason,
			 .error = -error});
}

// It is, and may go from now on.
void Listener::tell_down(Peer &peer, const ccm_event &event)
{
	node_.fail_receivers(event.node, EHOSTDOWN);
	node_.news.state(peer, event);
	peer.told();
}

void Listener::close(Peer &peer)
{
	Connection *connection;
	{
		Guard guard(peer.lock);

		// It has been down meanwhile: what is there now was asked for later.
		if (!peer.close_due)
			return;
		// Its handshake may have ended.
		peer.take_no_more_locked();
		connection = peer.connection;
	}
	if (!connection) {
		fail_connecting(peer, CCM_REASON_ADMIN, 0);
	} else if (connection->phase != Connection::Phase::Open) {
		end(*connection, CCM_REASON_ADMIN, 0);
	} else {
		connection->say_goodbye();
	}
}

void Listener::follow_policy(Peer &peer)
{
	Connection *connection;
	{
		Guard guard(peer.lock);

		connection = peer.connection;
	}
	if (connection)
		connection->follow_policy();
}

// One at a time: a second would say the same.
void Listener::poke(Peer &peer)
{
	for (Poke *poke = pokes_.front(); poke; poke = pokes_.next(poke))
		if (poke->to == peer.config.number)
			return;
	Poke *made = create<Poke>(MaySleep::Yes, *this, node_, peer.config);
	if (!made)
		return;
	pokes_.push_back(made);
	wake_at(made->deadline_ms);
	made->begin();
}

void Listener::remove(Poke &poke)
{
	pokes_.remove(&poke);
	if (poke.socket)
		ccm_socket_mute(poke.socket);
	forget(poke);
	destroy(&poke);
}

void Listener::begin_stopping()
{
	{
		Guard guard(lock_);

		if (!stop_ || stopping_)
			return;
	}
	stopping_ = true;
	stop_by_ms_ = ccm_now_ms() + kGoodbyeMs;
	wake_at(stop_by_ms_);
	if (door_)
		ccm_socket_mute(door_);
	for (u32 number = 1;;) {
		PeerRef peer = node_.peer_from(number);

		if (!peer)
			break;
		number = peer->config.number + 1;
		if (!peer->self && peer->begin_closing())
			close(*peer);
	}
	for (Connection *c = connections_.front(), *next; c; c = next) {
		next = connections_.next(c);
		if (!c->peer)
			remove(*c);
	}
}

// --- strangers -------------------------------------------------------------------

void Listener::accept_all()
{
	if (stopping_)
		return;
	for (u32 turn = 0; turn < kAcceptTurns; turn++) {
		ccm_socket *socket;

		int error = ccm_socket_accept(door_, &socket);
		if (error == -EAGAIN)
			return;
		if (error) {
			door_again_ms_ = ccm_now_ms() + kDoorAgainMs;
			wake_at(door_again_ms_);
			return;
		}
		accept(socket);
	}
	mark(door_work_, CCM_READY_READ);
}

// The rest waits in TCP's queue, so that no SYN of a peer's is lost when all of
// them come at once.
void Listener::size_backlog()
{
	u32 peers = node_.origins.peer_count();

	ccm_socket_set_backlog(
		door_,
		static_cast<int>(peers > kBacklogMin ? peers : kBacklogMin));
}

// The address's own oldest goes: it has had most time, and whoever knows the key
// needs little of it.
void Listener::make_room(Origin &origin, u32 places)
{
	while (origin.unproven_count >= places)
		refuse(*origin.unproven.front(), CCM_REASON_CROWDED, 0);
}

void Listener::leave_origin(Connection &connection)
{
	if (!connection.origin)
		return;
	connection.origin->unproven.remove(&connection);
	connection.origin->unproven_count--;
	connection.origin = Ref<Origin>();
}

void Listener::accept(ccm_socket *socket)
{
	Connection *connection = nullptr;
	ccm_endpoint remote;

	node_.stats.count(&ccm_node_stats::accepted);
	ccm_socket_remote(socket, &remote);
	// What can be seen from outside is judged at once.
	Verdict verdict = node_.origins.judge(remote, node_.number());
	if (verdict.reason == CCM_REASON_NONE)
		connection = create<Connection>(MaySleep::Yes, *this, node_,
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
	connection->listener = this;
	connection->socket = socket;
	connection->remote = remote;
	connection->order = ++accepted_;
	connection->deadline_ms = ccm_now_ms() + kHandshakeMs;
	wake_at(connection->deadline_ms);
	make_room(*verdict.origin, verdict.places);
	connections_.push_back(connection);
	verdict.origin->unproven.push_back(connection);
	verdict.origin->unproven_count++;
	connection->origin = static_cast<Ref<Origin> &&>(verdict.origin);
	int error = ccm_socket_own(socket, work);
	if (error)
		refuse(*connection, CCM_REASON_TAKEN, -error);
	else
		ccm_socket_set_timeout(socket, kHandshakeMs);
}

void Listener::known(Connection &connection)
{
	u32 timeout_ms;
	{
		Guard guard(connection.peer->lock);

		timeout_ms = connection.peer->policy.timeout_ms;
	}
	leave_origin(connection);
	ccm_socket_set_timeout(connection.socket, static_cast<int>(timeout_ms));
}

void Listener::refuse(Connection &connection, ccm_reason reason, int error)
{
	tell_refused(connection.remote, reason, error,
		     reason == CCM_REASON_CLAIMED ? connection.named() : 0);
	remove(connection);
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

void Listener::tell_refused(const ccm_endpoint &remote, ccm_reason reason,
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

// --- the end of a connection --------------------------------------------------------

void Listener::end(Connection &connection, ccm_reason reason, int error)
{
	Ref<Peer> peer = Ref<Peer>::of(*connection.peer);
	connection.finish_reading();
	ccm_event event = connection.detach(reason, error);
	if (connection.is_unused())
		remove(connection);
	node_.calls.lost(event.node);
	tell_down(*peer, event);
}

// Nobody sends by it, and nobody marks it any more: no peer has it, and the socket
// is mute then.
void Listener::remove(Connection &connection)
{
	ccm_socket_mute(connection.socket);
	connections_.remove(&connection);
	leave_origin(connection);
	forget(connection);
	destroy(&connection);
}

// Until it was down there was always somebody to mark it.
void Listener::forget(Peer &peer)
{
	{
		Guard guard(lock_);

		Work &work = peer;
		if (!work.linked())
			return;
		ready_.remove(&work);
	}
	peer.put();
}

void Listener::forget(Work &work)
{
	Guard guard(lock_);

	if (work.linked())
		ready_.remove(&work);
}

} // namespace ccm
