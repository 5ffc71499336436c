/* SPDX-License-Identifier: GPL-2.0 */
/* A plain TCP socket, to play a node that does not keep to the protocol. */
#ifndef CCM_TEST_RAW_H
#define CCM_TEST_RAW_H

struct ccm_raw;
struct ccm_endpoint;
struct net;

#ifdef __cplusplus
extern "C" {
#endif

/* NULL if it cannot connect within five seconds. All of these may sleep. */
struct ccm_raw *ccm_raw_connect(struct net *net, const struct ccm_endpoint *to);
/* Listens at an address of net; accept waits up to timeout_ms, or returns NULL. */
struct ccm_raw *ccm_raw_listen(struct net *net, const struct ccm_endpoint *at);
struct ccm_raw *ccm_raw_accept(struct ccm_raw *listening, int timeout_ms);
/* The last byte is out of band; or it waits for what comes next. */
enum ccm_raw_flags { CCM_RAW_URGENT = 1, CCM_RAW_MORE = 2 };

/* 0, or a negative errno. */
int ccm_raw_send(struct ccm_raw *raw, const void *data, size_t size,
		 unsigned int flags);
/* Bytes read, 0 at the end, -ECONNRESET, or -EAGAIN when nothing comes in time. */
int ccm_raw_receive(struct ccm_raw *raw, void *data, size_t size, int timeout_ms);
/*
 * Of the socket at its other end, which is in far's namespace: -ENOENT, or how many of
 * its callbacks are functions of this module. listens: of the one that listens there,
 * instead.
 */
int ccm_raw_callbacks(struct ccm_raw *raw, struct net *far, bool listens);
/* Orderly, or by a reset. */
void ccm_raw_close(struct ccm_raw *raw, bool reset);

#ifdef __cplusplus
}
#endif

#endif /* CCM_TEST_RAW_H */
