/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CCM_NETNS_H
#define CCM_NETNS_H

struct ccm_node;
struct net;

int ccm_netns_init(void);
void ccm_netns_exit(void);

/*
 * The namespace's node with a reference, to be given back by ccm_core_put();
 * or NULL: none yet, or none any more. Any context but NMI.
 */
struct ccm_node *ccm_netns_node(struct net *net);

/* Whether its node may be given a number: see the module parameter userns. */
bool ccm_netns_may_be_node(const struct net *net);

#endif /* CCM_NETNS_H */
