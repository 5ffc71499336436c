// SPDX-License-Identifier: GPL-2.0
#include "sim/network.hpp"

#include "sim/fault.hpp"

#include <algorithm>
#include <cerrno>

using ccm_testing::fault;
using host::NoSleep;
using host::Place;
using Kind = ccm_sim::Packet::Kind;

namespace ccm_sim {

namespace {

constexpr u64 kSynAgainUs = 1'000'000;
constexpr u64 kAgainUs = 100'000; // what a silence has swallowed, at most
constexpr u64 kTimerMinUs = 50'000;
constexpr u32 kSlowUs = 60'000;
constexpr u32 kNoMemory = 200; // one in so many sends

template <class T, size_t Size> T one_of(World &world, const T (&all)[Size])
{
	return all[world.below(Size)];
}

} // namespace

Climate::Climate(World &world)
{
	static constexpr u32 kBase[] = {20, 100, 1000, 10000};
	static constexpr u32 kRoom[] = {3000, 20000, 200000};
	static constexpr u32 kPiece[] = {30, 1400, 60000};
	static constexpr u32 kSlow[] = {3, 10, 1000};

	base_us = one_of(world, kBase);
	jitter_us = one_of(world, kBase);
	room = one_of(world, kRoom);
	window = one_of(world, kRoom);
	piece = one_of(world, kPiece);
	slow = one_of(world, kSlow);
}

// --- the socket's lock -------------------------------------------------------------

class End::Locked {
public:
	explicit Locked(End &end) : end_(end)
	{
		end_.lock();
	}
	~Locked()
	{
		end_.unlock();
	}
	Locked(const Locked &) = delete;
	Locked &operator=(const Locked &) = delete;

private:
	End &end_;
};

void End::lock()
{
	host::might_sleep();
	while (locked_)
		(void)host.network.world.wait_at(waiters_);
	locked_ = true;
	(void)__atomic_load_n(&released_, __ATOMIC_ACQUIRE);
}

// What came meanwhile is looked at by whoever had it.
void End::unlock()
{
	while (!backlog_.empty()) {
		NoSleep as_a_softirq;
		Packet packet = std::move(backlog_.front());

		backlog_.pop_front();
		handle(packet);
	}
	locked_ = false;
	__atomic_fetch_add(&released_, 1, __ATOMIC_RELEASE);
	host.network.world.wake(waiters_);
}

void End::receive(Packet &packet)
{
	if (locked_) {
		backlog_.push_back(std::move(packet));
		return;
	}
	locked_ = true;
	(void)__atomic_load_n(&released_, __ATOMIC_ACQUIRE);
	handle(packet);
	unlock();
}

// As TCP's callbacks do: nobody is told while mute() runs, or after.
void End::tell(u32 what)
{
	NoSleep in_a_callback;

	telling_++;
	(void)__atomic_load_n(&released_, __ATOMIC_ACQUIRE);
	if (owner_) {
		Inside the_core;
		ccm_core_ready(owner_, what);
	}
	telling_--;
	__atomic_fetch_add(&released_, 1, __ATOMIC_RELEASE);
	host.network.world.wake(waiters_);
}

// --- packets -----------------------------------------------------------------------

End::End(net &host_, u32 remote_, int status, u64 attempt_)
	: host(host_), remote(remote_), attempt(attempt_), status_(status),
	  began_us_(host_.network.world.now_us()), heard_us_(began_us_)
{
	World &world = host.network.world;

	slow_us_ = world.chance(host.network.climate.slow)
			   ? world.below(kSlowUs)
			   : 0;
}

// A reset is not repeated; what else a silence swallows is.
void End::transmit(Kind kind, Bytes bytes)
{
	Network &network = host.network;
	u64 now = network.world.now_us();
	u64 silent_until = network.silent_until_us(host.number, remote);
	u64 at = now + network.latency_us() + slow_us_;

	if (host.lost() || (silent_until > now && kind == Kind::Reset)) {
		reset_lost_ = kind == Kind::Reset;
		return;
	}
	if (silent_until > now)
		at = silent_until + network.world.below(kAgainUs);
	at = std::max(at, last_arrival_us_ + 1);
	last_arrival_us_ = at;
	if (far_ || kind == Kind::Syn)
		network.host(remote).post(at, {.kind = kind,
					       .to = far_ ? far_ : this,
					       .from = this,
					       .bytes = std::move(bytes)});
}

void End::transmit_pieces(const Bytes &bytes)
{
	World &world = host.network.world;
	u32 most = host.network.climate.piece;

	for (size_t at = 0; at < bytes.size();) {
		size_t left = bytes.size() - at;
		size_t piece = std::min<size_t>(left, 1 + world.below(most));
		auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at);

		transmit(Kind::Data,
			 Bytes(begin,
			       begin + static_cast<std::ptrdiff_t>(piece)));
		at += piece;
	}
}

void End::post_to_itself(Kind kind, u64 after_us)
{
	host.post(host.network.world.now_us() + after_us,
		  {.kind = kind, .to = this, .from = far_});
}

void End::handle(Packet &packet)
{
	heard_us_ = packet.kind == Kind::Timer || packet.kind == Kind::Look
			    ? heard_us_
			    : host.network.world.now_us();
	switch (packet.kind) {
	case Kind::SynAck:
		on_syn_ack(*packet.from);
		break;
	case Kind::Joined:
		on_joined();
		break;
	case Kind::Data:
	case Kind::Fin:
		on_stream(packet);
		break;
	case Kind::Acknowledged:
		on_acknowledged(packet.bytes.size());
		break;
	case Kind::Reset:
		fail(status_ == -EINPROGRESS ? ECONNREFUSED : ECONNRESET);
		break;
	case Kind::Look:
		look();
		break;
	case Kind::Timer:
		on_timer();
		break;
	case Kind::Alive:
	case Kind::Syn:
		break;
	}
}

// Who has given up meanwhile does not know the other end.
void End::on_syn_ack(End &from)
{
	if (closed_ || status_ != -EINPROGRESS) {
		host.network.host(remote).post(
			host.network.world.now_us() + host.network.latency_us(),
			{.kind = Kind::Reset, .to = &from});
		return;
	}
	far_ = &from;
	status_ = 0;
	transmit(Kind::Joined);
	tell(CCM_READY_STATE | CCM_READY_WRITE);
}

void End::on_joined()
{
	if (closed_ || status_ != -EINPROGRESS)
		return;
	if (!host.door) {
		drop();
		return;
	}
	status_ = 0;
	host.arriving.push_back(this);
	host.door->tell(CCM_READY_READ);
}

void End::drop()
{
	closed_ = true;
	transmit(Kind::Reset);
}

bool End::has_room(const Packet &packet) const
{
	return packet.kind == Kind::Fin || unread_ == 0 ||
	       unread_ + packet.bytes.size() <= host.network.climate.window;
}

// What comes to a closed socket is answered so.
void End::on_stream(Packet &packet)
{
	if (closed_)
		transmit(Kind::Reset);
	else if (status_ == 0 && (!beyond_.empty() || !has_room(packet)))
		beyond_.push_back(std::move(packet));
	else if (status_ == 0)
		take_in(packet);
}

void End::take_in(Packet &packet)
{
	if (packet.kind == Kind::Fin) {
		ended_ = true;
		tell(CCM_READY_READ | CCM_READY_STATE);
		return;
	}
	unread_ += packet.bytes.size();
	transmit(Kind::Acknowledged, packet.bytes);
	incoming_.push_back(std::move(packet.bytes));
	tell(CCM_READY_READ);
}

void End::look()
{
	while (!closed_ && !beyond_.empty() && has_room(beyond_.front())) {
		Packet packet = std::move(beyond_.front());

		beyond_.pop_front();
		take_in(packet);
	}
}

size_t End::room() const
{
	u64 on_its_way = sent_ - acknowledged_;
	size_t all = host.network.climate.room;

	return on_its_way < all ? all - on_its_way : 0;
}

void End::on_acknowledged(size_t count)
{
	acknowledged_ += count;
	busy_since_us_ = host.network.world.now_us();
	if (closed_ || status_ || !full_ ||
	    room() < host.network.climate.room / 3)
		return;
	full_ = false;
	tell(CCM_READY_WRITE);
}

void End::fail(int error)
{
	if (closed_ || (status_ && status_ != -EINPROGRESS) ||
	    (finished_ && ended_))
		return;
	if (status_ && !owner_) { // it has not been accepted yet
		closed_ = true;
		return;
	}
	status_ = -error;
	beyond_.clear();
	tell(CCM_READY_STATE);
}

bool End::reaches() const
{
	const Network &network = host.network;
	u64 now = network.world.now_us();

	return network.silent_until_us(host.number, remote) <= now &&
	       network.silent_until_us(remote, host.number) <= now &&
	       !host.lost() && !host.network.host(remote).lost();
}

// Its probes, and the end of its patience.
void End::on_timer()
{
	u64 now = host.network.world.now_us();
	bool connecting = status_ == -EINPROGRESS;

	timer_ = false;
	if (closed_ || !timeout_us_ || (status_ && !connecting))
		return;
	if (!connecting && reaches()) {
		heard_us_ = now;
		if (far_->reset_lost_)
			fail(ECONNRESET);
	} else if (now - (connecting ? began_us_ : heard_us_) >= timeout_us_) {
		fail(ETIMEDOUT);
	}
	arm();
}

void End::arm()
{
	if (timer_ || !timeout_us_ || closed_)
		return;
	timer_ = true;
	post_to_itself(Kind::Timer, std::max(timeout_us_ / 4, kTimerMinUs));
}

// --- the core's --------------------------------------------------------------------

void End::connect(void *owner, int timeout_ms)
{
	Locked locked(*this);

	owner_ = owner;
	timeout_us_ = static_cast<u64>(timeout_ms) * 1000;
	transmit(Kind::Syn);
	arm();
}

int End::own(void *owner)
{
	{
		Locked locked(*this);

		owner_ = owner;
	}
	tell(CCM_READY_READ | CCM_READY_WRITE | CCM_READY_STATE);
	return 0;
}

int End::status() const
{
	return !status_ && ended_ ? -EPIPE : status_;
}

void End::set_timeout(int timeout_ms)
{
	Locked locked(*this);

	timeout_us_ = static_cast<u64>(timeout_ms) * 1000;
	arm();
}

bool End::is_shut() const
{
	return far_ && !far_->beyond_.empty();
}

void End::signs(ccm_signs &out)
{
	Locked locked(*this);
	u64 now = host.network.world.now_us();

	out.quiet_ms = (now - heard_us_) / 1000;
	out.acknowledged = acknowledged_;
	out.shut = is_shut();
	out.in_flight = !out.shut && sent_ > acknowledged_;
	out.busy_ms = out.in_flight ? (now - busy_since_us_) / 1000 : 0;
}

void End::probe()
{
	Locked locked(*this);

	if (is_shut() && reaches())
		post_to_itself(Kind::Alive, 2 * host.network.latency_us());
}

int End::send(const u8 *head, size_t head_size, const u8 *body,
	      size_t body_size)
{
	Locked locked(*this);
	Bytes bytes(head, head + head_size);

	bytes.insert(bytes.end(), body, body + body_size);
	if (finished_)
		return -EPIPE;
	if (status_ == -EINPROGRESS)
		return -EAGAIN;
	if (status_)
		return status_;
	if (host.network.world.chance(kNoMemory)) {
		tell(CCM_READY_WRITE);
		return -EAGAIN;
	}
	size_t size = std::min(bytes.size(), room());
	full_ = size < bytes.size();
	if (!size)
		return -EAGAIN;
	if (sent_ == acknowledged_)
		busy_since_us_ = host.network.world.now_us();
	sent_ += size;
	bytes.resize(size);
	transmit_pieces(bytes);
	return static_cast<int>(size);
}

size_t End::give(size_t budget, bool &stopped,
		 size_t (*take)(void *arg, const u8 *, size_t), void *arg)
{
	NoSleep as_under_the_lock_of_a_socket;
	size_t done = 0;

	while (done < budget && !stopped && !incoming_.empty()) {
		Bytes &piece = incoming_.front();
		size_t offered = std::min(piece.size(), budget - done);
		size_t taken;
		{
			Inside the_core;
			taken = take(arg, piece.data(), offered);
		}
		done += taken;
		unread_ -= taken;
		stopped = taken < offered;
		piece.erase(piece.begin(),
			    piece.begin() + static_cast<std::ptrdiff_t>(taken));
		if (piece.empty())
			incoming_.pop_front();
	}
	return done;
}

// Why nothing was read, though something was wanted; 0: nothing is there.
int End::why_nothing() const
{
	return status_ == -EINPROGRESS ? 0 : status();
}

int End::read(size_t budget, size_t (*take)(void *arg, const u8 *, size_t),
	      void *arg)
{
	Locked locked(*this);
	bool stopped = false;
	size_t done = give(budget, stopped, take, arg);

	if (done && !beyond_.empty())
		post_to_itself(Kind::Look, 2 * host.network.latency_us());
	return done || stopped ? static_cast<int>(done) : why_nothing();
}

void End::finish()
{
	Locked locked(*this);

	if (!finished_)
		transmit(Kind::Fin);
	finished_ = true;
}

void End::mute()
{
	Locked locked(*this);

	while (telling_)
		(void)host.network.world.wait_at(waiters_);
	(void)__atomic_load_n(&released_, __ATOMIC_ACQUIRE);
	owner_ = nullptr;
}

void End::close()
{
	if (owner_)
		host::die("closes a socket that is not mute");
	Locked locked(*this);

	closed_ = true;
	incoming_.clear();
	beyond_.clear();
	if (host.door == this) {
		host.door = nullptr;
		for (End *end : host.arriving)
			end->drop();
		host.arriving.clear();
		return;
	}
	watch_replacing();
	if (!(finished_ && ended_) && !status_)
		transmit(Kind::Reset);
}

// A connection that a newer one replaces is closed, and not one by an older.
void End::watch_replacing() const
{
	if (host.replacing != remote)
		return;
	u64 newest = host.network.newest_attempt_but(*this);
	if (newest && newest < attempt)
		fault("node %u: an older connection replaces a newer one of "
		      "node %u's",
		      host.number, remote);
}

// --- machines ----------------------------------------------------------------------

} // namespace ccm_sim

using namespace ccm_sim;

net::net(Network &network_, u32 number_)
	: network(network_), number(number_),
	  softirq_(&network_.world.start(softirq, this))
{
}

void net::softirq(void *self)
{
	Outside outside;

	static_cast<net *>(self)->take_packets();
}

bool net::lost() const
{
	return lost_until_us > network.world.now_us();
}

void net::post(u64 at_us, Packet packet)
{
	packets_.emplace(at_us, std::move(packet));
	network.world.wake(idle_);
}

void net::take_packets()
{
	World &world = network.world;

	while (!stop_) {
		if (packets_.empty()) {
			(void)world.wait_at(idle_);
			continue;
		}
		u64 at = packets_.begin()->first;
		if (at > world.now_us()) {
			(void)world.wait_at(idle_, at);
			continue;
		}
		Packet packet = std::move(packets_.begin()->second);
		packets_.erase(packets_.begin());
		NoSleep in_a_softirq;
		world.step(Place::Socket);
		take(packet);
	}
}

// When a machine is back, it hears what is repeated.
void net::take(Packet &packet)
{
	if (lost() && packet.kind != Kind::Reset)
		post(network.world.now_us() + kAgainUs, std::move(packet));
	else if (packet.kind == Kind::Syn)
		on_syn(*packet.from);
	else if (!lost())
		packet.to->receive(packet);
}

void net::on_syn(End &from)
{
	u64 now = network.world.now_us();

	if (from.closed_)
		return;
	if (!door) {
		from.host.post(now + network.latency_us(),
			       {.kind = Kind::Reset, .to = &from});
	} else if (arriving.size() > backlog) {
		post(now + kSynAgainUs,
		     {.kind = Kind::Syn, .to = &from, .from = &from});
	} else {
		End &made = network.make_end(*this, from.host.number,
					     -EINPROGRESS, from.attempt);
		made.far_ = &from;
		made.transmit(Kind::SynAck);
	}
}

void net::stop()
{
	stop_ = true;
	network.world.wake(idle_);
	network.world.join(*softirq_);
}

namespace ccm_sim {

// --- the network -------------------------------------------------------------------

static Network *the_network;

Network::Network(World &world_) : world(world_), climate(world_)
{
	the_network = this;
}

net &Network::add_host()
{
	return hosts_.emplace_back(*this, size() + 1);
}

void Network::stop()
{
	for (net &host : hosts_)
		host.stop();
}

ccm_endpoint Network::address_of(u32 number)
{
	return {.family = 4,
		.address = {10, 0, 0, static_cast<u8>(number)},
		.port = CCM_PORT_DEFAULT};
}

End &Network::make_end(net &host, u32 remote, int status, u64 attempt)
{
	return ends_.emplace_back(host, remote, status, attempt);
}

u64 Network::latency_us()
{
	u64 us = climate.base_us + world.below(climate.jitter_us + 1);

	if (!calm_ && world.chance(50))
		us += world.below(30000);
	return us;
}

u64 Network::newest_attempt_but(const End &one) const
{
	u64 newest = 0;

	for (const End &end : ends_)
		if (&end != &one && &end.host == &one.host &&
		    end.remote == one.remote && !end.closed_)
			newest = std::max(newest, end.attempt);
	return newest;
}

void Network::cut(u32 a, u32 b)
{
	Outside outside;

	for (End &end : ends_)
		if ((end.host.number == a && end.remote == b) ||
		    (end.host.number == b && end.remote == a))
			end.post_to_itself(Kind::Reset, latency_us());
}

void Network::silence(u32 from, u32 to, u64 us)
{
	Outside outside;

	silent_until_[from - 1][to - 1] = world.now_us() + us;
}

void Network::lose(u32 number, u64 us)
{
	Outside outside;

	host(number).lost_until_us = world.now_us() + us;
}

void Network::calm()
{
	Outside outside;

	calm_ = true;
}

} // namespace ccm_sim

// --- the boundary --------------------------------------------------------------------

// What the core holds: an object that can leak.
struct ccm_socket {
	End *end;
};

namespace {

ccm_socket *new_socket(End *end)
{
	void *place = ccm_object_alloc(sizeof(ccm_socket), true);

	return place ? new (place) ccm_socket{end} : nullptr;
}

// The socket's end, at a call that may sleep.
End &end_of(ccm_socket *socket)
{
	host::might_sleep();
	host::step(Place::Socket);
	return *socket->end;
}

} // namespace

int ccm_socket_listen(net *network, const ccm_endpoint *, void *owner,
		      ccm_socket **out)
{
	host::might_request_module();
	ccm_socket *made = new_socket(nullptr);
	if (!made)
		return -ENOMEM;
	Outside outside;
	if (network->door) { // of a node that is gone, and has begun to listen
		ccm_object_free(made);
		return -EADDRINUSE;
	}
	End &end = network->network.make_end(*network, 0, 0, 0);
	end.own(owner);
	network->door = &end;
	made->end = &end;
	*out = made;
	return 0;
}

void ccm_socket_set_backlog(ccm_socket *listening, int backlog)
{
	End &end = end_of(listening);
	Outside outside;

	end.host.backlog = static_cast<size_t>(backlog);
}

int ccm_socket_accept(ccm_socket *listening, ccm_socket **out)
{
	End &door = end_of(listening);
	ccm_socket *made = new_socket(nullptr);

	if (!made)
		return -ENOMEM;
	Outside outside;
	if (door.host.arriving.empty()) {
		ccm_object_free(made);
		return -EAGAIN;
	}
	made->end = door.host.arriving.front();
	door.host.arriving.pop_front();
	*out = made;
	return 0;
}

int ccm_socket_connect(net *network, const ccm_endpoint *,
		       const ccm_endpoint *remote, int timeout_ms, void *owner,
		       ccm_socket **out)
{
	host::might_request_module();
	*out = new_socket(nullptr);
	if (!*out)
		return -ENOMEM;
	Outside outside;
	End &end = network->network.make_end(*network, remote->address[3],
					     -EINPROGRESS,
					     network->network.new_attempt());
	(*out)->end = &end;
	end.connect(owner, timeout_ms);
	return 0;
}

int ccm_socket_own(ccm_socket *socket, void *owner)
{
	End &end = end_of(socket);
	Outside outside;

	return end.own(owner);
}

int ccm_socket_status(ccm_socket *socket)
{
	host::step(Place::Socket);
	Outside outside;

	return socket->end->status();
}

void ccm_socket_set_timeout(ccm_socket *socket, int timeout_ms)
{
	End &end = end_of(socket);
	Outside outside;

	end.set_timeout(timeout_ms);
}

void ccm_socket_signs(ccm_socket *socket, ccm_signs *out)
{
	End &end = end_of(socket);
	Outside outside;

	end.signs(*out);
}

void ccm_socket_probe(ccm_socket *socket)
{
	End &end = end_of(socket);
	Outside outside;

	end.probe();
}

void ccm_socket_remote(ccm_socket *socket, ccm_endpoint *out)
{
	*out = Network::address_of(socket->end->remote);
	out->port = static_cast<u16>(40000 + socket->end->attempt);
}

int ccm_socket_send(ccm_socket *socket, const void *head, size_t head_size,
		    const void *body, size_t body_size, bool)
{
	End &end = end_of(socket);
	Outside outside;

	return end.send(static_cast<const u8 *>(head), head_size,
			static_cast<const u8 *>(body), body_size);
}

int ccm_socket_read(ccm_socket *socket, size_t budget,
		    size_t (*take)(void *arg, const u8 *bytes, size_t size),
		    void *arg)
{
	End &end = end_of(socket);
	Outside outside;

	return end.read(budget, take, arg);
}

void ccm_socket_finish(ccm_socket *socket)
{
	End &end = end_of(socket);
	Outside outside;

	end.finish();
}

void ccm_socket_mute(ccm_socket *socket)
{
	End &end = end_of(socket);
	Outside outside;

	end.mute();
}

void ccm_socket_close(ccm_socket *socket)
{
	End &end = end_of(socket);
	{
		Outside outside;
		end.close();
	}
	ccm_object_free(socket);
}

// --- what a node says ------------------------------------------------------------------

// What has not been up has lost nothing.
static void watch(const net &network, const ccm_event &event)
{
	if (event.kind == CCM_EVENT_KIND_STATE &&
	    event.state == CCM_STATE_DOWN && !event.lost &&
	    (event.unsent || event.unknown))
		fault("node %u: %lu unsent and %lu unknown messages of node "
		      "%u, which was not up",
		      network.number, static_cast<unsigned long>(event.unsent),
		      static_cast<unsigned long>(event.unknown), event.node);
}

void ccm_report(net *, const ccm_event *)
{
	host::might_sleep();
	host::step(Place::Other);
}

void ccm_tell_modules(net *network, const ccm_event *event)
{
	host::might_sleep();
	host::step(Place::Other);
	watch(*network, *event);
}

// Under the peer's lock: until the connection that replaces its own is the peer's.
void ccm_trace_state(u32 me, u32 peer, ccm_state, ccm_state to,
		     ccm_reason reason)
{
	Outside outside;

	if (me == 0 || me > the_network->size())
		return;
	net &host = the_network->host(me);
	if (to == CCM_STATE_DOWN && reason == CCM_REASON_REPLACED)
		host.replacing = peer;
	else if (host.replacing == peer)
		host.replacing = 0;
}
