/* SPDX-License-Identifier: GPL-2.0 */
/* A notifier of peers that counts what it is told. */
#ifndef CCM_TEST_WATCHER_H
#define CCM_TEST_WATCHER_H

struct ccm_watcher;
struct net;

#ifdef __cplusplus
extern "C" {
#endif

/* NULL if it cannot be registered. */
struct ccm_watcher *ccm_watcher_start(struct net *net);
/* What unregistering returned. */
int ccm_watcher_stop(struct ccm_watcher *watcher);
/* How often it was told this change of this peer. */
u32 ccm_watcher_told(const struct ccm_watcher *watcher, unsigned long change,
		     u32 node);
/* The incarnation last told with CCM_PEER_UP. */
u64 ccm_watcher_incarnation(const struct ccm_watcher *watcher);
/* What a call that waits returned inside it, in the listener's thread. */
int ccm_watcher_deadlock(const struct ccm_watcher *watcher);
/* What unregistering did, called as it was told of those present. */
int ccm_watcher_registering(const struct ccm_watcher *watcher);
/* How often it was told where memory might have waited for I/O. */
u32 ccm_watcher_may_wait(const struct ccm_watcher *watcher);
/* What both calls return in a namespace in which CCM has no part yet. */
int ccm_watcher_too_early(void);

#ifdef __cplusplus
}
#endif

#endif /* CCM_TEST_WATCHER_H */
