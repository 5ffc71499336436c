// SPDX-License-Identifier: GPL-2.0
// Where connections come from.
#pragma once

#include "kernel/kernel.h"

namespace ccm {

// Unproven connections at once, for each peer that is configured at an address.
constexpr u32 kPlacesEach = 4;

// The port does not matter: a connection comes from any.
inline bool same_address(const ccm_endpoint &a, const ccm_endpoint &b)
{
	return a.family == b.family && a.scope == b.scope &&
	       __builtin_memcmp(a.address, b.address, a.family == 4 ? 4 : 16) ==
		       0;
}

} // namespace ccm
