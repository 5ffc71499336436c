// SPDX-License-Identifier: GPL-2.0
#include "core/calls.hpp"

namespace ccm {

u64 Calls::expect(Pending &pending)
{
	Guard guard(lock_);
	u64 id = ++last_id_;

	pending.sleeper.begin();
	pending.id = pending.due.id = id;
	by_id_.add(&pending);
	if (pending.due.ms)
		by_due_.add(&pending);
	by_node_.add(pending);
	by_module_.add(pending);
	return id;
}

void Calls::await(Pending &pending, int timeout_ms)
{
	int why = pending.sleeper.wait([] { return false; }, timeout_ms);

	if (pending.sleeper.ended())
		return;
	// It has been sent: a system call that began anew would send it again.
	(void)forget(pending, why == -ERESTARTSYS ? EINTR : -why);
}

bool Calls::forget(Pending &pending, int error)
{
	Guard guard(lock_);

	if (pending.done)
		return false;
	unlink_locked(pending);
	pending.done = true;
	pending.error = error;
	return true;
}

Pending *Calls::take_back(u64 id)
{
	Guard guard(lock_);
	Pending *pending = by_id_.find(id);

	if (pending)
		unlink_locked(*pending);
	return pending;
}

static int error_of(wire::Answer::Outcome outcome)
{
	switch (outcome) {
	case wire::Answer::Outcome::Done:
		return 0;
	case wire::Answer::Outcome::NoHandler:
		return EOPNOTSUPP;
	case wire::Answer::Outcome::TooLarge:
		return EOVERFLOW;
	case wire::Answer::Outcome::Refused:
		break;
	}
	return EACCES;
}

// From another node than was asked it is no answer.
bool Calls::answered(Message *answer, const wire::Answer &head)
{
	List<Pending> to_tell;
	{
		Wakes wakes;
		Guard guard(lock_);
		Pending *p = by_id_.find(head.id);

		if (!p || p->node != answer->key.node ||
		    p->module != answer->module)
			return false;
		p->answer = answer;
		end_locked(*p, error_of(head.outcome), to_tell, wakes);
	}
	tell_all(to_tell);
	return true;
}

void Calls::lost(u32 node)
{
	end_those(
		[=, this] {
			lock_.assert_held();
			return by_node_.first(node);
		},
		ECONNABORTED);
}

void Calls::lost_all()
{
	end_those(
		[this] {
			lock_.assert_held();
			return by_id_.front();
		},
		ECONNABORTED);
}

void Calls::cancel(u32 module)
{
	end_those(
		[=, this] {
			lock_.assert_held();
			return by_module_.first(module);
		},
		ECANCELED);
}

u64 Calls::expire(u64 now_ms)
{
	end_those(
		[=, this]() -> Pending * {
			lock_.assert_held();
			Deadline *first = by_due_.front();

			return first && first->due.ms <= now_ms
				       ? static_cast<Pending *>(first)
				       : nullptr;
		},
		ETIMEDOUT);
	Guard guard(lock_);
	Deadline *first = by_due_.front();

	return first ? first->due.ms : 0;
}

// next() is the next one that has to end, or nullptr.
template <class Next> void Calls::end_those(Next next, int error)
{
	List<Pending> to_tell;
	u64 last = 0;

	while (end_some(next, error, last, to_tell))
		;
	tell_all(to_tell);
}

// Of those that there were when this began. Whether there may be more.
template <class Next>
bool Calls::end_some(Next next, int error, u64 &last, List<Pending> &to_tell)
{
	Wakes wakes;
	Guard guard(lock_);

	if (last == 0)
		last = last_id_;
	for (u32 count = 0; count < kAtOnce; count++) {
		Pending *p = next();

		if (!p || p->id > last)
			return false;
		end_locked(*p, error, to_tell, wakes);
	}
	return true;
}

// The first that whoever goes through all of them has not met.
Pending *Calls::first_locked(ccm_cursor &at)
{
	if (at.number == 0)
		at.last = last_id_;
	Pending *p = by_id_.from(at.number);

	return p && p->id <= at.last ? p : nullptr;
}

void Calls::unlink_locked(Pending &pending)
{
	by_id_.remove(&pending);
	if (pending.due.ms)
		by_due_.remove(&pending);
	by_node_.remove(pending);
	by_module_.remove(pending);
}

// What waits may be gone when this returns.
void Calls::end_locked(Pending &pending, int error, List<Pending> &to_tell,
		       Wakes &wakes)
{
	unlink_locked(pending);
	pending.done = true;
	pending.error = error;
	if (pending.tell)
		to_tell.push_back(&pending);
	else
		wakes.end(pending.sleeper);
}

void Calls::tell_all(List<Pending> &ended)
{
	while (Pending *pending = ended.pop_front()) {
		ccm_answer answer{};

		if (pending->answer && !pending->error)
			open_answer(*pending->answer, pending->net, answer);
		{
			Busy busy;
			pending->tell(pending->context, -pending->error,
				      &answer);
		}
		Message::drop(pending->answer);
		pending->mailbox->leave();
		destroy(pending);
	}
}

bool Calls::report(ccm_cursor &at, ccm_call_info &out)
{
	Guard guard(lock_);
	Pending *p = first_locked(at);

	if (!p)
		return false;
	at.number = p->id + 1;
	out = {.what = CCM_CALL_WHAT_AWAITED,
	       .node = p->node,
	       .module = p->module,
	       .function = p->function,
	       .seqn = p->seqn,
	       .age_ms = ccm_now_ms() - p->since_ms};
	return true;
}

void open_answer(Message &message, struct net *net, ccm_answer &out)
{
	auto head = wire::decode_answer(message.payload());

	out.result = static_cast<int>(head.value().result);
	out.args = {.net = net,
		    .node = message.key.node,
		    .module = message.module,
		    .function = message.key.type,
		    .context = nullptr,
		    .at = message.payload() + wire::kCallSize,
		    .end = message.payload() + message.size,
		    .call = nullptr};
	out.message = message.payload();
}

} // namespace ccm
