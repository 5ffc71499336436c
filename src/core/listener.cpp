// SPDX-License-Identifier: GPL-2.0
#include "core/listener.hpp"

#include "core/endpoint.hpp"
#include "core/node.hpp"

namespace ccm {

namespace {

constexpr u32 kOwnTurns = 64; // calls to itself at once, then others

} // namespace

Listener::Listener(Node &node) : node_(node), acceptor_(*this, node)
{
}

// The thread makes the listening socket. Whoever configures the node may be anybody, and
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

bool Listener::open()
{
	Status result = acceptor_.listen();
	{
		Guard guard(lock_);

		opened_ = result.code();
		tried_ = true;
	}
	opening_.wake();
	return result.ok();
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
	case Work::Of::Acceptor:
		static_cast<Acceptor &>(work).serve(bits);
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
	acceptor_.check(now);
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
			acceptor_.refuse(c, CCM_REASON_LATE, ETIMEDOUT);
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
		forget(*connection); // the socket may have told of it
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
	acceptor_.stop();
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
	acceptor_.leave(connection);
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
