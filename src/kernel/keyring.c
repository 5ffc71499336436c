// SPDX-License-Identifier: GPL-2.0
/*
 * Secrets from the kernel's keyrings.
 */
#include <keys/user-type.h>
#include <linux/err.h>
#include <linux/key.h>
#include <linux/rwsem.h>
#include <linux/slab.h>

#include "keyring.h"

int ccm_keyring_read(const char *description, void **secret, size_t *size)
{
	struct key *key = request_key(&key_type_logon, description, NULL);
	const struct user_key_payload *payload;
	int result = -EKEYREVOKED;

	if (IS_ERR(key))
		return PTR_ERR(key);
	down_read(&key->sem);
	payload = user_key_payload_locked(key);
	if (payload) {
		*size = payload->datalen;
		*secret = kmemdup(payload->data, payload->datalen, GFP_KERNEL);
		result = *secret ? 0 : -ENOMEM;
	}
	up_read(&key->sem);
	key_put(key);
	return result;
}
