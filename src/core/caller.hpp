// SPDX-License-Identifier: GPL-2.0
// What may be done for whoever calls: by where he calls from, and by his flags.
#pragma once

#include "core/node.hpp"

namespace ccm {

// A short handler must not wait, nor take what the listener's end waits for.
inline Status may_wait()
{
	return ccm_thread_may_wait() ? Status() : Status(fail(EDEADLK));
}

inline MaySleep may_sleep(unsigned int flags)
{
	return flags & CCM_NOWAIT ? MaySleep::No : MaySleep::Yes;
}

// The time to wait for room: none in a short handler.
inline int room_timeout(unsigned int flags, int timeout_ms)
{
	return flags & CCM_NOWAIT || !ccm_thread_may_wait() ? 0 : timeout_ms;
}

} // namespace ccm
