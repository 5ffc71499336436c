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
	(void)left_.wait_idle(
		[this] {
			Guard guard(lock_);
			return users_ == 0;
		},
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
	users_++;
	return {};
}

void Mailbox::leave()
{
	Guard guard(lock_);

	if (--users_ == 0)
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
	Guard guard(lock_);

	if (shut_ || !attached_) {
		receiver.conclude(ESHUTDOWN);
		return false;
	}
	if (serve_locked(receiver))
		return false;
	enlist_locked(receiver);
	return true;
}

void Mailbox::fail(Receiver &receiver, int error)
{
	Guard guard(lock_);

	if (receiver.state == Receiver::State::Posted)
		end_locked(receiver, error);
}

// A receiver whose buffer is being filled cannot just leave: the listener
// writes there. It puts a message of its own in the buffer's place; if there
// is no memory for one, it stays until the rest has come or never will.
void Mailbox::withdraw(Receiver &receiver, int error)
{
	if (give_up(receiver, error) || move_out(receiver))
		return;
	receiver.sleepers.wait_idle(
		[&] {
			Guard guard(lock_);
			return receiver.state == Receiver::State::Done;
		},
		CCM_FOREVER);
}

// True if it is done. Else what fills its buffer is the last that does.
bool Mailbox::give_up(Receiver &receiver, int error)
{
	Guard guard(lock_);

	if (receiver.state != Receiver::State::Done && !receiver.given_up)
		end_soon_locked(receiver, error);
	return receiver.state == Receiver::State::Done;
}

bool Mailbox::asleep(Receiver &receiver)
{
	Guard guard(lock_);

	return receiver.state != Receiver::State::Done && !receiver.given_up;
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
				end_locked(receiver, receiver.given_up);
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
	Guard guard(lock_);
	Receiver *r = first();

	if (ending.last == 0)
		ending.last = last_number_;
	while (r && r->number <= ending.done)
		r = next(*r);
	for (u32 count = 0; r && r->number <= ending.last; count++) {
		Receiver *behind = next(*r);

		if (count == kAtOnce)
			return true;
		ending.done = r->number;
		ending.count++;
		end_soon_locked(*r, ending.error);
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
	Guard guard(lock_);

	if (Receiver *r = placement.receiver) {
		placement.receiver = nullptr;
		end_locked(*r, 0);
		return true;
	}
	placement.message->peer = placement.peer;
	deliver_locked(placement.message);
	placement.message = nullptr;
	return false;
}

Message *Mailbox::abandon(Placement &placement)
{
	Guard guard(lock_);
	Message *message = placement.message;

	if (Receiver *r = placement.receiver) {
		r->filling = nullptr;
		if (r->given_up) {
			end_locked(*r, r->given_up);
		} else if (find_locked(r->want)) {
			strike_locked(*r);
			serve_locked(*r);
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
	Guard guard(lock_);

	deliver_locked(message);
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

// The one of them that has room. Those before it are told.
Receiver *Mailbox::first_locked(const Key &key, u32 size)
{
	for (;;) {
		Receiver *r = longest_locked(key);

		if (!r || r->has_room(size))
			return r;
		r->size = size;
		end_locked(*r, EMSGSIZE);
	}
}

void Mailbox::deliver_locked(Message *message)
{
	if (Receiver *r = first_locked(message->key, message->size)) {
		r->message = message;
		end_locked(*r, 0);
		return;
	}
	messages_.push_back(message);
	filed_messages_.add(*message, kWithAll);
	count_++;
	bytes_ += message->charge();
}

// What is queued goes to a receiver that has just come, or come back: then it is
// done. It is on no list.
bool Mailbox::serve_locked(Receiver &receiver)
{
	Message *message = find_locked(receiver.want);

	if (!message)
		return false;
	if (!receiver.has_room(message->size)) {
		receiver.size = message->size;
		receiver.conclude(EMSGSIZE);
		return true;
	}
	unqueue_locked(message);
	receiver.message = message;
	receiver.conclude(0);
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

void Mailbox::end_locked(Receiver &receiver, int error)
{
	strike_locked(receiver);
	receiver.conclude(error);
}

void Mailbox::end_soon_locked(Receiver &receiver, int error)
{
	if (receiver.state == Receiver::State::Posted) {
		end_locked(receiver, error);
		return;
	}
	receiver.given_up = error;
	receiver.sleepers.wake();
}

} // namespace ccm
