// SPDX-License-Identifier: GPL-2.0
// Integers in network byte order, as types of their own: no way to forget a swap.
#pragma once

#include "support/types.hpp"

namespace ccm {

template <class T> constexpr T swap_if_little(T value)
{
	if constexpr (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
		return value;
	else if constexpr (sizeof(T) == 2)
		return __builtin_bswap16(value);
	else if constexpr (sizeof(T) == 4)
		return __builtin_bswap32(value);
	else
		return __builtin_bswap64(value);
}

// Bytes and not a T: it may stand at any address.
template <class T> class BigEndian {
public:
	constexpr BigEndian() = default;
	BigEndian(T value)
	{
		value = swap_if_little(value);
		__builtin_memcpy(bytes_, &value, sizeof(T));
	}
	operator T() const
	{
		T value;

		__builtin_memcpy(&value, bytes_, sizeof(T));
		return swap_if_little(value);
	}

private:
	u8 bytes_[sizeof(T)] = {};
};

using be16 = BigEndian<u16>;
using be32 = BigEndian<u32>;
using be64 = BigEndian<u64>;

} // namespace ccm
