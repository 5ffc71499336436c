// SPDX-License-Identifier: GPL-2.0
// Flow control of one (peer, module number), seen from both ends. The receiver
// tells how many bytes, counted from the session's start at true size, may have
// been sent; that number only grows, as its consumer takes messages.
#pragma once

#include "core/message.hpp"

namespace ccm {

// What the peer lets us send.
struct SendLimit {
	u64 sent = 0;
	u64 limit = 0;
	u32 max_size = CCM_SIZE_DEFAULT;

	bool has_room(u64 charge) const
	{
		return charge <= limit && sent <= limit - charge;
	}
};

// What we let the peer send.
struct ReceiveLimit {
	u64 received = 0;      // in this session
	u64 held = 0;	       // in memory now, of earlier sessions too
	bool attached = false; // somebody receives here
	u64 announced = 0;     // what the peer has been told
	u64 window = 0;	       // what may be held
	u32 max_size = 0;      // the consumer's largest message
	u32 max_announced = 0;

	// What the peer might be told now.
	u64 earned() const
	{
		return received + (window > held ? window - held : 0);
	}
	// Often enough that the largest message never waits for ever: with nothing
	// held, at least its charge has been announced. Rarely enough to be cheap.
	u64 step() const
	{
		u64 largest = charge_of(max_size);
		u64 spare = window > largest ? window - largest : 0;
		u64 step = spare < window / 4 ? spare : window / 4;
		return step ? step : 1;
	}
	bool worth_telling() const
	{
		return earned() >= announced + step();
	}
	// The peer keeps to what it was told.
	bool allows(u32 size) const
	{
		u64 charge = charge_of(size);
		return size <= max_announced && charge <= announced &&
		       received <= announced - charge;
	}
	// What is held may be less than what was sent.
	void take_in(u64 charge, u64 holds)
	{
		received += charge;
		held += holds;
	}
	void take_in(u64 charge)
	{
		take_in(charge, charge);
	}
	void give_back(u64 charge)
	{
		held -= charge;
	}
	void tell()
	{
		if (earned() > announced)
			announced = earned();
		// What was sent under an earlier, larger size may still be under way.
		if (max_size > max_announced)
			max_announced = max_size;
	}
};

} // namespace ccm
