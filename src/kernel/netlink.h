/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CCM_NETLINK_H
#define CCM_NETLINK_H

struct ccm_event;
struct net;

/*
 * To be called when namespaces have their nodes, and before they lose them.
 * Nodes may report events at any time; without the family nobody hears them.
 */
int ccm_netlink_init(void);
void ccm_netlink_exit(void);

/* Tell those who joined the group. Sleeps. */
void ccm_netlink_event(struct net *net, const struct ccm_event *event);

#endif /* CCM_NETLINK_H */
