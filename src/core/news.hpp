// SPDX-License-Identifier: GPL-2.0
// What this node tells its administrators. What a peer, or a pending connection, can
// make it tell comes no more often than they can bear, and nothing is lost but the
// repetitions, which are counted.
#pragma once

#include "core/quota.hpp"
#include "support/list.hpp"
#include "support/lock.hpp"

namespace ccm {

struct Node;
struct Peer;

// Of one kind, and of state: of one peer. What may not be told yet is merged with
// what comes after it: the newest is told, with the sums and the count of the rest.
class Outlet : public Hook<Outlet> {
public:
	// Whether this one, with what was withheld before, is to be told now. Else
	// it is withheld.
	bool offer(ccm_event &event, u64 now);
	// What is withheld: it is told at this time.
	ccm_event take(u64 now);
	// When that may be told.
	u64 due_ms() const
	{
		return quota_.again();
	}
	// From now on all is told at once: soon nobody will look.
	void end()
	{
		ended_ = true;
	}

private:
	enum : u32 { kStepMs = 100, kAtOnce = 10 };

	Quota quota_{kStepMs, kAtOnce};
	bool ended_ = false;
	ccm_event newest_{}; // withheld while this is linked
};

class News {
public:
	explicit News(Node &node) : node_(node)
	{
	}
	News(const News &) = delete;
	News &operator=(const News &) = delete;

	// All sleep. Told at once, each time.
	void tell(const ccm_event &event);
	// A peer's state: modules are told of each, at once. The caller has a
	// reference.
	void state(Peer &peer, const ccm_event &event);
	// A connection, or a call.
	void refused(const ccm_event &event);
	// Tell what may be told at this time; when there is more, or 0.
	u64 expire(u64 now);
	// A listener asks from now on.
	void begin();
	// None will ask: tell all that is withheld, and what comes at once.
	void end();
	// No more will come of this peer, or hardly any.
	void leave(Peer &peer);

private:
	void offer(Outlet &outlet, ccm_event event);
	u64 offer_locked(Outlet &outlet, ccm_event &event) REQUIRES(mutex_);
	bool tell_due_locked(u64 now, u64 &next) REQUIRES(mutex_);
	void tell_locked(ccm_event event) REQUIRES(mutex_);

	Node &node_;
	// Protects all that follows, and peers' outlets. Whoever decides that an
	// event is told now tells it before anybody else does: nobody can tell what
	// comes after, and the generation never goes back. The listener takes it:
	// nothing under it waits for more than the kernel's memory.
	Mutex mutex_{CCM_MUTEX_NEWS};
	Outlet connections_ GUARDED_BY(mutex_);
	Outlet calls_ GUARDED_BY(mutex_);
	List<Outlet> withheld_ GUARDED_BY(mutex_); // those that hold something
	// There is a listener, which asks.
	bool asked_ GUARDED_BY(mutex_) = false;
};

} // namespace ccm
