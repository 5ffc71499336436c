// SPDX-License-Identifier: GPL-2.0
#include "core/mailbox.hpp"

namespace ccm {

Mailbox::~Mailbox()
{
	purge();
}

Status Mailbox::attach(const ccm_limits &limits, struct ::module *owner)
{
	Guard guard(lock_);

	if (shut_)
		return ccm::fail(ESHUTDOWN);
	if (attached_ || detaching_)
		return ccm::fail(EBUSY);
	attached_ = true;
	owner_ = owner;
	limits_ = limits;
	return {};
}

Status Mailbox::set_detaching_locked()
{
	if (!attached_)
		return ccm::fail(ENOENT);
	attached_ = false;
	detaching_ = true;
	limits_ = kUnattached;
	return {};
}

Status Mailbox::begin_detach()
{
	{
		Guard guard(lock_);

		TRY(set_detaching_locked());
	}
	end_all(ESHUTDOWN);
	return {};
}

Status Mailbox::begin_detach_of(const struct ::module *wanted)
{
	{
		Guard guard(lock_);

		if (owner_ != wanted)
			return ccm::fail(ENOENT);
		TRY(set_detaching_locked());
	}
	end_all(ESHUTDOWN);
	return {};
}

void Mailbox::finish_detach()
{
	(void)left_.wait_idle([this] { return users_.load() == 0; },
			      CCM_FOREVER);
	// One that was being registered has been by now.
	handlers.remove_all();
	purge();
	Guard guard(lock_);
	detaching_ = false;
	owner_ = nullptr;
	left_.wake();
}

void Mailbox::await_end_of(const struct ::module *leaving)
{
	(void)left_.wait_idle(
		[&] {
			Guard guard(lock_);
			return owner_ != leaving;
		},
		CCM_FOREVER);
}

struct ::module *Mailbox::owner()
{
	Guard guard(lock_);

	return owner_;
}

void Mailbox::purge()
{
	while (Message *message = pop())
		discard(message);
}

void Mailbox::purge_unattached()
{
	if (!attached())
		purge();
}

void Mailbox::shut()
{
	{
		Guard guard(lock_);

		shut_ = true;
	}
	end_all(ESHUTDOWN);
}

ccm_limits Mailbox::limits()
{
	Guard guard(lock_);

	return limits_;
}

bool Mailbox::attached()
{
	Guard guard(lock_);

	return attached_;
}

void Mailbox::report(ccm_consumer_info &out)
{
	Guard guard(lock_);

	out.module = module;
	out.attached = attached_;
	out.owner = ccm_module_name(owner_);
	out.limits = limits_;
	out.receivers = waiting_;
	out.messages = count_;
	out.queued = bytes_;
}

// --- receiving -----------------------------------------------------------------

Status Mailbox::enter()
{
	Guard guard(lock_);

	if (shut_)
		return ccm::fail(ESHUTDOWN);
	if (!attached_)
		return ccm::fail(ENOENT);
	(void)users_.add(1);
	return {};
}

void Mailbox::leave()
{
	if (users_.add(-1) == 0)
		left_.wake();
}

Result<Message *> Mailbox::take(const Receiver &receiver, u32 *size)
{
	Guard guard(lock_);
	Message *message = find_locked(receiver.want);

	if (!message)
		return ccm::fail(EAGAIN);
	*size = message->size;
	if (!receiver.has_room(message->size))
		return ccm::fail(EMSGSIZE);
	unqueue_locked(message);
	return message;
}

bool Mailbox::post(Receiver &receiver)
{
	Wakes wakes;
	Guard guard(lock_);

	receiver.sleeper.begin();
	if (shut_ || !attached_) {
		receiver.conclude(ESHUTDOWN, wakes);
		return false;
	}
	if (serve_locked(receiver, wakes))
		return false;
	enlist_locked(receiver);
	return true;
}

void Mailbox::fail(Receiver &receiver, int error)
{
	Wakes wakes;
	Guard guard(lock_);

	if (receiver.state == Receiver::State::Posted)
		end_locked(receiver, error, wakes);
}

// A receiver whose buffer is being filled cannot just leave: the listener
// writes there. It puts a message of its own in the buffer's place; if there
// is no memory for one, it stays until the rest has come or never will.
void Mailbox::withdraw(Receiver &receiver, int error)
{
	if (receiver.sleeper.ended() || give_up(receiver, error) ||
	    move_out(receiver))
		return;
	receiver.sleeper.wait_idle();
}

// True if it is done. Else what fills its buffer is the last that does.
bool Mailbox::give_up(Receiver &receiver, int error)
{
	Wakes wakes;
	Guard guard(lock_);

	if (receiver.state != Receiver::State::Done &&
	    !receiver.given_up.load())
		end_soon_locked(receiver, error, wakes);
	return receiver.state == Receiver::State::Done;
}

// It has given up, so key and size stand still, and so do the bytes that have
// come: most are copied without the lock. False if there is no memory.
bool Mailbox::move_out(Receiver &receiver)
{
	Message *message = Message::make(module, receiver.key, receiver.size,
					 MaySleep::Yes);
	u32 copied = 0;

	if (!message)
		return false;
	for (;;) {
		u32 filled;
		{
			Wakes wakes;
			Guard guard(lock_);

			if (receiver.state != Receiver::State::Filling)
				break;
			Placement &placement = *receiver.filling;
			filled = placement.filled;
			if (filled - copied <= kCopyLocked) {
				copy(message->payload() + copied,
				     receiver.buffer + copied, filled - copied);
				placement.message = message;
				placement.receiver = nullptr;
				end_locked(receiver, receiver.given_up.load(),
					   wakes);
				return true;
			}
		}
		copy(message->payload() + copied, receiver.buffer + copied,
		     filled - copied);
		copied = filled;
	}
	Message::drop(message);
	return true;
}

int Mailbox::cancel(const Want &want, int error)
{
	return end_those(
		[&] {
			lock_.assert_held();
			return filed_receivers_.first(want.form(), want.key());
		},
		[&](Receiver &r) {
			lock_.assert_held();
			return filed_receivers_.next(want.form(), r);
		},
		error);
}

void Mailbox::fail_node(u32 node, int error)
{
	(void)end_those(
		[&] {
			lock_.assert_held();
			return of_nodes_.first(node);
		},
		[&](Receiver &r) {
			lock_.assert_held();
			return of_nodes_.next(r);
		},
		error);
}

void Mailbox::end_all(int error)
{
	(void)end_those(
		[&] {
			lock_.assert_held();
			return receivers_.front();
		},
		[&](Receiver &r) {
			lock_.assert_held();
			return receivers_.next(&r);
		},
		error);
}

struct Mailbox::Ending {
	int error;
	u64 last = 0; // of those that there were when it began
	u64 done = 0; // up to this number
	int count = 0;
};

// Those of a list in order. How many.
template <class First, class Next>
int Mailbox::end_those(First first, Next next, int error)
{
	Ending ending{.error = error};

	while (end_some(first, next, ending))
		;
	return ending.count;
}

// Whether there may be more. Those that are being filled stay in the list for a while,
// no more than there are connections.
template <class First, class Next>
bool Mailbox::end_some(First first, Next next, Ending &ending)
{
	Wakes wakes;
	Guard guard(lock_);
	Receiver *r = first();

	if (ending.last == 0)
		ending.last = last_number_;
	while (r && r->number <= ending.done)
		r = next(*r);
	while (r && r->number <= ending.last) {
		Receiver *behind = next(*r);

		if (wakes.full())
			return true;
		ending.done = r->number;
		ending.count++;
		end_soon_locked(*r, ending.error, wakes);
		r = behind;
	}
	return false;
}

// --- arriving ------------------------------------------------------------------

// Whoever is first in line decides. One without a buffer gets the message by
// pointer when that is whole; one with too little room is told then too, so that
// the message is there for the next attempt.
bool Mailbox::place(Placement &placement)
{
	Guard guard(lock_);
	Receiver *r = longest_locked(placement.key);

	if (!r || !r->buffer || !r->has_room(placement.size))
		return false;
	step_out_locked(*r);
	r->state = Receiver::State::Filling;
	r->filling = &placement;
	r->key = placement.key;
	r->size = placement.size;
	placement.receiver = r;
	return true;
}

void Mailbox::fill(Placement &placement, const u8 *data, size_t size)
{
	{
		Guard guard(lock_);

		if (placement.receiver) {
			copy(placement.receiver->buffer + placement.filled,
			     data, size);
			placement.filled += static_cast<u32>(size);
			return;
		}
	}
	// A message stays where it is, and only the listener knows it yet.
	copy(placement.message->payload() + placement.filled, data, size);
	placement.filled += static_cast<u32>(size);
}

bool Mailbox::finish(Placement &placement)
{
	Message *message;
	{
		Wakes wakes;
		Guard guard(lock_);

		if (Receiver *r = placement.receiver) {
			placement.receiver = nullptr;
			end_locked(*r, 0, wakes);
			return true;
		}
		message = placement.message;
		placement.message = nullptr;
	}
	message->peer = placement.peer;
	deliver(message);
	return false;
}

Message *Mailbox::abandon(Placement &placement)
{
	Wakes wakes;
	Guard guard(lock_);
	Message *message = placement.message;

	if (Receiver *r = placement.receiver) {
		r->filling = nullptr;
		if (int why = r->given_up.load()) {
			end_locked(*r, why, wakes);
		} else if (find_locked(r->want)) {
			strike_locked(*r);
			serve_locked(*r, wakes);
		} else {
			step_back_locked(*r);
		}
	}
	placement.receiver = nullptr;
	placement.message = nullptr;
	return message;
}

void Mailbox::deliver(Message *message)
{
	bool done = false;

	while (!done) {
		Wakes wakes;
		Guard guard(lock_);

		done = deliver_locked(message, wakes);
	}
}

// --- under the lock --------------------------------------------------------------

// The receiver that has waited longest for such a message. Of each combination that
// a receive can name, that is the first.
Receiver *Mailbox::longest_locked(const Key &key)
{
	Receiver *longest = nullptr;

	for (u32 form = 0; form < kForms; form++) {
		if (posted_count_[form] == 0)
			continue;
		Receiver *r = posted_.first(Want::of(form, key));
		if (r && (!longest || r->number < longest->number))
			longest = r;
	}
	return longest;
}

// To the one of them that has room; those before it are told. Else it is queued. False
// if there are more to be told, who are woken first.
bool Mailbox::deliver_locked(Message *message, Wakes &wakes)
{
	while (Receiver *r = longest_locked(message->key)) {
		if (wakes.full())
			return false;
		if (r->has_room(message->size)) {
			r->message = message;
			end_locked(*r, 0, wakes);
			return true;
		}
		r->size = message->size;
		end_locked(*r, EMSGSIZE, wakes);
	}
	messages_.push_back(message);
	filed_messages_.add(*message, kWithAll);
	count_++;
	bytes_ += message->charge();
	return true;
}

// What is queued goes to a receiver that has just come, or come back: then it is
// done. It is on no list.
bool Mailbox::serve_locked(Receiver &receiver, Wakes &wakes)
{
	Message *message = find_locked(receiver.want);

	if (!message)
		return false;
	if (!receiver.has_room(message->size)) {
		receiver.size = message->size;
		receiver.conclude(EMSGSIZE, wakes);
		return true;
	}
	unqueue_locked(message);
	receiver.message = message;
	receiver.conclude(0, wakes);
	return true;
}

Message *Mailbox::find_locked(const Want &want)
{
	return filed_messages_.first(want.form(), want.key());
}

void Mailbox::unqueue_locked(Message *message)
{
	messages_.remove(message);
	filed_messages_.remove(*message, kWithAll);
	message->unfile();
	count_--;
	bytes_ -= message->charge();
}

Message *Mailbox::pop()
{
	Guard guard(lock_);
	Message *message = messages_.front();

	if (message)
		unqueue_locked(message);
	return message;
}

// As the last of all.
void Mailbox::enlist_locked(Receiver &receiver)
{
	receiver.number = ++last_number_;
	receivers_.push_back(&receiver);
	filed_receivers_.add(receiver, receiver.want.form());
	if (!receiver.want.any_node)
		of_nodes_.add(receiver);
	posted_.add(receiver);
	posted_count_[receiver.want.form()]++;
	waiting_++;
}

void Mailbox::strike_locked(Receiver &receiver)
{
	if (receiver.state == Receiver::State::Posted)
		step_out_locked(receiver);
	receivers_.remove(&receiver);
	filed_receivers_.remove(receiver, receiver.want.form());
	if (!receiver.want.any_node)
		of_nodes_.remove(receiver);
	waiting_--;
}

// It is given no message from here on.
void Mailbox::step_out_locked(Receiver &receiver)
{
	posted_.remove(receiver);
	posted_count_[receiver.want.form()]--;
}

// It is again, in its old place: when it stepped out it was the first of those that wait
// for the same. Before it are only such as have come back too, no more than there are
// connections.
void Mailbox::step_back_locked(Receiver &receiver)
{
	Receiver *behind = posted_.first(receiver.want);

	receiver.state = Receiver::State::Posted;
	while (behind && behind->number < receiver.number)
		behind = posted_.next(*behind);
	if (behind)
		posted_.insert(receiver, *behind);
	else
		posted_.add(receiver);
	posted_count_[receiver.want.form()]++;
}

void Mailbox::end_locked(Receiver &receiver, int error, Wakes &wakes)
{
	strike_locked(receiver);
	receiver.conclude(error, wakes);
}

void Mailbox::end_soon_locked(Receiver &receiver, int error, Wakes &wakes)
{
	if (receiver.state == Receiver::State::Posted) {
		end_locked(receiver, error, wakes);
		return;
	}
	receiver.given_up.store(error);
	wakes.nudge(receiver.sleeper);
}

} // namespace ccm
