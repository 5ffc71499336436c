// SPDX-License-Identifier: GPL-2.0
// Error numbers, without the kernel's headers.
#pragma once

#include "support/errno_list.h"

namespace ccm {

#define CCM_ERRNO_CONSTANT(name, value) constexpr int name = value;
CCM_ERRNO_LIST(CCM_ERRNO_CONSTANT)
#undef CCM_ERRNO_CONSTANT

} // namespace ccm
