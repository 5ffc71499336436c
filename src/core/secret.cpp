// SPDX-License-Identifier: GPL-2.0
#include "core/secret.hpp"

#include "support/errno.hpp"
#include "support/memory.hpp"

namespace ccm {

namespace {

// What everybody knows who has read this.
const char kNoSecret[] = "this cluster is insecure";

struct Signed {
	Role role;
	Greetings greetings;
};

static_assert(sizeof(Signed) == 1 + 2 * sizeof(wire::HelloFrame));

} // namespace

Result<Secret *> Secret::make(const void *bytes, size_t size)
{
	ccm_hmac *hmac;
	int error =
		bytes ? ccm_hmac_create(bytes, size, &hmac)
		      : ccm_hmac_create(kNoSecret, sizeof(kNoSecret), &hmac);

	if (error)
		return fail(-error);
	Secret *made = create<Secret>(MaySleep::Yes, hmac, bytes != nullptr);
	if (made)
		return made;
	ccm_hmac_destroy(hmac);
	return fail(ENOMEM);
}

Secret::~Secret()
{
	ccm_hmac_destroy(hmac_);
}

void Secret::put()
{
	if (count_.put())
		destroy(this);
}

Status Secret::sign(Role role, const Greetings &greetings,
		    u8 (&proof)[wire::kProofSize]) const
{
	Signed text{.role = role, .greetings = greetings};

	return Status::from(ccm_hmac_of(hmac_, &text, sizeof(text), proof));
}

bool Secret::is_proof(const u8 *proof, Role role,
		      const Greetings &greetings) const
{
	u8 right[wire::kProofSize];

	return sign(role, greetings, right).ok() &&
	       ccm_same_secret(proof, right, sizeof(right));
}

} // namespace ccm
