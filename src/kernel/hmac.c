// SPDX-License-Identifier: GPL-2.0
/*
 * HMAC-SHA256, by the kernel's crypto.
 */
#include <crypto/algapi.h>
#include <crypto/hash.h>
#include <linux/err.h>
#include <linux/module.h>

#include "kernel.h"

struct ccm_hmac {
	struct crypto_shash *shash; /* holds what was made of the secret */
};

int ccm_hmac_create(const void *secret, size_t size, struct ccm_hmac **out)
{
	struct ccm_hmac *hmac;
	int result;

	might_sleep();
	hmac = ccm_object_alloc(sizeof(*hmac), true);
	if (!hmac)
		return -ENOMEM;
	hmac->shash = crypto_alloc_shash("hmac(sha256)", 0, 0);
	if (IS_ERR(hmac->shash)) {
		result = PTR_ERR(hmac->shash);
		goto free;
	}
	result = crypto_shash_setkey(hmac->shash, secret, size);
	if (result)
		goto free_shash;
	*out = hmac;
	return 0;

free_shash:
	crypto_free_shash(hmac->shash);
free:
	ccm_object_free(hmac);
	return result;
}

void ccm_hmac_destroy(struct ccm_hmac *hmac)
{
	crypto_free_shash(hmac->shash);
	ccm_object_free(hmac);
}

int ccm_hmac_of(struct ccm_hmac *hmac, const void *data, size_t size,
		u8 to[32])
{
	might_sleep();
	return crypto_shash_tfm_digest(hmac->shash, data, size, to);
}

bool ccm_same_secret(const void *a, const void *b, size_t size)
{
	return !crypto_memneq(a, b, size);
}

MODULE_SOFTDEP("pre: hmac sha256");
