/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs from kernel to kernel: the rest of the sources is for the newest
 * one.
 */
#ifndef __CCM_COMPAT_H__
#define __CCM_COMPAT_H__

#include <linux/version.h>
#include <net/sock.h>

/* An address of whatever size; a type of its own since 6.19. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define sockaddr_unsized sockaddr
#endif

/* What is called around each request; a type of its own since 6.2. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define genl_split_ops genl_ops
#endif

/*
 * A socket that may send in the middle of reclaim must not use the task's own
 * fragment. Until 6.2 its sk_allocation, without GFP_IO or GFP_FS, says so.
 */
static inline void ccm_compat_no_task_frag(struct sock *sk)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	sk->sk_use_task_frag = false;
#endif
}

#endif
