// SPDX-License-Identifier: GPL-2.0
/*
 * Time and chance.
 */
#include <linux/ktime.h>
#include <linux/random.h>
#include <linux/timekeeping.h>

#include "kernel.h"

/* Monotonic; stands still while the machine is suspended. */
u64 ccm_now_ms(void)
{
	return ktime_to_ms(ktime_get());
}

void ccm_random(void *to, size_t size)
{
	get_random_bytes(to, size);
}
