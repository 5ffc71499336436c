/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs from kernel to kernel: the rest of the sources is for the newest
 * one.
 */
#ifndef BENCH_COMPAT_H
#define BENCH_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define sockaddr_unsized sockaddr
#endif

/* With no pool, the number is that of the threads of all of them. No limit to a wait is 0. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
#define svc_set_num_threads(serv, least, number) \
	svc_set_num_threads(serv, NULL, number)
#define svc_recv(request, limit) svc_recv(request)
#endif

/* Whether to tell the port mapper: before, that was always a call of its own. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
#define svc_xprt_destroy_all(serv, net, unregister) \
	svc_xprt_destroy_all(serv, net)
#endif

/* Whether a service has counters of its own for its calls. */
#define SVC_HAS_COUNTERS (LINUX_VERSION_CODE < KERNEL_VERSION(7, 3, 0))

#endif
