/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CCM_KEYRING_H
#define CCM_KEYRING_H

#include <linux/types.h>

/*
 * A copy of what a key of type logon holds, which the calling process must be
 * able to find by its description; to be freed by kfree_sensitive(). Sleeps.
 * -ENOKEY: there is none; -EKEYREVOKED, -EKEYEXPIRED, -EACCES, -ENOMEM.
 */
int ccm_keyring_read(const char *description, void **secret, size_t *size);

#endif /* CCM_KEYRING_H */
