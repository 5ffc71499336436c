// SPDX-License-Identifier: GPL-2.0
// A mailbox that a consumer has attached.
#pragma once

#include "core/mailbox.hpp"

namespace ccm_testing {

constexpr u32 kModule = 7;
constexpr ccm_limits kLimits{1u << 20, 4u << 20};

struct Box : ccm::Mailbox {
	Box() : Mailbox(kModule)
	{
		(void)attach(kLimits, nullptr);
	}
};

} // namespace ccm_testing
