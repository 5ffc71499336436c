// SPDX-License-Identifier: GPL-2.0
#include "core/news.hpp"

#include "core/node.hpp"

namespace ccm {

namespace {

// A peer that has come up is still the one that came.
void merge(const ccm_event &older, ccm_event &newer)
{
	newer.left_out += older.left_out + 1;
	newer.unsent += older.unsent;
	newer.unknown += older.unknown;
	if (!newer.incarnation && is_up(newer.state))
		newer.incarnation = older.incarnation;
}

} // namespace

bool Outlet::offer(ccm_event &event, u64 now)
{
	if (linked())
		merge(newest_, event);
	newest_ = event;
	return quota_.take(now) || ended_;
}

ccm_event Outlet::take(u64 now)
{
	(void)quota_.take(now);
	return newest_;
}

void News::tell_locked(ccm_event event)
{
	event.generation = node_.generation();
	ccm_report(node_.net, &event);
}

void News::tell(const ccm_event &event)
{
	MutexGuard guard(mutex_);

	tell_locked(event);
}

void News::state(Peer &peer, const ccm_event &event)
{
	offer(peer.outlet, event);
	ccm_tell_modules(node_.net, &event);
}

void News::refused(const ccm_event &event)
{
	offer(event.kind == CCM_EVENT_KIND_REFUSED ? connections_ : calls_,
	      event);
}

void News::offer(Outlet &outlet, ccm_event event)
{
	u64 due_ms;
	{
		MutexGuard guard(mutex_);

		due_ms = offer_locked(outlet, event);
	}
	if (due_ms)
		node_.due_at(due_ms);
}

// Told, or withheld: until this time, if nobody looks at it before; else 0.
u64 News::offer_locked(Outlet &outlet, ccm_event &event)
{
	bool now = outlet.offer(event, ccm_now_ms()) || !asked_;

	if (now) {
		if (outlet.linked())
			withheld_.remove(&outlet);
		tell_locked(event);
		return 0;
	}
	if (outlet.linked())
		return 0;
	withheld_.push_back(&outlet);
	return outlet.due_ms();
}

// Whether there was something; else when there will be, or 0.
bool News::tell_due_locked(u64 now, u64 &next)
{
	next = 0;
	for (Outlet *o = withheld_.front(); o; o = withheld_.next(o)) {
		if (now >= o->due_ms()) {
			withheld_.remove(o);
			tell_locked(o->take(ccm_now_ms()));
			return true;
		}
		if (next == 0 || o->due_ms() < next)
			next = o->due_ms();
	}
	return false;
}

u64 News::expire(u64 now)
{
	MutexGuard guard(mutex_);
	u64 next;

	while (tell_due_locked(now, next))
		;
	return next;
}

void News::begin()
{
	MutexGuard guard(mutex_);

	asked_ = true;
}

void News::end()
{
	MutexGuard guard(mutex_);
	u64 none;

	asked_ = false;
	while (tell_due_locked(~u64{0}, none))
		;
}

void News::leave(Peer &peer)
{
	MutexGuard guard(mutex_);

	peer.outlet.end();
	if (!peer.outlet.linked())
		return;
	withheld_.remove(&peer.outlet);
	tell_locked(peer.outlet.take(ccm_now_ms()));
}

} // namespace ccm
