// SPDX-License-Identifier: GPL-2.0
// The proof of a cluster's key, for peers that tests play.
#pragma once

#include "core/secret.hpp"

namespace ccm_testing {

constexpr u8 kSecret[] = "the secret of a test's cluster";
constexpr size_t kHelloFrame = sizeof(ccm::wire::HelloFrame);

// Both greetings as they were on the wire.
template <size_t Size>
bool prove(ccm::Role role, const u8 *initiator, const u8 *responder,
	   u8 (&proof)[ccm::wire::kProofSize], const u8 (&secret)[Size])
{
	ccm::Greetings greetings;
	auto made = ccm::Secret::make(secret, Size);

	if (!made.ok())
		return false;
	__builtin_memcpy(greetings.initiator, initiator, kHelloFrame);
	__builtin_memcpy(greetings.responder, responder, kHelloFrame);
	bool signed_ = made.value()->sign(role, greetings, proof).ok();
	made.value()->put();
	return signed_;
}

} // namespace ccm_testing
