// SPDX-License-Identifier: GPL-2.0
// The cluster's secret, and the proof that an end of a connection knows it.
#pragma once

#include "core/wire.hpp"
#include "support/atomic.hpp"
#include "support/lock.hpp"
#include "support/ref.hpp"

namespace ccm {

// Which end of the connection proves: neither can return the other's proof.
enum class Role : u8 { Initiator = 1, Responder };

// What both ends have said; each nonce makes the proofs good for this once.
struct Greetings {
	wire::HelloFrame initiator;
	wire::HelloFrame responder;
};

class Secret {
public:
	// bytes nullptr: the cluster is insecure, and its proofs prove nothing.
	static Result<Secret *> make(const void *bytes, size_t size);
	Secret(ccm_hmac *hmac, bool secure_) : secure(secure_), hmac_(hmac)
	{
	}
	~Secret();
	Secret(const Secret &) = delete;
	Secret &operator=(const Secret &) = delete;
	void get()
	{
		count_.get();
	}
	[[nodiscard]] bool get_live()
	{
		return count_.get_live();
	}
	void put();

	// These sleep.
	Status sign(Role role, const Greetings &greetings,
		    u8 (&proof)[wire::kProofSize]) const;
	bool is_proof(const u8 *proof, Role role,
		      const Greetings &greetings) const;

	const bool secure;

private:
	Count count_;
	ccm_hmac *const hmac_;
};

} // namespace ccm
