/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CCM_BENCH_LOAD_H
#define CCM_BENCH_LOAD_H

#include <linux/sizes.h>
#include <linux/types.h>

#include "transport.h"

/* The largest message. */
#define LOAD_MAX SZ_1M

int load_init(void);
void load_exit(void);

int load_check(const struct way *way, size_t size);
int load_run(const struct way *way, size_t size, u32 count, u64 *ns);

#endif /* CCM_BENCH_LOAD_H */
