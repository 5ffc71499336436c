// SPDX-License-Identifier: GPL-2.0
/*
 * Time and chance.
 */
#include <linux/ktime.h>
#include <linux/random.h>
#include <linux/timekeeping.h>

#include "kernel.h"

u64 ccm_now_ms(void)
{
	return ktime_to_ms(ktime_get());
}

u64 ccm_now_us(void)
{
	return ktime_to_us(ktime_get());
}

void ccm_random(void *to, size_t size)
{
	get_random_bytes(to, size);
}
