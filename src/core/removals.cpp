// SPDX-License-Identifier: GPL-2.0
#include "core/removals.hpp"

namespace ccm {

// Looked at and added under one lock: of several that would close a circle
// together, the last finds it.
Status Removals::begin(Removal &removal)
{
	Guard guard(lock_);

	removals_.push_back(&removal);
	if (!removal.by || !is_circle_locked(removal))
		return {};
	removals_.remove(&removal);
	return fail(EDEADLK);
}

void Removals::end(Removal &removal)
{
	Guard guard(lock_);

	removals_.remove(&removal);
}

// Reached are those that the added one waits for, be it over others: each is made
// by a thread that runs a handler which one of these removes. They are few.
bool Removals::is_circle_locked(Removal &added)
{
	bool more = true;

	for (Removal *r = removals_.front(); r; r = removals_.next(r))
		r->reached = r == &added;
	while (more) {
		more = false;
		for (Removal *r = removals_.front(); r; r = removals_.next(r)) {
			if (r->reached || !r->by || !is_awaited_locked(*r))
				continue;
			r->reached = more = true;
		}
	}
	return is_awaited_locked(added);
}

bool Removals::is_awaited_locked(const Removal &removal)
{
	for (Removal *r = removals_.front(); r; r = removals_.next(r))
		if (r->reached && r->waits_for(removal.by))
			return true;
	return false;
}

} // namespace ccm
