// SPDX-License-Identifier: GPL-2.0
#include "core/calls.hpp"

namespace ccm {

u64 Calls::expect(Pending &pending)
{
	Guard guard(lock_);
	u64 id = ++last_id_;

	pending.id = id;
	pending_[id % kBuckets].push_back(&pending);
	return id;
}

void Calls::await(Pending &pending, int timeout_ms)
{
	int why = pending.sleepers.wait(
		[&] {
			Guard guard(lock_);
			return pending.done;
		},
		timeout_ms);

	// It has been sent: a system call that began anew would send it again.
	(void)forget(pending, why == -ERESTARTSYS ? EINTR : -why);
}

bool Calls::forget(Pending &pending, int error)
{
	Guard guard(lock_);

	if (pending.done)
		return false;
	pending_[pending.id % kBuckets].remove(&pending);
	pending.done = true;
	pending.error = error;
	return true;
}

Pending *Calls::take_back(u64 id)
{
	Guard guard(lock_);
	Pending *pending = find_locked(id);

	if (pending)
		pending_[id % kBuckets].remove(pending);
	return pending;
}

Pending *Calls::find_locked(u64 id)
{
	List<Pending> &bucket = pending_[id % kBuckets];

	for (Pending *p = bucket.front(); p; p = bucket.next(p))
		if (p->id == id)
			return p;
	return nullptr;
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
		Guard guard(lock_);
		Pending *p = find_locked(head.id);

		if (!p || p->node != answer->key.node ||
		    p->module != answer->module)
			return false;
		p->answer = answer;
		end_locked(*p, error_of(head.outcome), to_tell);
	}
	tell_all(to_tell);
	return true;
}

void Calls::lost(u32 node)
{
	end_those([=](const Pending &p) { return p.node == node; },
		  ECONNABORTED);
}

void Calls::lost_all()
{
	end_those([](const Pending &) { return true; }, ECONNABORTED);
}

void Calls::cancel(u32 module)
{
	end_those([=](const Pending &p) { return p.module == module; },
		  ECANCELED);
}

u64 Calls::expire(u64 now_ms)
{
	u64 next = 0;

	end_those(
		[&](const Pending &p) {
			if (p.deadline_ms == 0)
				return false;
			if (now_ms >= p.deadline_ms)
				return true;
			if (next == 0 || p.deadline_ms < next)
				next = p.deadline_ms;
			return false;
		},
		ETIMEDOUT);
	return next;
}

template <class Which> void Calls::end_those(Which which, int error)
{
	List<Pending> to_tell;
	{
		Guard guard(lock_);

		for (List<Pending> &bucket : pending_) {
			for (Pending *p = bucket.front(), *next; p; p = next) {
				next = bucket.next(p);
				if (which(*p))
					end_locked(*p, error, to_tell);
			}
		}
	}
	tell_all(to_tell);
}

// Woken under the lock: the caller takes it once more before its stack goes.
void Calls::end_locked(Pending &pending, int error, List<Pending> &to_tell)
{
	pending_[pending.id % kBuckets].remove(&pending);
	pending.done = true;
	pending.error = error;
	if (pending.tell)
		to_tell.push_back(&pending);
	else
		pending.sleepers.wake();
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

bool Calls::report(u32 &nth, ccm_call_info &out)
{
	Guard guard(lock_);

	for (List<Pending> &bucket : pending_) {
		for (Pending *p = bucket.front(); p; p = bucket.next(p)) {
			if (nth-- > 0)
				continue;
			out = {.what = CCM_CALL_WHAT_AWAITED,
			       .node = p->node,
			       .module = p->module,
			       .function = p->function,
			       .seqn = p->seqn,
			       .age_ms = ccm_now_ms() - p->since_ms};
			return true;
		}
	}
	return false;
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
