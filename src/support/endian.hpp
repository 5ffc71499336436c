// SPDX-License-Identifier: GPL-2.0
// Integers in network byte order, as types of their own: no way to forget a swap.
#pragma once

#include "support/types.hpp"

namespace ccm {

template <class T> class BigEndian {
public:
	constexpr BigEndian() = default;
	constexpr BigEndian(T value)
	{
		for (size_t i = sizeof(T); i-- > 0; value = shift(value))
			bytes_[i] = static_cast<u8>(value);
	}
	constexpr operator T() const
	{
		T value = 0;
		for (u8 byte : bytes_)
			value = static_cast<T>(
				value << (sizeof(T) > 1 ? 8 : 0) | byte);
		return value;
	}

private:
	static constexpr T shift(T value)
	{
		return static_cast<T>(value >> 8);
	}

	u8 bytes_[sizeof(T)] = {};
};

using be16 = BigEndian<u16>;
using be32 = BigEndian<u32>;
using be64 = BigEndian<u64>;

} // namespace ccm
