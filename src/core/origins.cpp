// SPDX-License-Identifier: GPL-2.0
#include "core/origins.hpp"

#include "core/peer.hpp"

namespace ccm {

void Origin::put()
{
	if (count_.put())
		destroy(this);
}

// FNV-1a.
u32 ByAddress::hash(const ccm_endpoint &address) const
{
	u32 size = address.family == 4 ? 4 : 16;
	u32 hash = 2166136261u;

	for (u32 i = 0; i < size; i++)
		hash = (hash ^ address.address[i]) * 16777619u;
	return hash ^ hash >> 16;
}

Status Origins::add(Peer &peer)
{
	const ccm_endpoint &address = peer.config.remote;
	Origin *made = create<Origin>(MaySleep::Yes, address);

	if (!made)
		return fail(ENOMEM);
	{
		Guard guard(lock_);
		Origin *origin = origins_.first(address);

		if (!origin) {
			origin = made;
			made = nullptr;
			origins_.add(*origin);
		}
		origin->peers.push_back(&peer);
		origin->peer_count++;
		peer_count_++;
		peer.origin = origin;
	}
	if (made)
		made->put();
	return {};
}

void Origins::remove(Peer &peer)
{
	Origin *empty = nullptr;
	{
		Guard guard(lock_);
		Origin *origin = peer.origin;

		if (!origin)
			return;
		peer.origin = nullptr;
		origin->peers.remove(&peer);
		peer_count_--;
		if (--origin->peer_count == 0) {
			origins_.remove(*origin);
			empty = origin;
		}
	}
	if (empty)
		empty->put();
}

Verdict Origins::judge(const ccm_endpoint &remote, u32 own_number)
{
	Verdict verdict;
	Guard guard(lock_);
	Origin *origin = origins_.first(remote);

	if (!origin || !origin->get_live())
		return verdict;
	verdict.origin = Ref<Origin>(origin);
	verdict.places = kPlacesEach * origin->peer_count;
	verdict.reason = CCM_REASON_UNWANTED;
	for (Peer *p = origin->peers.front(); p; p = origin->peers.next(p)) {
		Guard locked(p->lock);

		// One that we connect to may poke us.
		if (!p->listening && p->config.number < own_number)
			continue;
		verdict.reason = CCM_REASON_NONE;
		break;
	}
	return verdict;
}

u32 Origins::peer_count()
{
	Guard guard(lock_);

	return peer_count_;
}

} // namespace ccm
