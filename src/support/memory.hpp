// SPDX-License-Identifier: GPL-2.0
// Allocation is visible and can fail: create() instead of new.
#pragma once

#include "kernel/kernel.h"

inline void *operator new(size_t, void *place) noexcept
{
	return place;
}

namespace ccm {

// To get memory. Briefly: somebody will ask again, or go without.
enum class MaySleep {
	No = CCM_EFFORT_NONE,
	Briefly = CCM_EFFORT_BRIEF,
	Yes = CCM_EFFORT_LONG,
};

template <class T, class... Arguments>
T *create(MaySleep may_sleep, Arguments &&...arguments)
{
	void *place = ccm_object_alloc(sizeof(T), may_sleep != MaySleep::No);
	return place ? new (place) T(static_cast<Arguments &&>(arguments)...)
		     : nullptr;
}

template <class T> void destroy(T *object)
{
	if (!object)
		return;
	object->~T();
	ccm_object_free(object);
}

inline void copy(void *to, const void *from, size_t size)
{
	if (size)
		__builtin_memcpy(to, from, size);
}

// What others may change meanwhile, read once: all that follows sees the same.
template <class T> T once(const T &theirs)
{
	T mine = theirs;

	asm volatile("" : "+m"(mine));
	return mine;
}

} // namespace ccm
