// SPDX-License-Identifier: GPL-2.0
// Where connections may come from: the addresses that peers are configured at.
// Each address has places of its own for connections that have not proven to be
// a peer's, so that whoever fills one takes nothing from another.
#pragma once

#include "kernel/kernel.h"
#include "support/list.hpp"
#include "support/lock.hpp"
#include "support/ref.hpp"
#include "support/result.hpp"

namespace ccm {

class Connection;
struct OfOrigin;
struct OfUnproven;
struct Peer;

// Unproven connections at once, for each peer that is configured at an address.
constexpr u32 kPlacesEach = 4;

struct Origin : Hook<Origin> {
	explicit Origin(const ccm_endpoint &address_) : address(address_)
	{
	}
	[[nodiscard]] bool get_live()
	{
		return count_.get_live();
	}
	void put();

	const ccm_endpoint address; // its port means nothing

	// Under the lock of Origins.
	List<Peer, OfOrigin> peers;
	u32 peer_count = 0;

	// The listener's thread's own: in the order of accepting.
	List<Connection, OfUnproven> unproven;
	u32 unproven_count = 0;

private:
	Count count_;
};

// What is to become of a connection, by its address alone.
struct Verdict {
	ccm_reason reason = CCM_REASON_STRANGER; // NONE: it may be a peer's
	u32 places = 0;
	Ref<Origin> origin;
};

// Changed under the node's mutex; read by the listener.
class Origins {
public:
	Origins() = default;
	Origins(const Origins &) = delete;
	Origins &operator=(const Origins &) = delete;

	// The peer's address counts from now on. ENOMEM.
	Status add(Peer &peer);
	// It does no more; nothing if it did not.
	void remove(Peer &peer);
	Verdict judge(const ccm_endpoint &remote, u32 own_number);
	u32 peer_count();

private:
	enum : u32 { kBuckets = 256 };

	List<Origin> &bucket_of(const ccm_endpoint &address);
	Origin *find_locked(const ccm_endpoint &address);

	Lock lock_{CCM_LOCK_ORIGINS}; // protects all that follows
	List<Origin> buckets_[kBuckets];
	u32 peer_count_ = 0;
};

} // namespace ccm
