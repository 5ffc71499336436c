/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The error numbers the core returns. It includes no kernel header, so they
 * stand here; src/kernel/exports.c checks each against the kernel's own.
 */
#ifndef CCM_ERRNO_LIST_H
#define CCM_ERRNO_LIST_H

#define CCM_ERRNO_LIST(X)      \
	X(EPERM, 1)            \
	X(ENOENT, 2)           \
	X(EINTR, 4)            \
	X(EAGAIN, 11)          \
	X(ENOMEM, 12)          \
	X(EACCES, 13)          \
	X(EBUSY, 16)           \
	X(EEXIST, 17)          \
	X(ENODEV, 19)          \
	X(EINVAL, 22)          \
	X(EPIPE, 32)           \
	X(EDEADLK, 35)         \
	X(ENOMSG, 42)          \
	X(EPROTO, 71)          \
	X(EBADMSG, 74)         \
	X(EOVERFLOW, 75)       \
	X(EMSGSIZE, 90)        \
	X(EPROTOTYPE, 91)      \
	X(EPROTONOSUPPORT, 93) \
	X(EOPNOTSUPP, 95)      \
	X(EAFNOSUPPORT, 97)    \
	X(EADDRINUSE, 98)      \
	X(EADDRNOTAVAIL, 99)   \
	X(ECONNABORTED, 103)   \
	X(ECONNRESET, 104)     \
	X(ENOBUFS, 105)        \
	X(ENOTCONN, 107)       \
	X(ESHUTDOWN, 108)      \
	X(ETIMEDOUT, 110)      \
	X(ECONNREFUSED, 111)   \
	X(EHOSTDOWN, 112)      \
	X(EINPROGRESS, 115)    \
	X(ECANCELED, 125)      \
	X(ENOKEY, 126)         \
	X(ERESTARTSYS, 512)

#endif /* CCM_ERRNO_LIST_H */
