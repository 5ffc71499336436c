// SPDX-License-Identifier: GPL-2.0
// Plain numbers that several threads touch without a lock.
#pragma once

#include "support/types.hpp"

#ifdef CCM_STEPS
// Somebody else may come between what was before and what follows: tests on the
// host, whose cluster is one program, let him.
extern "C" void ccm_step();
#else
inline void ccm_step()
{
}
#endif

namespace ccm {

template <class T> class Atomic {
public:
	constexpr Atomic(T value = T{}) : value_(value)
	{
	}
	Atomic(const Atomic &) = delete;
	Atomic &operator=(const Atomic &) = delete;

	// What was written before the store is seen after the load.
	T load() const
	{
		ccm_step();
		return __atomic_load_n(&value_, __ATOMIC_ACQUIRE);
	}
	void store(T value)
	{
		ccm_step();
		__atomic_store_n(&value_, value, __ATOMIC_RELEASE);
	}
	T exchange(T value)
	{
		ccm_step();
		return __atomic_exchange_n(&value_, value, __ATOMIC_ACQ_REL);
	}
	T fetch_or(T bits)
	{
		ccm_step();
		return __atomic_fetch_or(&value_, bits, __ATOMIC_ACQ_REL);
	}
	T fetch_and(T bits)
	{
		ccm_step();
		return __atomic_fetch_and(&value_, bits, __ATOMIC_ACQ_REL);
	}
	T add(T more)
	{
		ccm_step();
		return __atomic_add_fetch(&value_, more, __ATOMIC_ACQ_REL);
	}
	// Returns whether it was expected, and so is now wanted.
	bool replace(T expected, T wanted)
	{
		ccm_step();
		return __atomic_compare_exchange_n(&value_, &expected, wanted,
						   false, __ATOMIC_ACQ_REL,
						   __ATOMIC_ACQUIRE);
	}

private:
	T value_;
};

} // namespace ccm
