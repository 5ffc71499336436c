// SPDX-License-Identifier: GPL-2.0
#include "core/node.hpp"

#include "core/listener.hpp"
#include "core/numbers.hpp"

namespace ccm {

namespace {

constexpr const char *kGoing = "the namespace is going away";

} // namespace

// Nobody else has it any more.
Node::~Node()
{
	if (Secret *mine = secret_.load())
		mine->put();
	for (Mailbox &mailbox : mailboxes) {
		mailboxes.clear(mailbox.module);
		ccm::destroy(&mailbox);
	}
}

// --- finding ---------------------------------------------------------------------

PeerRef Node::peer(u32 number) const
{
	RcuGuard inside;
	Peer *found = peers_.get(number);

	return PeerRef(found && found->get_live() ? found : nullptr);
}

Ref<Secret> Node::secret() const
{
	RcuGuard inside;
	Secret *found = secret_.load();

	return Ref<Secret>(found && found->get_live() ? found : nullptr);
}

// Who found it has a reference, or is inside. Not under the mutex.
void Node::let_go(Secret *old)
{
	if (!old)
		return;
	ccm_rcu_wait();
	old->put();
}

PeerRef Node::peer_from(u32 number) const
{
	RcuGuard inside;

	while (Peer *found = peers_.from(number)) {
		if (found->get_live())
			return PeerRef(found);
		number = found->config.number + 1;
	}
	return PeerRef();
}

Status Node::find_peer(u32 wanted, PeerRef &found) const
{
	if (number() == 0)
		return fail(ENOTCONN);
	found = peer(wanted);
	if (!found)
		return fail(ENODEV);
	return found->is_down() ? Status(fail(EHOSTDOWN)) : Status();
}

Status Node::check_peer(u32 wanted) const
{
	PeerRef found;

	return find_peer(wanted, found);
}

void Node::report(ccm_node_info &out)
{
	MutexGuard guard(mutex_);

	out.config = config;
	out.config.number = number();
	out.deleting = life_ == Life::Ending;
	out.incarnation = incarnation;
	out.generation = generation_.load();
	if (Ref<Secret> mine = secret()) {
		out.keyed = true;
		out.insecure = !mine->secure;
	}
	out.stats = stats.read();
}

// A listener goes when all who have found its peers inside RCU have left.
void Node::due_at(u64 time_ms)
{
	RcuGuard inside;

	if (Peer *self = peers_.get(number()))
		self->listener->due_at(time_ms);
}

void Node::fail_receivers(u32 node, int error)
{
	for (Mailbox &mailbox : mailboxes)
		mailbox.fail_node(node, error);
}

// --- this node -------------------------------------------------------------------

Status Node::configure(const ccm_node_config &wanted, Refusal &refuse)
{
	TRY(begin_starting(wanted, refuse));
	Status started = start(refuse);
	if (!started.ok() && (started.error() != EINTR || !leave_starting()))
		give_up_starting();
	return started;
}

static const char *const kEnding =
	"this node is still being deleted: wait for the end of that";

Status Node::begin_starting(const ccm_node_config &wanted, Refusal &refuse)
{
	MutexGuard guard(mutex_);

	if (going())
		return refuse(ESHUTDOWN, kGoing);
	if (life_ == Life::Ending)
		return refuse(EBUSY, kEnding);
	if (life_ == Life::GivenUp)
		return refuse(EBUSY, "an attempt at this that was killed has "
				     "not ended yet");
	if (life_ != Life::None)
		return refuse(EBUSY, "this node is configured already: "
				     "delete it first");
	if (!secret())
		return refuse(ENOKEY, "the cluster's key is not set: set "
				      "it, or say that it is insecure");
	auto *listener = create<Listener>(MaySleep::Yes, *this);
	if (!listener)
		return refuse(ENOMEM, "out of memory");
	config = wanted;
	stats.clear();
	ccm_random(&incarnation, sizeof(incarnation));
	listener_ = listener;
	auto self = new_peer({.number = wanted.number, .remote = wanted.local},
			     true);
	if (!self.ok()) {
		listener_ = nullptr;
		ccm::destroy(listener);
		return refuse(ENOMEM, "out of memory");
	}
	life_ = Life::Starting;
	return {};
}

// nullptr: the error says it best.
static const char *why_not_listening(int error)
{
	switch (error) {
	case EADDRNOTAVAIL:
		return "cannot listen at this address: no interface here has it, "
		       "or it is tentative still, or IPv6 is off on its "
		       "interface, or that belongs to a VRF";
	case EADDRINUSE:
		return "this address and port are in use already";
	case EAFNOSUPPORT:
		return "this kernel does not support the address's IP version: "
		       "IPv6 is not there, or switched off";
	case EACCES:
	case EPERM:
		return "not permitted to listen at this address and port: a "
		       "security module or a BPF program forbids it";
	default:
		return nullptr;
	}
}

// The socket may need a module: not under the mutex, as in set_key(). What there is
// stays as it is meanwhile, since nothing but this changes a node that is Starting.
Status Node::start(Refusal &refuse)
{
	Status opened = listener_->start();

	if (!opened.ok())
		return refuse(opened.error(),
			      why_not_listening(opened.error()));
	{
		MutexGuard guard(mutex_);

		if (!going()) {
			life_ = Life::Set;
			number_.store(config.number);
			// Until now due_at() has not found it.
			listener_->due_at(ccm_now_ms());
			news.begin();
			changed();
			tell({.kind = CCM_EVENT_KIND_NODE,
			      .node = config.number});
			return {};
		}
	}
	return refuse(ESHUTDOWN, kGoing);
}

// Whoever is killed does not wait for the listener, which may have to wait for a module
// that is being loaded. The namespace's end waits for the task; false: it may have done
// so already.
bool Node::leave_starting()
{
	MutexGuard guard(mutex_);

	if (going())
		return false;
	life_ = Life::GivenUp;
	cleaning_.start();
	return true;
}

// Nobody has seen anything of it.
void Node::give_up_starting()
{
	Gone gone;
	Listener *listener = listener_;

	listener->stop();
	{
		MutexGuard guard(mutex_);

		remove_all(gone);
		listener_ = nullptr;
		life_ = Life::None;
	}
	ccm_rcu_wait();
	put_all(gone);
	ccm::destroy(listener);
}

// What it is made of may need a module, and loading one may wait for a consumer
// that waits for the mutex: so it is made before.
Status Node::set_key(const void *secret, size_t size, Refusal &refuse)
{
	auto made = Secret::make(secret, size);
	Secret *old;

	if (!made.ok())
		return refuse(made.error(),
			      "no memory for the key, or the kernel "
			      "has no HMAC-SHA256");
	{
		MutexGuard guard(mutex_);

		if (going() || life_ == Life::Ending) {
			made.value()->put();
			return going() ? refuse(ESHUTDOWN, kGoing)
				       : refuse(EBUSY, kEnding);
		}
		old = secret_.exchange(made.value());
		tell({.kind = CCM_EVENT_KIND_KEY});
	}
	let_go(old);
	return {};
}

Status Node::unconfigure(Refusal &refuse)
{
	MutexGuard guard(mutex_);

	if (life_ == Life::Ending)
		return {};
	if (life_ != Life::Set)
		return refuse(ENOTCONN, "this node is not configured");
	begin_ending();
	return {};
}

// Under the mutex.
void Node::begin_ending()
{
	life_ = Life::Ending;
	listener_->ask_to_stop();
	cleaning_.start();
}

// --- what takes time -------------------------------------------------------------

// For one node it runs once at a time.
void Node::clean_up(void *node)
{
	auto *mine = static_cast<Node *>(node);

	mine->remove_deleted();
	Life life = mine->life();
	if (life == Life::Ending)
		mine->end_life();
	else if (life == Life::GivenUp)
		mine->give_up_starting();
}

Node::Life Node::life()
{
	MutexGuard guard(mutex_);

	return life_;
}

// The listener has nothing to do with them any more, and has told all there was to
// tell. One grace period serves them all.
void Node::remove_deleted()
{
	Gone gone;
	{
		MutexGuard guard(mutex_);

		for (Peer &peer : peers_) {
			if (!peer.may_go())
				continue;
			origins.remove(peer);
			peers_.clear(peer.config.number);
			gone.peers.push_back(&peer);
			changed();
			news.leave(peer);
			// Before one of its number can be added again.
			tell({.kind = CCM_EVENT_KIND_PEER_DELETE,
			      .node = peer.config.number});
		}
	}
	if (gone.peers.empty())
		return;
	ccm_rcu_wait();
	put_all(gone);
}

// What the node has accepted from itself comes still: the listener does not run, so
// calls run here as they would there.
void Node::put_all(Gone &gone)
{
	while (Message *message = gone.arrived.pop_front())
		arrived(message);
	while (Peer *peer = gone.peers.pop_front())
		peer->put();
}

// Under the mutex. The listener's thread has ended, so its list of peers can be ours.
void Node::remove_all(Gone &gone)
{
	while (Peer *peer = peers_.from(1)) {
		{
			Guard guard(peer->lock);

			peer->changed.wake();
			peer->fail_senders_locked(EHOSTDOWN);
			// Nobody has seen one of a node that did not start.
			if (peer->state != CCM_STATE_DOWN &&
			    life_ == Life::Ending)
				peer->change_locked(CCM_STATE_DOWN,
						    CCM_REASON_ADMIN, 0);
			peer->deleted = true;
			gone.arrived.append(peer->arrived);
		}
		listener_->forget(*peer);
		news.leave(*peer);
		fail_receivers(peer->config.number, EHOSTDOWN);
		origins.remove(*peer);
		peers_.clear(peer->config.number);
		gone.peers.push_back(peer);
	}
}

// Says goodbye to everyone, at the same time. Until all is done the node keeps its
// number, so that it cannot be configured again; and that it has none is told before
// it gets another.
void Node::end_life()
{
	Gone gone;
	Listener *ended = listener_;
	Secret *old;

	ended->stop();
	news.end();
	{
		MutexGuard guard(mutex_);

		remove_all(gone);
		listener_ = nullptr;
		old = secret_.exchange(nullptr);
	}
	ccm_rcu_wait();
	put_all(gone);
	ccm::destroy(ended);
	if (old)
		old->put();
	// Not under the mutex: whoever is told may do what needs it.
	calls.lost_all();
	MutexGuard guard(mutex_);
	// What came for numbers that nobody attached is of this life.
	for (Mailbox &mailbox : mailboxes)
		mailbox.purge_unattached();
	number_.store(0);
	life_ = Life::None;
	changed();
	tell({.kind = CCM_EVENT_KIND_NODE});
}

void Node::begin_end()
{
	MutexGuard guard(mutex_);

	if (going())
		return;
	going_.store(true);
	for (Mailbox &mailbox : mailboxes)
		mailbox.shut();
	if (life_ == Life::Set)
		begin_ending();
}

void Node::destroy()
{
	List<Message> dropped;

	begin_end();
	// Of consumers that have forgotten to detach. What runs too long is named.
	for (Mailbox &mailbox : mailboxes)
		mailbox.handlers.remove_all();
	cleaning_.wait();
	calls.lost_all();
	pool.stop(dropped);
	while (Message *call = dropped.pop_front())
		discard(call);
}

// --- peers -----------------------------------------------------------------------

static const char *const kDeleting =
	"this peer is still being deleted: wait for the end of that";

static bool is_deleted(Peer &peer)
{
	Guard guard(peer.lock);

	return peer.deleted;
}

// Under the mutex.
Status Node::check_life(Refusal &refuse) const
{
	if (life_ == Life::Ending)
		return refuse(ENOTCONN, kEnding);
	if (life_ != Life::Set)
		return refuse(ENOTCONN, "configure this node first");
	return {};
}

Status Node::add_peer(const ccm_peer_config &wanted, Refusal &refuse)
{
	MutexGuard guard(mutex_);

	TRY(check_life(refuse));
	if (wanted.number == number())
		return refuse(EINVAL, "this is the node's own number");
	if (wanted.remote.family != config.local.family)
		return refuse(EINVAL, "this node's own address is of the "
				      "other IP version");
	if (Peer *there = peers_.get(wanted.number))
		return is_deleted(*there)
			       ? refuse(EBUSY, kDeleting)
			       : refuse(EEXIST,
					"there is a peer of this number "
					"already: delete it first");
	auto made = new_peer(wanted, false);
	if (!made.ok())
		return refuse(made.error(), "out of memory");
	listener_->peers_changed();
	changed();
	tell({.kind = CCM_EVENT_KIND_PEER_ADD, .node = wanted.number});
	made.value()->told();
	return {};
}

// Under the mutex: whoever attaches later finds it.
Result<Peer *> Node::new_peer(const ccm_peer_config &wanted, bool self)
{
	if (!peers_.reserve(wanted.number, MaySleep::Yes))
		return fail(ENOMEM);
	Peer *made = create<Peer>(MaySleep::Yes, *this, wanted, self);
	if (!made)
		return fail(ENOMEM);
	made->listener = listener_;
	for (Mailbox &mailbox : mailboxes) {
		Status set = mailbox.attached()
				     ? made->set_window(mailbox.module,
							mailbox.limits())
				     : Status();
		if (!set.ok()) {
			made->put();
			return fail(set.error());
		}
	}
	Status placed = self ? Status() : origins.add(*made);
	if (!placed.ok()) {
		made->put();
		return fail(placed.error());
	}
	return peers_.put_if_empty(wanted.number, made);
}

// What it waits for its listener does, and clean_up() then takes it away.
Status Node::delete_peer(u32 wanted, Refusal &refuse)
{
	MutexGuard guard(mutex_);
	Peer *peer = peers_.get(wanted);

	if (!peer)
		return refuse(ENODEV, "there is no such peer");
	if (peer->self)
		return refuse(EINVAL, "this is the node itself");
	if (life_ == Life::Ending)
		return {}; // as all its peers
	{
		Guard locked(peer->lock);

		peer->deleted = true;
		peer->changed.wake();
	}
	if (peer->begin_closing())
		listener_->mark(*peer, kClose);
	else
		cleaning_.start();
	return {};
}

Status Node::wait_while(Peer &peer, ccm_state during, int timeout_ms)
{
	return Status::from(peer.changed.wait(
		[&] {
			Guard guard(peer.lock);
			return peer.state != during;
		},
		timeout_ms));
}

static Status why_down(Peer &peer)
{
	Guard guard(peer.lock);

	if (peer.state != CCM_STATE_DOWN)
		return {};
	if (peer.error)
		return fail(peer.error);
	return fail(peer.reason == CCM_REASON_ADMIN ? ECANCELED : EPROTO);
}

Status Node::connect(u32 wanted, int timeout_ms, Refusal &refuse)
{
	PeerRef peer;
	{
		MutexGuard guard(mutex_);

		peer = PeerRef::of(*TRY(find(wanted, refuse)));
		if (wanted < number())
			return refuse(EINVAL,
				      "the lower number connects: let that "
				      "node connect, and listen here");
		Guard locked(peer->lock);
		if (peer->state == CCM_STATE_CLOSING)
			return refuse(EBUSY, "the connection is being closed");
		if (peer->state == CCM_STATE_DOWN) {
			peer->change_locked(CCM_STATE_CONNECTING,
					    CCM_REASON_NONE, 0);
			listener_->mark(*peer, kConnect);
		}
	}
	if (timeout_ms == 0)
		return {};
	TRY(wait_while(*peer, CCM_STATE_CONNECTING, timeout_ms));
	return why_down(*peer);
}

static Status why_not_up(Peer &peer)
{
	Guard guard(peer.lock);

	if (peer.deleted)
		return fail(peer.node.going() ? ESHUTDOWN : ENODEV);
	if (!is_up(peer.state))
		return fail(ECANCELED); // closed meanwhile
	return {};
}

Status Node::listen(u32 wanted, int timeout_ms, Refusal &refuse)
{
	PeerRef peer;
	{
		MutexGuard guard(mutex_);

		peer = PeerRef::of(*TRY(find(wanted, refuse)));
		if (wanted > number())
			return refuse(EINVAL,
				      "the higher number listens: let that "
				      "node listen, and connect here");
		Guard locked(peer->lock);
		if (peer->state == CCM_STATE_CLOSING)
			return refuse(EBUSY, "the connection is being closed");
		peer->listening = true;
	}
	if (timeout_ms == 0)
		return {};
	TRY(Status::from(peer->changed.wait(
		[&] {
			Guard guard(peer->lock);
			return is_up(peer->state) || peer->deleted ||
			       !peer->listening;
		},
		timeout_ms)));
	return why_not_up(*peer);
}

Status Node::set_policy(u32 wanted, const ccm_peer_policy &policy,
			bool set_interval, Refusal &refuse)
{
	MutexGuard guard(mutex_);
	Peer *peer = TRY(find(wanted, refuse));
	{
		Guard locked(peer->lock);

		if (policy.timeout_ms)
			peer->policy.timeout_ms = policy.timeout_ms;
		if (set_interval)
			peer->policy.interval_ms = policy.interval_ms;
		if (policy.limit)
			peer->policy.limit = policy.limit;
	}
	listener_->mark(*peer, kPolicy);
	return {};
}

Status Node::ping(u32 wanted, Refusal &refuse)
{
	MutexGuard guard(mutex_);
	Peer *peer = TRY(find(wanted, refuse));
	Guard locked(peer->lock);

	if (!is_up(peer->state) || !peer->connection)
		return refuse(EHOSTDOWN, "this peer is not connected");
	peer->connection->ask_locked();
	return {};
}

Status Node::poke(u32 wanted, Refusal &refuse)
{
	MutexGuard guard(mutex_);
	Peer *peer = TRY(find(wanted, refuse));

	if (wanted > number())
		return refuse(EINVAL, "the lower number connects: connect, "
				      "instead of asking to be connected");
	listener_->mark(*peer, kPokeIt);
	return {};
}

Status Node::close(u32 wanted, int timeout_ms, Refusal &refuse)
{
	PeerRef peer;
	u64 downs;
	{
		MutexGuard guard(mutex_);

		peer = PeerRef::of(*TRY(find(wanted, refuse)));
		{
			Guard locked(peer->lock);
			downs = peer->downs;
		}
		if (!peer->begin_closing())
			return {};
		listener_->mark(*peer, kClose);
	}
	if (timeout_ms == 0)
		return {};
	return Status::from(peer->changed.wait(
		[&] {
			Guard guard(peer->lock);
			return peer->downs != downs;
		},
		timeout_ms));
}

// --- consumers -------------------------------------------------------------------

Mailbox *Node::make_mailbox(u32 module, MaySleep may_sleep)
{
	if (Mailbox *mailbox = mailboxes.get(module))
		return mailbox;
	if (!mailboxes.reserve(module, may_sleep))
		return nullptr;
	Mailbox *made = create<Mailbox>(may_sleep, module);
	if (!made)
		return nullptr;
	Mailbox *there = mailboxes.put_if_empty(module, made);
	if (there != made)
		ccm::destroy(made);
	return there;
}

Status Node::attach(u32 module, const ccm_limits &limits,
		    struct ::module *owner)
{
	Mailbox *mailbox;
	Status told;
	{
		MutexGuard guard(mutex_);

		if (going())
			return fail(ESHUTDOWN);
		mailbox = make_mailbox(module, MaySleep::Yes);
		if (!mailbox)
			return fail(ENOMEM);
		TRY(mailbox->attach(limits, owner));
		told = set_windows(module, limits, true);
	}
	// Somebody may use the number by now, and end as at any other detach.
	if (!told.ok() && mailbox->begin_detach_of(owner).ok())
		detach(*mailbox);
	return told;
}

// Handlers may attach and detach other numbers meanwhile: not under the mutex.
Status Node::detach(u32 module)
{
	Mailbox *mailbox = mailboxes.get(module);

	if (!mailbox)
		return fail(ENOENT);
	Removal removal(mailbox->handlers);
	TRY(removals_.begin(removal));
	Status begun = mailbox->begin_detach();
	if (begun.ok())
		detach(*mailbox);
	removals_.end(removal);
	return begun;
}

Status Node::unregist(u32 module, u32 function)
{
	Mailbox *mailbox = mailboxes.get(module);

	if (!mailbox)
		return fail(ENOENT);
	Removal removal(mailbox->handlers, function);
	TRY(removals_.begin(removal));
	Status removed = mailbox->handlers.remove(function);
	removals_.end(removal);
	return removed;
}

void Node::detach(Mailbox &mailbox)
{
	mailbox.handlers.remove_all();
	calls.cancel(mailbox.module);
	{
		MutexGuard guard(mutex_);
		// Nobody can attach yet: what comes from now on is nobody's. No
		// memory is needed: the channels were made by attach().
		(void)set_windows(mailbox.module, kUnattached, false);
	}
	mailbox.finish_detach();
}

u32 Node::forget(const struct ::module *owner)
{
	u32 forgotten = 0;

	for (Mailbox &mailbox : mailboxes) {
		if (mailbox.owner() != owner)
			continue;
		// It may have become another's by now.
		if (!mailbox.begin_detach_of(owner).ok()) {
			mailbox.await_end_of(owner);
			continue;
		}
		detach(mailbox);
		forgotten++;
	}
	return forgotten;
}

bool Node::has(const struct ::module *owner)
{
	for (Mailbox &mailbox : mailboxes)
		if (mailbox.owner() == owner)
			return true;
	return false;
}

// From module number to module number; report(mailbox) is the next of one of them.
template <class Report>
static bool report_each(const Table<Mailbox, CCM_MODULE_MAX + 1> &mailboxes,
			ccm_cursor &at, Report report)
{
	while (Mailbox *mailbox = mailboxes.from(at.module)) {
		if (at.module != mailbox->module)
			at = {.module = mailbox->module};
		if (report(*mailbox))
			return true;
		at = {.module = mailbox->module + 1};
	}
	return false;
}

bool Node::report_handler(ccm_cursor &at, ccm_handler_info &out)
{
	return report_each(mailboxes, at, [&](Mailbox &mailbox) {
		out.module = mailbox.module;
		return mailbox.handlers.report(at, out);
	});
}

// Running, then waiting for a thread, then awaited elsewhere. No part is come back to.
bool Node::report_call(ccm_cursor &at, ccm_call_info &out)
{
	enum : u32 { kRunning, kQueued, kAwaited };

	if (at.part == kRunning) {
		if (report_each(mailboxes, at, [&](Mailbox &mailbox) {
			    return mailbox.handlers.report_running(at, out);
		    }))
			return true;
		at = {.part = kQueued};
	}
	if (at.part == kQueued) {
		if (pool.report(at, out))
			return true;
		at = {.part = kAwaited};
	}
	return calls.report(at, out);
}

// Under the mutex: no peer comes or goes.
Status Node::set_windows(u32 module, const ccm_limits &limits, bool attached)
{
	Status result;

	for (Peer &peer : peers_) {
		Status set = peer.set_window(module, limits, attached);
		if (!set.ok())
			result = set;
	}
	return result;
}

Result<Peer *> Node::find(u32 wanted, Refusal &refuse) const
{
	TRY(check_life(refuse));
	if (!is_node(wanted))
		return refuse(EINVAL, "node numbers are from 1 to 1023");
	Peer *found = peers_.get(wanted);
	if (!found)
		return refuse(ENODEV, "there is no such peer: add it first");
	if (found->self)
		return refuse(EINVAL, "this is the node itself");
	if (is_deleted(*found))
		return refuse(ENODEV, kDeleting);
	return found;
}

} // namespace ccm
