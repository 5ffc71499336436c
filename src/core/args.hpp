// SPDX-License-Identifier: GPL-2.0
// Arguments of calls as bytes: a type, then the value. Written all at once,
// read one by one; what does not fit its type or the message is an error.
#pragma once

#include "kernel/kernel.h"
#include "support/result.hpp"

namespace ccm {

// What a caller gave. Not more than kArgsMax of them.
struct Args {
	const ccm_arg *first = nullptr;
	size_t count = 0;
};

constexpr size_t kArgsMax = CCM_ARGS_MAX;

// Bytes they take. EINVAL (unknown type, no data), EMSGSIZE.
Result<u32> args_size(const Args &args);
// There is room for args_size() bytes.
void write_args(const Args &args, u8 *to);

} // namespace ccm
