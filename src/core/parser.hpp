// SPDX-License-Identifier: GPL-2.0
// Cuts a stream of bytes, however it comes, into frames.
#pragma once

#include "core/wire.hpp"

namespace ccm {

// Bytes that have come and are not looked at yet.
struct Bytes {
	const u8 *data;
	size_t size;

	// The first count of them, which are gone from here then.
	const u8 *take(size_t count)
	{
		const u8 *taken = data;
		data += count;
		size -= count;
		return taken;
	}
};

// A machine without memory of its own but for one header. It is fed bytes and
// stops at each step of a frame, for its owner to act; it never looks ahead.
class Parser {
public:
	enum class Step {
		More,	 // all bytes are used up
		Header,	 // a header is whole: see header(). Payload comes next
		Payload, // a piece of payload: see piece(), offset()
		Frame,	 // the frame is whole
		Bad,	 // not a frame: see error(). Nothing follows
	};

	struct Piece {
		const u8 *data;
		size_t size;
		u32 offset; // in the frame's payload
	};

	Step feed(Bytes &bytes);

	const wire::Header &header() const
	{
		return header_;
	}
	const Piece &piece() const
	{
		return piece_;
	}
	int error() const
	{
		return error_;
	}

private:
	enum class State { Header, Payload, Bad };

	Step feed_header(Bytes &bytes);
	Step feed_payload(Bytes &bytes);

	State state_ = State::Header;
	u32 have_ = 0; // bytes of the header, or of the payload, seen
	int error_ = 0;
	u8 raw_[wire::kHeaderSize];
	wire::Header header_{};
	Piece piece_{};
};

} // namespace ccm
