/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CCM_NETLINK_H
#define CCM_NETLINK_H

struct ccm_event;
struct net;

/* To be called when namespaces have their nodes; no node reports an event before. */
int ccm_netlink_init(void);
/* No request is being served when this returns, or will be. Events still are sent. */
void ccm_netlink_close(void);
/* When the last node has reported its last event. */
void ccm_netlink_exit(void);

/* Tell those who joined the group. Sleeps. */
void ccm_netlink_event(struct net *net, const struct ccm_event *event);

#endif /* CCM_NETLINK_H */
