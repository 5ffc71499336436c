// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/ccm.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink_gen.h"

#include <uapi/linux/ccm.h>

/* Common nested types */
const struct nla_policy ccm_endpoint_nl_policy[CCM_A_ENDPOINT_SCOPE + 1] = {
	[CCM_A_ENDPOINT_IPV4] = NLA_POLICY_EXACT_LEN(4),
	[CCM_A_ENDPOINT_IPV6] = NLA_POLICY_EXACT_LEN(16),
	[CCM_A_ENDPOINT_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[CCM_A_ENDPOINT_SCOPE] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* CCM_CMD_NODE_GET - do */
const struct nla_policy ccm_node_get_nl_policy[CCM_A_NODE_PAD + 1] = {
};

/* CCM_CMD_NODE_SET - do */
const struct nla_policy ccm_node_set_nl_policy[CCM_A_NODE_LOCAL + 1] = {
	[CCM_A_NODE_NUMBER] = NLA_POLICY_RANGE(NLA_U32, 1, CCM_NODE_MAX),
	[CCM_A_NODE_CLUSTER] = { .type = NLA_NUL_STRING, .len = CCM_CLUSTER_MAX, },
	[CCM_A_NODE_LOCAL] = NLA_POLICY_NESTED(ccm_endpoint_nl_policy),
};

/* CCM_CMD_NODE_DELETE - do */
const struct nla_policy ccm_node_delete_nl_policy[CCM_A_NODE_PAD + 1] = {
};

/* CCM_CMD_PEER_GET - do */
const struct nla_policy ccm_peer_get_nl_policy[CCM_A_PEER_NUMBER + 1] = {
	[CCM_A_PEER_NUMBER] = NLA_POLICY_RANGE(NLA_U32, 1, CCM_NODE_MAX),
};

/* CCM_CMD_PEER_ADD - do */
const struct nla_policy ccm_peer_add_nl_policy[CCM_A_PEER_LIMIT + 1] = {
	[CCM_A_PEER_NUMBER] = NLA_POLICY_RANGE(NLA_U32, 1, CCM_NODE_MAX),
	[CCM_A_PEER_REMOTE] = NLA_POLICY_NESTED(ccm_endpoint_nl_policy),
	[CCM_A_PEER_TIMEOUT] = NLA_POLICY_MIN(NLA_U32, CCM_TIMEOUT_MIN),
	[CCM_A_PEER_INTERVAL] = { .type = NLA_U32, },
	[CCM_A_PEER_LIMIT] = NLA_POLICY_RANGE(NLA_U32, CCM_LIMIT_MIN, CCM_LIMIT_MAX),
};

/* CCM_CMD_PEER_DELETE - do */
const struct nla_policy ccm_peer_delete_nl_policy[CCM_A_PEER_NUMBER + 1] = {
	[CCM_A_PEER_NUMBER] = NLA_POLICY_RANGE(NLA_U32, 1, CCM_NODE_MAX),
};

/* CCM_CMD_CONNECT - do */
const struct nla_policy ccm_connect_nl_policy[CCM_A_PEER_NUMBER + 1] = {
	[CCM_A_PEER_NUMBER] = NLA_POLICY_RANGE(NLA_U32, 1, CCM_NODE_MAX),
};

/* CCM_CMD_LISTEN - do */
const struct nla_policy ccm_listen_nl_policy[CCM_A_PEER_NUMBER + 1] = {
	[CCM_A_PEER_NUMBER] = NLA_POLICY_RANGE(NLA_U32, 1, CCM_NODE_MAX),
};

/* CCM_CMD_CLOSE - do */
const struct nla_policy ccm_close_nl_policy[CCM_A_PEER_NUMBER + 1] = {
	[CCM_A_PEER_NUMBER] = NLA_POLICY_RANGE(NLA_U32, 1, CCM_NODE_MAX),
};

/* CCM_CMD_CONSUMER_GET - do */
const struct nla_policy ccm_consumer_get_nl_policy[CCM_A_CONSUMER_MODULE + 1] = {
	[CCM_A_CONSUMER_MODULE] = NLA_POLICY_RANGE(NLA_U32, 1, CCM_MODULE_MAX),
};

/* CCM_CMD_HANDLER_GET - dump */
const struct nla_policy ccm_handler_get_nl_policy[CCM_A_HANDLER_PAD + 1] = {
};

/* CCM_CMD_CALL_GET - dump */
const struct nla_policy ccm_call_get_nl_policy[CCM_A_CALL_PAD + 1] = {
};

/* CCM_CMD_KEY_SET - do */
const struct nla_policy ccm_key_set_nl_policy[CCM_A_NODE_INSECURE + 1] = {
	[CCM_A_NODE_KEY] = { .type = NLA_NUL_STRING, .len = CCM_KEY_NAME_MAX, },
	[CCM_A_NODE_INSECURE] = { .type = NLA_FLAG, },
};

/* CCM_CMD_MANAGE - do */
const struct nla_policy ccm_manage_nl_policy[CCM_A_NODE_PAD + 1] = {
};

/* CCM_CMD_PEER_SET - do */
const struct nla_policy ccm_peer_set_nl_policy[CCM_A_PEER_LIMIT + 1] = {
	[CCM_A_PEER_NUMBER] = NLA_POLICY_RANGE(NLA_U32, 1, CCM_NODE_MAX),
	[CCM_A_PEER_TIMEOUT] = NLA_POLICY_MIN(NLA_U32, CCM_TIMEOUT_MIN),
	[CCM_A_PEER_INTERVAL] = { .type = NLA_U32, },
	[CCM_A_PEER_LIMIT] = NLA_POLICY_RANGE(NLA_U32, CCM_LIMIT_MIN, CCM_LIMIT_MAX),
};

/* CCM_CMD_PING - do */
const struct nla_policy ccm_ping_nl_policy[CCM_A_PEER_NUMBER + 1] = {
	[CCM_A_PEER_NUMBER] = NLA_POLICY_RANGE(NLA_U32, 1, CCM_NODE_MAX),
};

/* CCM_CMD_POKE - do */
const struct nla_policy ccm_poke_nl_policy[CCM_A_PEER_NUMBER + 1] = {
	[CCM_A_PEER_NUMBER] = NLA_POLICY_RANGE(NLA_U32, 1, CCM_NODE_MAX),
};

/* Ops table for ccm */
const struct genl_ops ccm_nl_ops[17] = {
	{
		.cmd		= CCM_CMD_NODE_GET,
		.doit		= ccm_nl_node_get_doit,
		.policy		= ccm_node_get_nl_policy,
		.maxattr	= CCM_A_NODE_PAD,
	},
	{
		.cmd		= CCM_CMD_NODE_SET,
		.doit		= ccm_nl_node_set_doit,
		.policy		= ccm_node_set_nl_policy,
		.maxattr	= CCM_A_NODE_LOCAL,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= CCM_CMD_NODE_DELETE,
		.doit		= ccm_nl_node_delete_doit,
		.policy		= ccm_node_delete_nl_policy,
		.maxattr	= CCM_A_NODE_PAD,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= CCM_CMD_PEER_GET,
		.doit		= ccm_nl_peer_get_doit,
		.dumpit		= ccm_nl_peer_get_dumpit,
		.policy		= ccm_peer_get_nl_policy,
		.maxattr	= CCM_A_PEER_NUMBER,
	},
	{
		.cmd		= CCM_CMD_PEER_ADD,
		.doit		= ccm_nl_peer_add_doit,
		.policy		= ccm_peer_add_nl_policy,
		.maxattr	= CCM_A_PEER_LIMIT,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= CCM_CMD_PEER_DELETE,
		.doit		= ccm_nl_peer_delete_doit,
		.policy		= ccm_peer_delete_nl_policy,
		.maxattr	= CCM_A_PEER_NUMBER,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= CCM_CMD_CONNECT,
		.doit		= ccm_nl_connect_doit,
		.policy		= ccm_connect_nl_policy,
		.maxattr	= CCM_A_PEER_NUMBER,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= CCM_CMD_LISTEN,
		.doit		= ccm_nl_listen_doit,
		.policy		= ccm_listen_nl_policy,
		.maxattr	= CCM_A_PEER_NUMBER,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= CCM_CMD_CLOSE,
		.doit		= ccm_nl_close_doit,
		.policy		= ccm_close_nl_policy,
		.maxattr	= CCM_A_PEER_NUMBER,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= CCM_CMD_CONSUMER_GET,
		.doit		= ccm_nl_consumer_get_doit,
		.dumpit		= ccm_nl_consumer_get_dumpit,
		.policy		= ccm_consumer_get_nl_policy,
		.maxattr	= CCM_A_CONSUMER_MODULE,
	},
	{
		.cmd		= CCM_CMD_HANDLER_GET,
		.dumpit		= ccm_nl_handler_get_dumpit,
		.policy		= ccm_handler_get_nl_policy,
		.maxattr	= CCM_A_HANDLER_PAD,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= CCM_CMD_CALL_GET,
		.dumpit		= ccm_nl_call_get_dumpit,
		.policy		= ccm_call_get_nl_policy,
		.maxattr	= CCM_A_CALL_PAD,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= CCM_CMD_KEY_SET,
		.doit		= ccm_nl_key_set_doit,
		.policy		= ccm_key_set_nl_policy,
		.maxattr	= CCM_A_NODE_INSECURE,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= CCM_CMD_MANAGE,
		.doit		= ccm_nl_manage_doit,
		.policy		= ccm_manage_nl_policy,
		.maxattr	= CCM_A_NODE_PAD,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= CCM_CMD_PEER_SET,
		.doit		= ccm_nl_peer_set_doit,
		.policy		= ccm_peer_set_nl_policy,
		.maxattr	= CCM_A_PEER_LIMIT,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= CCM_CMD_PING,
		.doit		= ccm_nl_ping_doit,
		.policy		= ccm_ping_nl_policy,
		.maxattr	= CCM_A_PEER_NUMBER,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= CCM_CMD_POKE,
		.doit		= ccm_nl_poke_doit,
		.policy		= ccm_poke_nl_policy,
		.maxattr	= CCM_A_PEER_NUMBER,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
};

static const struct genl_multicast_group ccm_nl_mcgrps[] = {
	[CCM_NLGRP_EVENTS] = { "events", },
};
