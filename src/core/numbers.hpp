// SPDX-License-Identifier: GPL-2.0
// What numbers of nodes and modules may be.
#pragma once

#include "kernel/kernel.h"

namespace ccm {

constexpr bool is_node(u32 number)
{
	return number >= 1 && number <= CCM_NODE_MAX;
}

constexpr bool is_module(u32 number)
{
	return number >= 1 && number <= CCM_MODULE_MAX;
}

} // namespace ccm
