// SPDX-License-Identifier: GPL-2.0
// What tests send: bytes that can be told from others when they come back.
#pragma once

#include "kernel/kernel.h"

namespace ccm_testing {

// Bytes that differ from place to place and from seed to seed.
inline u8 pattern(u32 seed, size_t at)
{
	return static_cast<u8>(seed * 131 + at * 7 + (at >> 8) * 31);
}

struct Buffer {
	explicit Buffer(size_t size_) : size(size_)
	{
		data = static_cast<u8 *>(
			ccm_buffer_alloc(size ? size : 1, CCM_EFFORT_LONG));
	}
	~Buffer()
	{
		ccm_buffer_free(data, size ? size : 1);
	}
	void fill(u32 seed)
	{
		for (size_t i = 0; i < size; i++)
			data[i] = pattern(seed, i);
	}
	bool holds(u32 seed, size_t count) const
	{
		for (size_t i = 0; i < count; i++)
			if (data[i] != pattern(seed, i))
				return false;
		return true;
	}

	u8 *data;
	size_t size;
};

} // namespace ccm_testing
