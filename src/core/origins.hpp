// SPDX-License-Identifier: GPL-2.0
// Where connections may come from: the addresses that peers are configured at.
// Each address has places of its own for connections that have not proven to be
// a peer's, so that whoever fills one takes nothing from another.
#pragma once

#include "core/endpoint.hpp"
#include "support/index.hpp"
#include "support/list.hpp"
#include "support/lock.hpp"
#include "support/ref.hpp"
#include "support/result.hpp"

namespace ccm {

class Connection;
struct OfOrigin;
struct OfUnproven;
struct Peer;

struct Origin : Linked<Origin> {
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

// Only administrators choose what can be found: the hash need not be a secret.
struct ByAddress : LinkedBy<Origin, Origin> {
	using What = ccm_endpoint;

	const ccm_endpoint &what(const Origin &origin) const
	{
		return origin.address;
	}
	u32 hash(const ccm_endpoint &address) const;
	bool same(const ccm_endpoint &a, const ccm_endpoint &b) const
	{
		return same_address(a, b);
	}
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
	Lock lock_{CCM_LOCK_ORIGINS}; // protects all that follows
	Index<ByAddress> origins_ GUARDED_BY(lock_);
	u32 peer_count_ GUARDED_BY(lock_) = 0;
};

} // namespace ccm
