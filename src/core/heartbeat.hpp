// SPDX-License-Identifier: GPL-2.0
// When to ask a peer for a sign of life, and what its silence means. The policy
// is the administrator's; the time is the kernel's, so that it goes on without
// a manager.
#pragma once

#include "kernel/kernel.h"

namespace ccm {

// Times are in milliseconds, on one clock. The listener's.
class Heartbeat {
public:
	enum class Verdict {
		Alive,
		Suspect, // one heartbeat is unanswered
		Stalled, // its machine answers, its listener does not
		Dead,	 // nothing at all, for as long as the limit says
		Lost,	 // what we send does not arrive, for as long
	};

	struct Look {
		Verdict verdict;
		bool ask;    // send one now
		bool missed; // the one before was not answered in time
		u64 again;   // when to look next
	};

	// interval 0: none.
	void begin(u32 interval, u32 limit, u64 now);
	// From now on, of one that has begun: no sign of life.
	void change(u32 interval, u32 limit, u64 now);
	bool is(u32 interval, u32 limit) const
	{
		return interval == interval_ && limit == limit_;
	}
	bool beats() const
	{
		return interval_ != 0;
	}
	// Something has come; by_itself: not because of a heartbeat.
	void heard(u64 now, bool by_itself);
	Look look(u64 now, const ccm_signs &signs);

private:
	Verdict judge(u64 now, const ccm_signs &signs) const;
	bool has_had_time(u64 now) const;
	u64 most_quiet(const ccm_signs &signs) const;
	u64 most_stuck() const;
	void note_progress(u64 now, const ccm_signs &signs);
	u64 next_look(u64 now, const ccm_signs &signs) const;

	u32 interval_ = 0;
	u32 limit_ = 0;
	u64 heard_ = 0;	    // anything
	u64 last_ = 0;	    // anything by itself
	u64 next_ = 0;	    // when to ask again
	u64 look_ = 0;	    // when to look again
	u64 asked_ = 0;	    // since when an answer is wanted; 0: none is
	bool told_ = false; // that it was missed
	u64 stuck_ = 0;	    // since when nothing in flight arrives; 0: not so
	u64 arrived_ = 0;   // bytes that had been acknowledged at the last look
};

} // namespace ccm
