// SPDX-License-Identifier: GPL-2.0
#include "network.hpp"

#include "host.hpp"

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

using Guarded = std::lock_guard<std::mutex>;

namespace ccm_testing {

Wire::Wire(Network &network, const ccm_endpoint &remote_, int status)
	: remote(remote_), network_(network), status_(status)
{
}

// --- the test's end --------------------------------------------------------------

// As TCP's callbacks do: nobody is told while ccm_socket_mute() runs, or after.
void Wire::tell(u32 what)
{
	if (owner_)
		ccm_core_ready(owner_, what);
	network_.changed_.notify_all();
}

void Wire::touch()
{
	network_.touched_.push_back(this);
	network_.changed_.notify_all();
}

void Wire::become(int status)
{
	Guarded guard(network_.mutex_);

	status_ = status;
	tell(CCM_READY_STATE);
}

void Wire::establish()
{
	become(0);
}

void Wire::fail(int error)
{
	become(-error);
}

void Wire::refuse(int error)
{
	Guarded guard(network_.mutex_);

	refuses_ = error;
}

void Wire::hold()
{
	Guarded guard(network_.mutex_);

	hold_ = true;
}

void Wire::let_go()
{
	Guarded guard(network_.mutex_);

	hold_ = false;
	network_.changed_.notify_all();
}

bool Wire::holds() const
{
	return network_.await([this] { return held_; });
}

void Wire::set_room(size_t bytes)
{
	Guarded guard(network_.mutex_);

	room_ = bytes;
	if (full_ && bytes) {
		full_ = false;
		tell(CCM_READY_WRITE);
	}
}

void Wire::deliver(const Stream &bytes)
{
	Guarded guard(network_.mutex_);

	incoming_.push_back(bytes);
	tell(CCM_READY_READ);
}

void Wire::end(const Stream &last)
{
	Guarded guard(network_.mutex_);

	if (!last.empty())
		incoming_.push_back(last);
	if (status_ == 0)
		status_ = -EPIPE;
	tell(CCM_READY_READ | CCM_READY_STATE);
}

void Wire::acknowledge()
{
	Guarded guard(network_.mutex_);

	acknowledges_ = true;
}

Stream Wire::take_sent()
{
	Guarded guard(network_.mutex_);

	return std::exchange(sent_, {});
}

bool Wire::closed() const
{
	Guarded guard(network_.mutex_);

	return closed_;
}

void Wire::lose()
{
	Guarded guard(network_.mutex_);

	lost_ = sent_.size();
}

ccm_signs Wire::signs() const
{
	Guarded guard(network_.mutex_);
	size_t arrived = lost_.value_or(sent_.size());

	return {.quiet_ms = acknowledges_ ? 0 : ~0ull,
		.acknowledged = arrived,
		.in_flight = arrived < sent_.size(),
		.busy_ms = 0,
		.shut = full_};
}

Stream Wire::sent() const
{
	Guarded guard(network_.mutex_);

	return sent_;
}

bool Wire::finished() const
{
	Guarded guard(network_.mutex_);

	return finished_;
}

bool Wire::fills() const
{
	return network_.await([this] { return full_; });
}

bool Wire::sends(size_t bytes) const
{
	return network_.await([&] { return sent_.size() >= bytes; });
}

bool Wire::finishes() const
{
	return network_.await([this] { return finished_; });
}

bool Wire::closes() const
{
	return network_.await([this] { return closed_; });
}

bool Wire::is_taken() const
{
	std::unique_lock lock(network_.mutex_);

	(void)network_.await(lock, [this] { return owner_ || closed_; });
	return owner_ != nullptr;
}

bool Wire::look()
{
	std::unique_lock lock(network_.mutex_);
	u64 looks = looks_;

	tell(CCM_READY_READ);
	return network_.await(lock, [&] { return looks_ > looks || closed_; });
}

// The second look begins when all that the first was for is done.
bool Wire::settles()
{
	return look() && look();
}

// --- the node's end --------------------------------------------------------------

int Wire::own(void *owner)
{
	Guarded guard(network_.mutex_);

	if (foreign_)
		return -EBUSY;
	owner_ = owner;
	tell(CCM_READY_READ | CCM_READY_WRITE | CCM_READY_STATE);
	return 0;
}

int Wire::status() const
{
	Guarded guard(network_.mutex_);

	return status_;
}

int Wire::send(const Stream &bytes)
{
	std::unique_lock lock(network_.mutex_);

	if (hold_) {
		held_ = true;
		network_.changed_.notify_all();
		if (!network_.await(lock, [this] { return !hold_; }))
			host::die("nobody lets go who sends");
		held_ = false;
	}
	if (finished_)
		return -EPIPE;
	if (refuses_)
		return -refuses_;
	if (status_ == -EINPROGRESS)
		return -EAGAIN;
	if (status_ < 0 && status_ != -EPIPE)
		return status_;
	size_t count = std::min(bytes.size(), room_.value_or(bytes.size()));
	auto end = bytes.begin() + static_cast<std::ptrdiff_t>(count);
	sent_.insert(sent_.end(), bytes.begin(), end);
	if (room_)
		*room_ -= count;
	full_ = count < bytes.size();
	touch();
	return count ? static_cast<int>(count) : -EAGAIN;
}

// Why nothing was read, though something was wanted; 0: nothing is there.
int Wire::why_nothing() const
{
	return status_ == -EINPROGRESS ? 0 : status_;
}

int Wire::read(size_t budget, size_t (*take)(void *arg, const u8 *, size_t),
	       void *arg)
{
	Guarded guard(network_.mutex_);
	host::NoSleep as_under_the_lock_of_a_socket;
	size_t done = 0;
	bool stopped = false;

	while (done < budget && !stopped && !incoming_.empty()) {
		Stream &piece = incoming_.front();
		size_t offered = std::min(piece.size(), budget - done);
		size_t taken = take(arg, piece.data(), offered);

		done += taken;
		stopped = taken < offered;
		piece.erase(piece.begin(),
			    piece.begin() + static_cast<std::ptrdiff_t>(taken));
		if (piece.empty())
			incoming_.pop_front();
	}
	if (done || stopped)
		return static_cast<int>(done);
	looks_++;
	network_.changed_.notify_all();
	return why_nothing();
}

// An end that the test plays is polite, and closes too.
void Wire::finish()
{
	Guarded guard(network_.mutex_);

	finished_ = true;
	if (status_ == 0)
		status_ = -EPIPE;
	tell(CCM_READY_READ | CCM_READY_STATE);
}

void Wire::mute()
{
	Guarded guard(network_.mutex_);

	owner_ = nullptr;
}

void Wire::close()
{
	Guarded guard(network_.mutex_);

	if (owner_)
		host::die("closes a socket that is not mute");
	closed_ = true;
	touch();
}

// --- the network -----------------------------------------------------------------

Wire *Network::connects()
{
	Wire *wire = nullptr;
	std::unique_lock lock(mutex_);

	(void)await(lock, [this] {
		return !connecting_.empty() || !changes_.empty();
	});
	if (!connecting_.empty()) {
		wire = connecting_.front();
		connecting_.pop_front();
	}
	return wire;
}

Wire *Network::come(const ccm_endpoint &remote, bool foreign)
{
	Guarded guard(mutex_);
	Wire *wire = arrive_locked(remote);

	wire->foreign_ = foreign;
	if (door_)
		ccm_core_ready(door_, CCM_READY_READ);
	return wire;
}

// One more than was asked for, as TCP has it.
Wire *Network::try_arrive(const ccm_endpoint &remote)
{
	Guarded guard(mutex_);

	return door_ && arriving_.size() <= backlog_ ? arrive_locked(remote)
						     : nullptr;
}

void Network::knock()
{
	Guarded guard(mutex_);

	if (door_ && !arriving_.empty())
		ccm_core_ready(door_, CCM_READY_READ);
}

std::deque<Wire *> Network::touched()
{
	Guarded guard(mutex_);

	return std::exchange(touched_, {});
}

Wire *Network::arrive_locked(const ccm_endpoint &remote)
{
	Wire &wire = wires_.emplace_back(*this, remote, 0);

	arriving_.push_back(&wire);
	return &wire;
}

Wire *Network::arrive(const ccm_endpoint &remote)
{
	return come(remote, false);
}

Wire *Network::arrive_taken(const ccm_endpoint &remote)
{
	return come(remote, true);
}

void Network::fail_accept(int error)
{
	Guarded guard(mutex_);

	accept_errors_.push_back(-error);
}

std::optional<ccm_event> Network::next(std::deque<ccm_event> &events)
{
	std::unique_lock lock(mutex_);

	if (!await(lock, [&] { return !events.empty(); }))
		return std::nullopt;
	ccm_event first = events.front();
	events.pop_front();
	return first;
}

std::optional<ccm_event> Network::changes()
{
	return next(changes_);
}

std::optional<ccm_event> Network::heartbeat()
{
	return next(heartbeats_);
}

std::optional<ccm_event> Network::poke()
{
	return next(pokes_);
}

std::optional<ccm_event> Network::refusal()
{
	return next(refusals_);
}

std::optional<ccm_event> Network::goes()
{
	return next(gone_);
}

void Network::fail_listening(int error)
{
	Guarded guard(mutex_);

	listen_error_ = -error;
}

void Network::hold_listening()
{
	Guarded guard(mutex_);

	hold_listening_ = true;
}

void Network::let_listen()
{
	Guarded guard(mutex_);

	hold_listening_ = false;
	changed_.notify_all();
}

bool Network::holds_listening()
{
	return await([this] { return held_listening_; });
}

int Network::open(void *owner)
{
	std::unique_lock lock(mutex_);

	if (hold_listening_) {
		held_listening_ = true;
		changed_.notify_all();
		changed_.wait(lock, [this] { return !hold_listening_; });
		held_listening_ = false;
	}
	if (!listen_error_)
		door_ = owner;
	return listen_error_;
}

// Who was not accepted is reset.
void Network::close()
{
	Guarded guard(mutex_);

	door_ = nullptr;
	for (Wire *wire : arriving_)
		wire->closed_ = true;
	arriving_.clear();
	changed_.notify_all();
}

void Network::set_backlog(int backlog)
{
	Guarded guard(mutex_);

	backlog_ = static_cast<size_t>(backlog);
}

int Network::accept(Wire *&out)
{
	Guarded guard(mutex_);

	if (!accept_errors_.empty()) {
		int error = accept_errors_.front();

		accept_errors_.pop_front();
		return error;
	}
	if (arriving_.empty())
		return -EAGAIN;
	out = arriving_.front();
	arriving_.pop_front();
	return 0;
}

Wire &Network::connect(const ccm_endpoint &remote, void *owner)
{
	Guarded guard(mutex_);
	Wire &wire = wires_.emplace_back(*this, remote, -EINPROGRESS);

	wire.owner_ = owner;
	connecting_.push_back(&wire);
	changed_.notify_all();
	return wire;
}

void Network::watch_reports(std::function<void(const ccm_event &)> watch)
{
	std::unique_lock lock(mutex_);

	watch_reports_ = std::move(watch);
	(void)await(lock, [this] { return watching_ == 0; });
}

void Network::report(const ccm_event &event)
{
	std::function<void(const ccm_event &)> watch;
	{
		Guarded guard(mutex_);

		watch = watch_reports_;
		watching_++;
	}
	if (watch)
		watch(event);
	Guarded guard(mutex_);

	watching_--;
	told_.push_back(event);
	if (event.kind == CCM_EVENT_KIND_HEARTBEAT)
		heartbeats_.push_back(event);
	if (event.kind == CCM_EVENT_KIND_POKE)
		pokes_.push_back(event);
	if (event.kind == CCM_EVENT_KIND_REFUSED)
		refusals_.push_back(event);
	if (event.kind == CCM_EVENT_KIND_PEER_DELETE ||
	    (event.kind == CCM_EVENT_KIND_NODE && event.node == 0))
		gone_.push_back(event);
	changed_.notify_all();
}

void Network::change(const ccm_event &event)
{
	if (on_change)
		on_change(event);
	Guarded guard(mutex_);

	changes_.push_back(event);
	changed_.notify_all();
}

std::vector<ccm_event> Network::told()
{
	Guarded guard(mutex_);

	return told_;
}

std::vector<ccm_event> Network::told(ccm_event_kind kind)
{
	std::vector<ccm_event> events = told();

	std::erase_if(events, [=](const ccm_event &event) {
		return event.kind != kind;
	});
	return events;
}

} // namespace ccm_testing

// --- the boundary ----------------------------------------------------------------

using ccm_testing::Wire;

// What the core holds: an object that can leak.
struct ccm_socket {
	net *network;
	Wire *wire; // nullptr: the door
};

static ccm_socket *new_socket(net *network, Wire *wire)
{
	void *place = ccm_object_alloc(sizeof(ccm_socket), true);

	return place ? new (place) ccm_socket{network, wire} : nullptr;
}

int ccm_socket_listen(net *network, const ccm_endpoint *, void *owner,
		      ccm_socket **out)
{
	host::might_request_module();
	if (!network)
		return -ENOTCONN;
	*out = new_socket(network, nullptr);
	if (!*out)
		return -ENOMEM;
	int error = network->open(owner);
	if (error) {
		ccm_object_free(*out);
		*out = nullptr;
	}
	return error;
}

void ccm_socket_set_backlog(ccm_socket *listening, int backlog)
{
	host::might_sleep();
	listening->network->set_backlog(backlog);
}

int ccm_socket_accept(ccm_socket *listening, ccm_socket **out)
{
	ccm_socket *socket = new_socket(listening->network, nullptr);

	if (!socket)
		return -ENOMEM;
	int error = listening->network->accept(socket->wire);
	if (error)
		ccm_object_free(socket);
	else
		*out = socket;
	return error;
}

int ccm_socket_connect(net *network, const ccm_endpoint *,
		       const ccm_endpoint *remote, int, void *owner,
		       ccm_socket **out)
{
	host::might_request_module();
	*out = new_socket(network, nullptr);
	if (!*out)
		return -ENOMEM;
	(*out)->wire = &network->connect(*remote, owner);
	return 0;
}

int ccm_socket_own(ccm_socket *socket, void *owner)
{
	host::might_sleep();
	return socket->wire->own(owner);
}

int ccm_socket_status(ccm_socket *socket)
{
	return socket->wire->status();
}

void ccm_socket_set_timeout(ccm_socket *, int)
{
	host::might_sleep();
}

void ccm_socket_signs(ccm_socket *socket, ccm_signs *out)
{
	host::might_sleep();
	*out = socket->wire->signs();
}

void ccm_socket_probe(ccm_socket *)
{
	host::might_sleep();
}

void ccm_socket_remote(ccm_socket *socket, ccm_endpoint *out)
{
	*out = socket->wire->remote;
}

int ccm_socket_send(ccm_socket *socket, const void *head, size_t head_size,
		    const void *body, size_t body_size, bool)
{
	auto *first = static_cast<const u8 *>(head);
	auto *second = static_cast<const u8 *>(body);
	ccm_testing::Stream bytes(first, first + head_size);

	host::might_sleep();
	bytes.insert(bytes.end(), second, second + body_size);
	return socket->wire->send(bytes);
}

int ccm_socket_read(ccm_socket *socket, size_t budget,
		    size_t (*take)(void *arg, const u8 *bytes, size_t size),
		    void *arg)
{
	host::might_sleep();
	return socket->wire->read(budget, take, arg);
}

void ccm_socket_finish(ccm_socket *socket)
{
	host::might_sleep();
	socket->wire->finish();
}

void ccm_socket_mute(ccm_socket *socket)
{
	host::might_sleep();
	if (socket->wire)
		socket->wire->mute();
	else
		socket->network->close();
}

void ccm_socket_close(ccm_socket *socket)
{
	host::might_sleep();
	if (socket->wire)
		socket->wire->close();
	ccm_object_free(socket);
}

void ccm_report(net *network, const ccm_event *event)
{
	host::might_sleep();
	if (network)
		network->report(*event);
}

void ccm_tell_modules(net *network, const ccm_event *event)
{
	host::might_sleep();
	if (network)
		network->change(*event);
}
