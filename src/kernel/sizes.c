// SPDX-License-Identifier: GPL-2.0
/*
 * Sizes of what C++ objects hold of the kernel's. Compiled to assembler only:
 * kbuild makes kernel/sizes.h of it.
 */
#include <linux/kbuild.h>

#include "kernel.h"

int main(void)
{
	/* Without debugging one processor's is empty, which nothing is in C++. */
	DEFINE(CCM_LOCK_SIZE, sizeof(struct ccm_lock) ?: 1);
	DEFINE(CCM_MUTEX_SIZE, sizeof(struct ccm_mutex));
	DEFINE(CCM_WAITQ_SIZE, sizeof(struct ccm_waitq));
	DEFINE(CCM_REF_SIZE, sizeof(struct ccm_ref));
	DEFINE(CCM_TASK_SIZE, sizeof(struct ccm_task));
	return 0;
}
