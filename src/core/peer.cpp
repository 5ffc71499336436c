// SPDX-License-Identifier: GPL-2.0
#include "core/peer.hpp"

#include "core/connection.hpp"
#include "core/listener.hpp"
#include "core/mailbox.hpp"
#include "core/node.hpp"

namespace ccm {

Peer::Peer(Node &node_, const ccm_peer_config &config_, bool self_)
	: Work(Work::Of::Peer), node(node_), config(config_), self(self_),
	  since_ms(ccm_now_ms()), policy(config_.policy)
{
	if (self) {
		state = CCM_STATE_UP;
		down_.store(false);
	}
}

// What is charged holds a reference: arrived is empty.
Peer::~Peer()
{
	for (Channel &channel : channels_) {
		channels_.clear(channel.module);
		destroy(&channel);
	}
}

void Peer::put()
{
	if (count_.put())
		destroy(this);
}

// --- sending -------------------------------------------------------------------

Status Peer::send(Message *message, MaySleep may_sleep, int timeout_ms)
{
	Sender sender(message);
	Egress *mine = nullptr;
	auto accepted = offer(sender, timeout_ms != 0, may_sleep, mine);

	if (!accepted.ok()) {
		Message::drop(message);
		return fail(accepted.error());
	}
	if (mine) {
		mine->run();
	} else if (!accepted.value()) {
		TRY(await(sender, timeout_ms));
		Egress::transmit(*this);
	}
	return {};
}

Status Peer::post(Message *answer, Message &call)
{
	Egress *mine;
	{
		Guard guard(lock);

		// Who asked is gone with its session.
		if (!is_up(state) || call.session != downs)
			return fail(EHOSTDOWN);
		// Whoever waits for ever can always be told that it has run.
		if (answer->size > wire::kCallSize)
			TRY(check_locked(channel_of(call), answer->size));
		if (self || (answers.empty() && queued < kQueueMax))
			accept_answer_locked(channel_of(call), answer);
		else
			TRY(let_wait_locked(answer, call));
		mine = claim_egress_locked();
	}
	if (mine)
		mine->run();
	return {};
}

// If it was its call, that is no longer held.
void Peer::accept_answer_locked(Channel &channel, Message *answer)
{
	bool held = answer->owed != 0;

	if (held)
		settle_locked(*answer);
	accept_locked(channel, answer);
	if (held && self)
		freed_locked(channel);
}

// An empty one always has a place: there is no more than one for each call.
Status Peer::let_wait_locked(Message *answer, Message &call)
{
	if (answer->size > wire::kCallSize &&
	    answers_charge + answer->charge() > kQueueMax)
		return fail(ENOBUFS);
	if (answer != &call) {
		answer->owed = call.owed ? call.owed : call.charge();
		answer->peer = call.peer;
		call.peer = nullptr;
	}
	answers_charge += answer->charge();
	answers.push_back(answer);
	stats.waits++;
	return {};
}

Egress *Peer::claim_egress_locked()
{
	return connection && connection->egress.claim_locked()
		       ? &connection->egress
		       : nullptr;
}

// True if it is accepted, false if it waits. One who may sleep transmits it himself,
// if nobody does.
Result<bool> Peer::offer(Sender &sender, bool may_wait, MaySleep may_sleep,
			 Egress *&mine)
{
	Message *message = sender.message;
	Guard guard(lock);

	if (!is_up(state))
		return fail(EHOSTDOWN);
	Channel *channel = channel_locked(message->module);
	if (!channel)
		return fail(ENOMEM);
	TRY(check_locked(*channel, message->size));
	if (channel->waiting.empty() && !is_queue_full_locked() &&
	    has_room_locked(*channel, message->charge())) {
		accept_locked(*channel, message);
		if (may_sleep == MaySleep::Yes)
			mine = claim_egress_locked();
		else if (connection)
			connection->mark(kTransmit);
		return true;
	}
	if (!may_wait) {
		stats.refused++;
		return fail(EAGAIN);
	}
	sender.sleeper.begin();
	sender.channel = channel;
	sender.turn = ++last_turn_;
	channel->waiting.push_back(&sender);
	stats.waits++;
	if (channel->waiting.front() == &sender)
		review_locked(*channel);
	return false;
}

Status Peer::await(Sender &sender, int timeout_ms)
{
	int why = sender.sleeper.wait([] { return false; }, timeout_ms);

	if (!sender.sleeper.ended())
		give_up(sender, -why);
	if (!sender.error)
		return {};
	Message::drop(sender.message);
	wake_listener(); // for those behind that now have room
	return fail(sender.error);
}

// Unless it has ended meanwhile.
void Peer::give_up(Sender &sender, int error_)
{
	Guard guard(lock);

	if (sender.sleeper.ended())
		return;
	sender.error = error_;
	sender.channel->waiting.remove(&sender);
	review_locked(*sender.channel);
	admit_waiting_locked();
}

Status Peer::check_locked(const Channel &channel, u32 size) const
{
	u32 most = self ? channel.receive.max_size : channel.send.max_size;

	if (size > most)
		return fail(EMSGSIZE);
	return {};
}

bool Peer::has_room_locked(const Channel &channel, u64 charge) const
{
	if (self)
		return channel.receive.held + charge <=
			       channel.receive.window &&
		       keeps_locked(channel, charge);
	return channel.send.has_room(charge);
}

void Peer::accept_locked(Channel &channel, Message *message)
{
	stats.messages_out++;
	stats.bytes_out += message->size;
	if (message->kind == wire::Kind::Call)
		stats.calls_out++;
	if (!self) {
		if (message->kind != wire::Kind::Answer)
			channel.send.sent += message->charge();
		queued += message->charge();
		queue_count++;
		queue.push_back(message);
		return;
	}
	stats.messages_in++;
	stats.bytes_in += message->size;
	if (message->kind != wire::Kind::Answer) {
		take_in_locked(channel, message->charge(), message->charge());
		get();
		message->peer = this;
		message->session = downs;
	}
	// It does not overtake a call.
	if (message->kind == wire::Kind::Message && arrived.empty() &&
	    !taking_own) {
		node.arrived(message);
		return;
	}
	arrived.push_back(message);
	listener->mark(*this, kArrived);
}

// The call that this answers is no longer held. The answer is this peer's, so
// somebody else has a reference still.
void Peer::settle_locked(Message &answer)
{
	give_back_locked(channel_of(answer), answer.owed);
	answer.owed = 0;
	answer.peer = nullptr;
	put();
}

Message *Peer::take_queued_locked()
{
	Message *message = queue.pop_front();

	if (message)
		queue_count--;
	return message;
}

// It may be gone when this returns.
static void finish(Sender &sender, int error)
{
	Wakes wakes;

	sender.error = error;
	wakes.end(sender.sleeper);
}

// Those who came first go first, within a channel. So the first of them stands for all.
void Peer::review_locked(Channel &channel)
{
	if (channel.eligible)
		eligible_.remove(&channel);
	channel.eligible = false;
	while (Sender *first = channel.waiting.front()) {
		Status fits = check_locked(channel, first->message->size);

		if (fits.ok()) {
			if (!has_room_locked(channel, first->message->charge()))
				return;
			channel.turn = first->turn;
			channel.eligible = true;
			eligible_.add(&channel);
			return;
		}
		channel.waiting.remove(first);
		finish(*first, fits.error());
	}
}

void Peer::admit_waiting_locked()
{
	while (!answers.empty() && queued < kQueueMax) {
		Message *answer = answers.pop_front();

		answers_charge -= answer->charge();
		settle_locked(*answer);
		accept_locked(channel_of(*answer), answer);
	}
	while (!is_queue_full_locked()) {
		Channel *channel = eligible_.front();

		if (!channel)
			return;
		Sender *first = channel->waiting.front();
		// To this node itself, those before it may have taken the room.
		if (has_room_locked(*channel, first->message->charge())) {
			channel->waiting.remove(first);
			accept_locked(*channel, first->message);
			finish(*first, 0);
		}
		review_locked(*channel);
	}
}

// What was sent to this node itself is no longer held. If nobody has attached that number,
// the others of this kind may have room now too.
void Peer::freed_locked(Channel &freed)
{
	review_locked(freed);
	if (!freed.receive.attached)
		review_orphans_locked();
	admit_waiting_locked();
}

void Peer::review_orphans_locked()
{
	for (Channel &channel : channels_)
		if (!channel.receive.attached && !channel.waiting.empty())
			review_locked(channel);
}

// Their threads drop the messages. Answers go on waiting until the session ends.
void Peer::fail_senders_locked(int error_)
{
	for (Channel &channel : channels_) {
		while (Sender *first = channel.waiting.pop_front())
			finish(*first, error_);
		review_locked(channel);
	}
}

void Peer::wake_listener()
{
	Guard guard(lock);

	if (connection)
		connection->mark(kTransmit);
}

// --- receiving -----------------------------------------------------------------

void Peer::give_back(Channel &channel, u64 charge)
{
	Guard guard(lock);

	give_back_locked(channel, charge);
	if (self)
		freed_locked(channel);
}

bool Peer::keeps_locked(const Channel &channel, u64 charge) const
{
	const ReceiveLimit &receive = channel.receive;

	return receive.attached || (receive.held + charge <= receive.window &&
				    orphaned + charge <= kOrphansMax);
}

void Peer::take_in_locked(Channel &channel, u64 charge, u64 holds)
{
	channel.receive.take_in(charge, holds);
	held += holds;
	if (!channel.receive.attached)
		orphaned += holds;
}

void Peer::give_back_locked(Channel &channel, u64 charge)
{
	channel.receive.give_back(charge);
	held -= charge;
	if (!channel.receive.attached)
		orphaned -= charge;
	if (connection && channel.receive.worth_telling())
		announce_locked(channel);
}

void Peer::announce_locked(Channel &channel)
{
	if (!channel.linked())
		to_announce.push_back(&channel);
	if (connection)
		connection->mark(kTransmit);
}

void Peer::set_attached_locked(Channel &channel, bool attached)
{
	if (channel.receive.attached == attached)
		return;
	channel.receive.attached = attached;
	if (attached)
		orphaned -= channel.receive.held;
	else
		orphaned += channel.receive.held;
}

Status Peer::set_window(u32 module, const ccm_limits &limits, bool attached)
{
	Channel *made = nullptr;

	if (!channels_.get(module)) {
		made = create<Channel>(MaySleep::Yes, module);
		if (!made || !channels_.reserve(module, MaySleep::Yes)) {
			destroy(made);
			return fail(ENOMEM);
		}
	}
	{
		Guard guard(lock);
		Channel *channel = channels_.get(module);

		if (!channel) {
			channel = put_channel_locked(made);
			made = nullptr;
		}
		set_attached_locked(*channel, attached);
		channel->receive.window = limits.window;
		channel->receive.max_size = limits.max_size;
		if (self) {
			review_orphans_locked();
			freed_locked(*channel);
		} else if (connection) {
			announce_locked(*channel);
		}
	}
	destroy(made);
	return {};
}

Channel *Peer::channel_locked(u32 module)
{
	if (Channel *channel = channels_.get(module))
		return channel;

	Channel *made = create<Channel>(MaySleep::No, module);
	if (!made || !channels_.reserve(module, MaySleep::No)) {
		destroy(made);
		return nullptr;
	}
	return put_channel_locked(made);
}

// Until something else is told, a number is as both Hellos have said.
Channel *Peer::put_channel_locked(Channel *made)
{
	// set_window() has made one unless there was one, and none ever goes.
	// NOLINTNEXTLINE(clang-analyzer-core.NullDereference)
	made->send.limit = default_limit;
	made->receive.window = kUnattached.window;
	made->receive.max_size = kUnattached.max_size;
	made->receive.announced = kUnattached.window;
	made->receive.max_announced = kUnattached.max_size;
	return channels_.put_if_empty(made->module, made);
}

// --- state ---------------------------------------------------------------------

void Peer::change_locked(ccm_state to, ccm_reason why, int error_)
{
	ccm_trace_state(node.number(), config.number, state, to, why);
	state = to;
	down_.store(to == CCM_STATE_DOWN);
	reason = why;
	error = error_;
	since_ms = ccm_now_ms();
	if (to == CCM_STATE_DOWN) {
		downs++;
		close_due = false;
		untold = true;
	}
	node.changed();
	changed.wake();
}

bool Peer::begin_closing()
{
	Guard guard(lock);

	listening = false;
	changed.wake(); // who waits for it to connect
	take_no_more_locked();
	close_due = state != CCM_STATE_DOWN;
	return close_due;
}

void Peer::told()
{
	Guard guard(lock);

	untold = false;
	if (deleted)
		node.clean_up_later();
}

bool Peer::may_go()
{
	Guard guard(lock);

	return deleted && state == CCM_STATE_DOWN && !untold;
}

void Peer::meet_locked(u64 proven)
{
	if (claims.contested(proven))
		ccm_warn("node %u: another machine claims number %u",
			 node.number(), config.number);
	claims.admit(proven, ccm_now_ms());
	incarnation = proven;
}

void Peer::take_no_more_locked()
{
	if (!is_up(state))
		return;
	fail_senders_locked(EHOSTDOWN);
	change_locked(CCM_STATE_CLOSING, CCM_REASON_ADMIN, 0);
}

void Peer::begin_session_locked(u32 their_window)
{
	default_limit = their_window;
	sent_sequence = acknowledged_sequence = received_sequence = 0;
	while (to_announce.pop_front())
		;
	for (Channel &channel : channels_) {
		ReceiveLimit &receive = channel.receive;

		channel.send = {.sent = 0, .limit = their_window};
		receive.received = 0;
		receive.announced = kUnattached.window;
		receive.max_announced = kUnattached.max_size;
		// Our Hello has told of all that nobody uses.
		if (receive.earned() == receive.announced &&
		    receive.max_size == receive.max_announced)
			continue;
		receive.announced = 0;
		to_announce.push_back(&channel);
	}
}

Loss Peer::end_session_locked(List<Message> &dropped)
{
	Loss loss;

	loss.unsent = queue_count;
	for (Message *m = answers.front(); m; m = answers.next(m))
		loss.unsent++;
	loss.unknown = sent_sequence - acknowledged_sequence;
	// The next connection may end before its session begins.
	sent_sequence = acknowledged_sequence = 0;
	stats.unsent += loss.unsent;
	stats.unknown += loss.unknown;
	dropped.append(queue);
	dropped.append(answers);
	queued = 0;
	queue_count = 0;
	answers_charge = 0;
	fail_senders_locked(EHOSTDOWN);
	return loss;
}

void Peer::report(ccm_peer_info &out)
{
	Guard guard(lock);

	out.config = config;
	out.config.policy = policy;
	out.state = state;
	out.reason = reason;
	out.error = -error;
	out.listening = listening;
	out.self = self;
	out.deleting = deleted;
	out.since_ms = ccm_now_ms() - since_ms;
	out.incarnation = incarnation;
	out.rtt_us = rtt_us;
	out.queued_out = queued;
	out.queued_in = held;
	out.stats = stats;
}

void uncharge(Message &message)
{
	if (!message.peer)
		return;
	message.peer->give_back(message.peer->channel_of(message),
				message.owed ? message.owed : message.charge());
	message.owed = 0;
	message.peer->put();
	message.peer = nullptr;
}

} // namespace ccm
