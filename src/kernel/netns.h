/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CCM_NETNS_H
#define CCM_NETNS_H

#include <linux/notifier.h>
#include <linux/rwsem.h>

struct ccm_node;
struct net;

/* The modules that want to hear of peers. */
struct ccm_watchers {
	struct rw_semaphore lock; /* protects the chain; held as it is called */
	struct raw_notifier_head chain;
};

int ccm_netns_init(void);
void ccm_netns_exit(void);

/*
 * The namespace's node with a reference, to be given back by ccm_core_put();
 * or NULL: none yet, or none any more. Any context but NMI.
 */
struct ccm_node *ccm_netns_node(struct net *net);

/* Of a namespace that has, or has just had, a node. */
struct ccm_watchers *ccm_netns_watchers(struct net *net);

/*
 * Hold the namespace for the manager behind this netlink port, if no other
 * does; and let it go, if this one held it.
 */
bool ccm_netns_hold(struct net *net, u32 port);
void ccm_netns_let_go(struct net *net, u32 port);
bool ccm_netns_is_held(struct net *net);

/* Whether its node may be given a number: see the module parameter userns. */
bool ccm_netns_may_be_node(const struct net *net);

#endif /* CCM_NETNS_H */
