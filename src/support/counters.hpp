// SPDX-License-Identifier: GPL-2.0
// Numbers that are counted in one thread, or several, while others read them.
#pragma once

#include "support/types.hpp"

namespace ccm {

// Of is a structure of u64 and nothing else.
template <class Of> class Counters {
public:
	void count(u64 Of::*which)
	{
		__atomic_add_fetch(&(all_.*which), 1, __ATOMIC_RELAXED);
	}
	// Each as it is now; not all of the same moment.
	Of read() const
	{
		Of copy{};

		for (u32 i = 0; i < kCount; i++)
			words(copy)[i] = __atomic_load_n(&words(all_)[i],
							 __ATOMIC_RELAXED);
		return copy;
	}
	void clear()
	{
		for (u32 i = 0; i < kCount; i++)
			__atomic_store_n(&words(all_)[i], 0, __ATOMIC_RELAXED);
	}

private:
	static_assert(sizeof(Of) % sizeof(u64) == 0);
	enum : u32 { kCount = sizeof(Of) / sizeof(u64) };

	static u64 *words(Of &of)
	{
		return reinterpret_cast<u64 *>(&of);
	}
	static const u64 *words(const Of &of)
	{
		return reinterpret_cast<const u64 *>(&of);
	}

	Of all_{};
};

} // namespace ccm
