/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CCM_NETLINK_FILL_H
#define CCM_NETLINK_FILL_H

#include "kernel.h"

struct sk_buff;

/*
 * Write the attributes of one message, about what. Return 0, or -EMSGSIZE
 * when there is no room, and then a part may have been written.
 */
typedef int (*ccm_nl_fill)(struct sk_buff *skb, const void *what);

struct ccm_nl_node {
	struct ccm_node_info info;
	bool managed;
};

/*
 * what: struct ccm_nl_node, ccm_peer_info, _consumer_info, _handler_info,
 * _call_info, and ccm_event.
 */
int ccm_nl_fill_node(struct sk_buff *skb, const void *what);
int ccm_nl_fill_peer(struct sk_buff *skb, const void *what);
int ccm_nl_fill_consumer(struct sk_buff *skb, const void *what);
int ccm_nl_fill_handler(struct sk_buff *skb, const void *what);
int ccm_nl_fill_call(struct sk_buff *skb, const void *what);
int ccm_nl_fill_event(struct sk_buff *skb, const void *what);

#endif /* CCM_NETLINK_FILL_H */
