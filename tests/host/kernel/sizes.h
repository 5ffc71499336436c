/* SPDX-License-Identifier: GPL-2.0 */
/* Sizes of what C++ objects hold of the boundary's, on the host: see kernel.cpp. */
#ifndef CCM_HOST_SIZES_H
#define CCM_HOST_SIZES_H

#define CCM_LOCK_SIZE 48
#define CCM_MUTEX_SIZE 48
#define CCM_WAITQ_SIZE 96
#define CCM_REF_SIZE 4
#define CCM_TASK_SIZE 128

#endif /* CCM_HOST_SIZES_H */
