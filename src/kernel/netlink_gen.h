/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/ccm.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_CCM_GEN_H
#define _LINUX_CCM_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/ccm.h>

/* Common nested types */
extern const struct nla_policy ccm_endpoint_nl_policy[CCM_A_ENDPOINT_SCOPE + 1];

extern const struct nla_policy ccm_node_get_nl_policy[CCM_A_NODE_PAD + 1];

extern const struct nla_policy ccm_node_set_nl_policy[CCM_A_NODE_LOCAL + 1];

extern const struct nla_policy ccm_node_delete_nl_policy[CCM_A_NODE_PAD + 1];

extern const struct nla_policy ccm_peer_get_nl_policy[CCM_A_PEER_NUMBER + 1];

extern const struct nla_policy ccm_peer_add_nl_policy[CCM_A_PEER_LIMIT + 1];

extern const struct nla_policy ccm_peer_delete_nl_policy[CCM_A_PEER_NUMBER + 1];

extern const struct nla_policy ccm_connect_nl_policy[CCM_A_PEER_NUMBER + 1];

extern const struct nla_policy ccm_listen_nl_policy[CCM_A_PEER_NUMBER + 1];

extern const struct nla_policy ccm_close_nl_policy[CCM_A_PEER_NUMBER + 1];

extern const struct nla_policy ccm_consumer_get_nl_policy[CCM_A_CONSUMER_MODULE + 1];

extern const struct nla_policy ccm_key_set_nl_policy[CCM_A_NODE_INSECURE + 1];

extern const struct nla_policy ccm_manage_nl_policy[CCM_A_NODE_PAD + 1];

extern const struct nla_policy ccm_peer_set_nl_policy[CCM_A_PEER_LIMIT + 1];

extern const struct nla_policy ccm_ping_nl_policy[CCM_A_PEER_NUMBER + 1];

extern const struct nla_policy ccm_poke_nl_policy[CCM_A_PEER_NUMBER + 1];

/* Ops table for ccm */
extern const struct genl_ops ccm_nl_ops[17];

int ccm_nl_node_get_doit(struct sk_buff *skb, struct genl_info *info);
int ccm_nl_node_set_doit(struct sk_buff *skb, struct genl_info *info);
int ccm_nl_node_delete_doit(struct sk_buff *skb, struct genl_info *info);
int ccm_nl_peer_get_doit(struct sk_buff *skb, struct genl_info *info);
int ccm_nl_peer_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int ccm_nl_peer_add_doit(struct sk_buff *skb, struct genl_info *info);
int ccm_nl_peer_delete_doit(struct sk_buff *skb, struct genl_info *info);
int ccm_nl_connect_doit(struct sk_buff *skb, struct genl_info *info);
int ccm_nl_listen_doit(struct sk_buff *skb, struct genl_info *info);
int ccm_nl_close_doit(struct sk_buff *skb, struct genl_info *info);
int ccm_nl_consumer_get_doit(struct sk_buff *skb, struct genl_info *info);
int ccm_nl_consumer_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);
int ccm_nl_handler_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int ccm_nl_call_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int ccm_nl_key_set_doit(struct sk_buff *skb, struct genl_info *info);
int ccm_nl_manage_doit(struct sk_buff *skb, struct genl_info *info);
int ccm_nl_peer_set_doit(struct sk_buff *skb, struct genl_info *info);
int ccm_nl_ping_doit(struct sk_buff *skb, struct genl_info *info);
int ccm_nl_poke_doit(struct sk_buff *skb, struct genl_info *info);

enum {
	CCM_NLGRP_EVENTS,
};

#endif /* _LINUX_CCM_GEN_H */
