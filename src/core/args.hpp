// SPDX-License-Identifier: GPL-2.0
// Arguments of calls as bytes: a type, then the value. Written all at once,
// read one by one; what does not fit its type or the message is an error.
#pragma once

#include "core/message.hpp"
#include "kernel/kernel.h"
#include "support/result.hpp"

namespace ccm {

// What a caller gave. Not more than kArgsMax of them.
struct Args {
	const ccm_arg *first = nullptr;
	size_t count = 0;
};

constexpr size_t kArgsMax = CCM_ARGS_MAX;

// How many bytes each of them takes. Looked at once: what the caller gave may be
// longer at the next look, as the name of a task is.
class Measured {
public:
	// EINVAL (unknown type, no data), EMSGSIZE.
	Status measure(const Args &args);
	u32 size() const
	{
		return size_;
	}
	// There is room for size() bytes. How many it wrote: a string that has got
	// longer is cut, and one that has got shorter is as it is now. EINVAL: what
	// kind of arguments they are has changed.
	Result<u32> write(u8 *to) const;

private:
	Args args_;
	u32 sizes_[kArgsMax];
	u32 size_ = 0;
};

// Behind the head of a call or answer that has room for them.
Status write_args(const Measured &args, Message &to);

} // namespace ccm
