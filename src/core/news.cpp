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

// It is told without the lock: telling sleeps.
void News::offer(Outlet &outlet, ccm_event event)
{
	bool tell;
	u64 due_ms = 0;
	{
		Guard guard(lock_);

		tell = outlet.offer(event, ccm_now_ms());
		if (tell && outlet.linked()) {
			withheld_.remove(&outlet);
		} else if (!tell && !outlet.linked()) {
			withheld_.push_back(&outlet);
			due_ms = outlet.due_ms();
		}
	}
	if (tell)
		node_.tell(event);
	else if (due_ms)
		node_.due_at(due_ms);
}

bool News::take_due(u64 now, ccm_event &out, u64 &next)
{
	Guard guard(lock_);

	next = 0;
	for (Outlet *o = withheld_.front(); o; o = withheld_.next(o)) {
		if (now >= o->due_ms()) {
			withheld_.remove(o);
			out = o->take(ccm_now_ms());
			return true;
		}
		if (next == 0 || o->due_ms() < next)
			next = o->due_ms();
	}
	return false;
}

u64 News::expire(u64 now)
{
	ccm_event event;
	u64 next;

	while (take_due(now, event, next))
		node_.tell(event);
	return next;
}

void News::flush()
{
	(void)expire(~u64{0});
}

void News::leave(Peer &peer)
{
	ccm_event event;
	{
		Guard guard(lock_);

		peer.outlet.end();
		if (!peer.outlet.linked())
			return;
		withheld_.remove(&peer.outlet);
		event = peer.outlet.take(ccm_now_ms());
	}
	node_.tell(event);
}

} // namespace ccm
