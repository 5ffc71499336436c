// SPDX-License-Identifier: GPL-2.0
// One frame on its way out.
#pragma once

#include "core/wire.hpp"

namespace ccm {

struct Message;

// Header and what belongs to it, then bytes of a message. Knows how much is sent.
struct Frame {
	u8 head[wire::kHeaderSize + wire::kHelloSize];
	u32 head_size = 0;
	const u8 *body = nullptr;
	u32 body_size = 0;
	bool more = false; // another frame follows at once
	u32 sent = 0;

	bool whole() const
	{
		return sent == head_size + body_size;
	}
	void begin(const wire::Header &header)
	{
		u8 raw[wire::kHeaderSize];

		wire::encode(header, raw);
		begin(raw);
	}
	// Encoded already, with what is behind it.
	template <size_t Size> void begin(const u8 (&raw)[Size])
	{
		head_size = 0;
		sent = 0;
		body = nullptr;
		body_size = 0;
		add(raw, Size);
	}
	// Behind the header.
	void add(const u8 *data, u32 size)
	{
		for (u32 i = 0; i < size; i++)
			head[head_size++] = data[i];
	}
};

} // namespace ccm
