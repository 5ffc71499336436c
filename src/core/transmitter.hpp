// SPDX-License-Identifier: GPL-2.0
// Sends frame after frame, as far as the socket takes them, and never waits.
//
// One thread at a time runs it; everyone else just queues. Who does is the source's
// to decide, under its lock: see class Egress.
#pragma once

#include "core/frame.hpp"
#include "support/errno.hpp"

namespace ccm {

// Its owner's alone.
class Transmitter {
public:
	enum class Outcome {
		Idle,	 // nothing is left to send
		Blocked, // the socket is full
		Budget,	 // there is more, but others have their turn
		Broken,	 // the socket is, or it refuses this frame
	};

	// source.next(frame): the frame before is sent; fill in the next, or
	// return false: then this is not touched any more, and may be gone.
	// transport.send(frame): bytes sent, or a negative errno.
	template <class Source, class Transport>
	Outcome run(Source &source, Transport &transport, int budget)
	{
		while (budget > 0) {
			if (!busy_) {
				if (!source.next(frame_))
					return Outcome::Idle;
				busy_ = true;
			}
			int sent = transport.send(frame_);
			if (sent == -EAGAIN || sent == 0)
				return Outcome::Blocked;
			if (sent < 0) {
				error_ = -sent;
				return Outcome::Broken;
			}
			frame_.sent += static_cast<u32>(sent);
			busy_ = !frame_.whole();
			budget -= sent;
		}
		return Outcome::Budget;
	}

	// A frame has been begun and is not sent to its end.
	bool busy() const
	{
		return busy_;
	}

	// Broken: why.
	int error() const
	{
		return error_;
	}

private:
	Frame frame_;
	int error_ = 0;
	bool busy_ = false; // frame_ is not sent to its end
};

} // namespace ccm
