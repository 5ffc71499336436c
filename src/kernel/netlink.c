// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family "ccm": how an administrator sees and changes the
 * node of a network namespace, and hears what happens to it.
 *
 * The protocol is Documentation/netlink/specs/ccm.yaml; the table of
 * operations and the policies, netlink_gen.c, are generated from it. Each
 * operation here reads its attributes, asks the core, and says why if the core
 * refuses.
 */

#include <linux/in6.h>
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/notifier.h>
#include <linux/rwsem.h>
#include <linux/slab.h>
#include <net/genetlink.h>
#include <net/ipv6.h>

#include "compat.h"
#include "kernel.h"
#include "keyring.h"
#include "netlink.h"
#include "netlink_fill.h"
#include "netlink_gen.h"
#include "netns.h"

/* Who asks for the family has the module loaded. */
MODULE_ALIAS_GENL_FAMILY(CCM_FAMILY_NAME);

static struct genl_family ccm_nl_family;

/* Protects ccm_nl_closed, and is held for reading while a request is served. */
static DECLARE_RWSEM(ccm_nl_requests);
static bool ccm_nl_closed;

/* --- writing messages ---------------------------------------------------- */

/* One message; part of a dump if cb is set. All of it is written, or nothing. */
static int ccm_nl_message(struct sk_buff *skb, u32 portid, u32 seq, u8 cmd,
			  struct netlink_callback *cb, ccm_nl_fill fill,
			  const void *what)
{
	void *head = genlmsg_put(skb, portid, seq, &ccm_nl_family,
				 cb ? NLM_F_MULTI : 0, cmd);
	int err;

	if (!head)
		return -EMSGSIZE;
	if (cb)
		genl_dump_check_consistent(cb, head);
	err = fill(skb, what);
	if (err)
		genlmsg_cancel(skb, head);
	else
		genlmsg_end(skb, head);
	return err;
}

static int ccm_nl_reply(struct genl_info *info, ccm_nl_fill fill,
			const void *what)
{
	struct sk_buff *skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	int err;

	if (!skb)
		return -ENOMEM;
	err = ccm_nl_message(skb, info->snd_portid, info->snd_seq,
			     info->genlhdr->cmd, NULL, fill, what);
	if (err) {
		nlmsg_free(skb);
		return err;
	}
	return genlmsg_reply(skb, info);
}

static int ccm_nl_dump_one(struct sk_buff *skb, struct netlink_callback *cb,
			   u8 cmd, ccm_nl_fill fill, const void *what)
{
	return ccm_nl_message(skb, NETLINK_CB(cb->skb).portid,
			      cb->nlh->nlmsg_seq, cmd, cb, fill, what);
}

/* --- reading requests ---------------------------------------------------- */

/* why: a sentence for people that lives as long as the module, or NULL. */
static int ccm_nl_refuse(struct genl_info *info, int err, const char *why)
{
	if (why && info->extack)
		info->extack->_msg = why;
	return err;
}

static int ccm_nl_refuse_attribute(struct genl_info *info, struct nlattr *attr,
				   const char *why)
{
	NL_SET_BAD_ATTR(info->extack, attr);
	return ccm_nl_refuse(info, -EINVAL, why);
}

/* The node of a namespace, with a reference; it may be gone already. */
static struct ccm_node *ccm_nl_node_of(struct net *net,
				       struct netlink_ext_ack *extack)
{
	struct ccm_node *node = ccm_netns_node(net);

	if (node)
		return node;
	NL_SET_ERR_MSG(extack, "this network namespace is going away");
	return ERR_PTR(-ESHUTDOWN);
}

static struct ccm_node *ccm_nl_node(struct genl_info *info)
{
	return ccm_nl_node_of(genl_info_net(info), info->extack);
}

/* Gives the node back, and passes on what the core said. */
static int ccm_nl_done(struct genl_info *info, struct ccm_node *node, int err,
		       const char *why)
{
	ccm_core_put(node);
	return err < 0 ? ccm_nl_refuse(info, err, why) : 0;
}

static int ccm_nl_read_ipv6(struct genl_info *info, struct nlattr *attr,
			    struct nlattr *scope, struct ccm_endpoint *out)
{
	struct in6_addr address = nla_get_in6_addr(attr);
	bool local = ipv6_addr_type(&address) & IPV6_ADDR_LINKLOCAL;

	if (ipv6_addr_v4mapped(&address))
		return ccm_nl_refuse_attribute(info, attr,
					       "this is an IPv4 address; give it as one");
	if (local && !scope)
		return ccm_nl_refuse_attribute(info, attr,
					       "a link-local address needs its interface (scope)");
	if (!local && scope)
		return ccm_nl_refuse_attribute(info, scope,
					       "only a link-local IPv6 address has an interface (scope)");
	out->family = 6;
	memcpy(out->address, &address, sizeof(address));
	out->scope = scope ? nla_get_u32(scope) : 0;
	return 0;
}

static int ccm_nl_read_ipv4(struct genl_info *info, struct nlattr *attr,
			    struct nlattr *scope, struct ccm_endpoint *out)
{
	if (scope)
		return ccm_nl_refuse_attribute(info, scope,
					       "only a link-local IPv6 address has an interface (scope)");
	out->family = 4;
	nla_memcpy(out->address, attr, 4);
	return 0;
}

static int ccm_nl_read_endpoint(struct genl_info *info, struct nlattr *attr,
				struct ccm_endpoint *out)
{
	struct nlattr *parts[CCM_A_ENDPOINT_MAX + 1];
	struct nlattr *port, *scope;
	int err;

	err = nla_parse_nested(parts, CCM_A_ENDPOINT_MAX, attr,
			       ccm_endpoint_nl_policy, info->extack);
	if (err)
		return err;
	if (!parts[CCM_A_ENDPOINT_IPV4] == !parts[CCM_A_ENDPOINT_IPV6])
		return ccm_nl_refuse_attribute(info, attr,
					       "give one address, IPv4 or IPv6");
	port = parts[CCM_A_ENDPOINT_PORT];
	out->port = port ? nla_get_u16(port) : CCM_PORT_DEFAULT;
	scope = parts[CCM_A_ENDPOINT_SCOPE];
	if (parts[CCM_A_ENDPOINT_IPV4])
		return ccm_nl_read_ipv4(info, parts[CCM_A_ENDPOINT_IPV4], scope,
					out);
	return ccm_nl_read_ipv6(info, parts[CCM_A_ENDPOINT_IPV6], scope, out);
}

/* --- operations on this node --------------------------------------------- */

int ccm_nl_node_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ccm_node *node = ccm_nl_node(info);
	struct ccm_nl_node now = {};

	if (IS_ERR(node))
		return PTR_ERR(node);
	ccm_core_node_info(node, &now.info);
	ccm_core_put(node);
	now.managed = ccm_netns_is_held(genl_info_net(info));
	return ccm_nl_reply(info, ccm_nl_fill_node, &now);
}

int ccm_nl_node_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ccm_node_config config = {};
	struct ccm_node *node;
	const char *why = NULL;
	int err;

	if (!ccm_netns_may_be_node(genl_info_net(info)))
		return ccm_nl_refuse(info, -EPERM,
				     "this network namespace belongs to another user namespace; the parameter userns of module kccm would have to be 1");
	if (GENL_REQ_ATTR_CHECK(info, CCM_A_NODE_NUMBER))
		return ccm_nl_refuse(info, -EINVAL, "give the node's number");
	if (GENL_REQ_ATTR_CHECK(info, CCM_A_NODE_LOCAL))
		return ccm_nl_refuse(info, -EINVAL, "give the node's address");
	config.number = nla_get_u32(info->attrs[CCM_A_NODE_NUMBER]);
	if (info->attrs[CCM_A_NODE_CLUSTER])
		nla_strscpy(config.cluster, info->attrs[CCM_A_NODE_CLUSTER],
			    sizeof(config.cluster));
	err = ccm_nl_read_endpoint(info, info->attrs[CCM_A_NODE_LOCAL],
				   &config.local);
	if (err)
		return err;
	node = ccm_nl_node(info);
	if (IS_ERR(node))
		return PTR_ERR(node);
	err = ccm_core_node_set(node, &config, &why);
	return ccm_nl_done(info, node, err, why);
}

int ccm_nl_node_delete_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ccm_node *node = ccm_nl_node(info);
	const char *why = NULL;
	int err;

	if (IS_ERR(node))
		return PTR_ERR(node);
	err = ccm_core_node_delete(node, &why);
	return ccm_nl_done(info, node, err, why);
}

static int ccm_nl_set_key(struct genl_info *info, const void *secret,
			  size_t size)
{
	struct ccm_node *node = ccm_nl_node(info);
	const char *why = NULL;
	int err;

	if (IS_ERR(node))
		return PTR_ERR(node);
	err = ccm_core_key_set(node, secret, size, &why);
	return ccm_nl_done(info, node, err, why);
}

/* The key is looked for in the keyrings of who asks. */
int ccm_nl_key_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *key = info->attrs[CCM_A_NODE_KEY];
	void *secret;
	size_t size;
	int err;

	if (!key == !info->attrs[CCM_A_NODE_INSECURE])
		return ccm_nl_refuse(info, -EINVAL,
				     "give the description of a key, or say that the cluster is insecure");
	if (!key)
		return ccm_nl_set_key(info, NULL, 0);
	err = ccm_keyring_read(nla_data(key), &secret, &size);
	if (err) {
		NL_SET_BAD_ATTR(info->extack, key);
		return ccm_nl_refuse(info, err,
				     "your keyrings hold no usable key of type logon with this description");
	}
	err = ccm_nl_set_key(info, secret, size);
	kfree_sensitive(secret);
	return err;
}

int ccm_nl_manage_doit(struct sk_buff *skb, struct genl_info *info)
{
	if (!ccm_netns_hold(genl_info_net(info), info->snd_portid))
		return ccm_nl_refuse(info, -EBUSY,
				     "this node has a manager already");
	return 0;
}

/* --- operations on peers ------------------------------------------------- */

int ccm_nl_peer_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ccm_peer_info peer = {};
	struct ccm_node *node;
	u32 number;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, CCM_A_PEER_NUMBER))
		return ccm_nl_refuse(info, -EINVAL, "give the peer's number");
	number = nla_get_u32(info->attrs[CCM_A_PEER_NUMBER]);
	node = ccm_nl_node(info);
	if (IS_ERR(node))
		return PTR_ERR(node);
	err = ccm_core_peer_info(node, number, &peer);
	ccm_core_put(node);
	if (err || peer.config.number != number)
		return ccm_nl_refuse(info, -ENODEV, "no such peer");
	return ccm_nl_reply(info, ccm_nl_fill_peer, &peer);
}

/* What genl_dump_check_consistent() compares; it takes 0 for "not yet". */
static u32 ccm_nl_generation(struct ccm_node *node)
{
	struct ccm_node_info now = {};

	ccm_core_node_info(node, &now);
	return (u32)now.generation ?: ~0u;
}

/*
 * The peers from cb->args[0] on, as many as have room. The generation is read
 * before each and after the last, since a change may fall between any two.
 */
int ccm_nl_peer_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct ccm_node *node = ccm_nl_node_of(sock_net(cb->skb->sk),
					       cb->extack);
	struct ccm_peer_info peer = {};
	int err = 0;

	if (IS_ERR(node))
		return PTR_ERR(node);
	for (;;) {
		cb->seq = ccm_nl_generation(node);
		if (ccm_core_peer_info(node, cb->args[0], &peer))
			break;
		err = ccm_nl_dump_one(skb, cb, CCM_CMD_PEER_GET,
				      ccm_nl_fill_peer, &peer);
		if (err)
			break;
		cb->args[0] = peer.config.number + 1;
	}
	ccm_core_put(node);
	return skb->len ?: err;
}

/* Their upper limits are not in the policy: too large for one on Linux 6.1. */
static int ccm_nl_read_ms(struct genl_info *info, int attribute, u32 *ms)
{
	struct nlattr *attr = info->attrs[attribute];

	if (!attr)
		return 0;
	*ms = nla_get_u32(attr);
	if (*ms > CCM_TIMEOUT_MAX)
		return ccm_nl_refuse_attribute(info, attr,
					       "this may be an hour at most");
	return 0;
}

static int ccm_nl_read_policy(struct genl_info *info,
			      struct ccm_peer_policy *policy)
{
	struct nlattr *limit = info->attrs[CCM_A_PEER_LIMIT];

	if (limit)
		policy->limit = nla_get_u32(limit);
	return ccm_nl_read_ms(info, CCM_A_PEER_TIMEOUT, &policy->timeout_ms) ?:
	       ccm_nl_read_ms(info, CCM_A_PEER_INTERVAL, &policy->interval_ms);
}

int ccm_nl_peer_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ccm_peer_config config = {};
	struct ccm_node *node;
	const char *why = NULL;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, CCM_A_PEER_NUMBER))
		return ccm_nl_refuse(info, -EINVAL, "give the peer's number");
	if (GENL_REQ_ATTR_CHECK(info, CCM_A_PEER_REMOTE))
		return ccm_nl_refuse(info, -EINVAL, "give the peer's address");
	config.number = nla_get_u32(info->attrs[CCM_A_PEER_NUMBER]);
	err = ccm_nl_read_policy(info, &config.policy) ?:
	      ccm_nl_read_endpoint(info, info->attrs[CCM_A_PEER_REMOTE],
				   &config.remote);
	if (err)
		return err;
	node = ccm_nl_node(info);
	if (IS_ERR(node))
		return PTR_ERR(node);
	err = ccm_core_peer_add(node, &config, &why);
	return ccm_nl_done(info, node, err, why);
}

int ccm_nl_peer_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ccm_peer_policy policy = {};
	struct ccm_node *node;
	const char *why = NULL;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, CCM_A_PEER_NUMBER))
		return ccm_nl_refuse(info, -EINVAL, "give the peer's number");
	err = ccm_nl_read_policy(info, &policy);
	if (err)
		return err;
	node = ccm_nl_node(info);
	if (IS_ERR(node))
		return PTR_ERR(node);
	err = ccm_core_peer_set(node,
				nla_get_u32(info->attrs[CCM_A_PEER_NUMBER]),
				&policy, info->attrs[CCM_A_PEER_INTERVAL],
				&why);
	return ccm_nl_done(info, node, err, why);
}

/* An operation that needs no more than a peer's number. */
static int ccm_nl_change_peer(struct genl_info *info,
			      int (*change)(struct ccm_node *node, u32 number,
					    const char **why))
{
	struct ccm_node *node;
	const char *why = NULL;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, CCM_A_PEER_NUMBER))
		return ccm_nl_refuse(info, -EINVAL, "give the peer's number");
	node = ccm_nl_node(info);
	if (IS_ERR(node))
		return PTR_ERR(node);
	err = change(node, nla_get_u32(info->attrs[CCM_A_PEER_NUMBER]), &why);
	return ccm_nl_done(info, node, err, why);
}

int ccm_nl_peer_delete_doit(struct sk_buff *skb, struct genl_info *info)
{
	return ccm_nl_change_peer(info, ccm_core_peer_delete);
}

static int ccm_nl_connect(struct ccm_node *node, u32 number, const char **why)
{
	return ccm_core_connect(node, number, 0, why);
}

int ccm_nl_connect_doit(struct sk_buff *skb, struct genl_info *info)
{
	return ccm_nl_change_peer(info, ccm_nl_connect);
}

static int ccm_nl_listen(struct ccm_node *node, u32 number, const char **why)
{
	return ccm_core_listen(node, number, 0, why);
}

int ccm_nl_listen_doit(struct sk_buff *skb, struct genl_info *info)
{
	return ccm_nl_change_peer(info, ccm_nl_listen);
}

static int ccm_nl_close(struct ccm_node *node, u32 number, const char **why)
{
	return ccm_core_close(node, number, 0, why);
}

int ccm_nl_close_doit(struct sk_buff *skb, struct genl_info *info)
{
	return ccm_nl_change_peer(info, ccm_nl_close);
}

int ccm_nl_ping_doit(struct sk_buff *skb, struct genl_info *info)
{
	return ccm_nl_change_peer(info, ccm_core_ping);
}

int ccm_nl_poke_doit(struct sk_buff *skb, struct genl_info *info)
{
	return ccm_nl_change_peer(info, ccm_core_poke);
}

/* --- operations on consumers --------------------------------------------- */

/* The first consumer from a module number on; its owner is a copy. */
static int ccm_nl_consumer(struct ccm_node *node, u32 from,
			   struct ccm_consumer_info *out,
			   char owner[MODULE_NAME_LEN])
{
	int err;

	ccm_rcu_enter();
	err = ccm_core_consumer_info(node, from, out);
	if (!err)
		strscpy(owner, out->owner ?: "", MODULE_NAME_LEN);
	ccm_rcu_leave();
	out->owner = owner;
	return err;
}

int ccm_nl_consumer_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ccm_consumer_info consumer = {};
	char owner[MODULE_NAME_LEN];
	struct ccm_node *node;
	u32 number;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, CCM_A_CONSUMER_MODULE))
		return ccm_nl_refuse(info, -EINVAL, "give the module number");
	number = nla_get_u32(info->attrs[CCM_A_CONSUMER_MODULE]);
	node = ccm_nl_node(info);
	if (IS_ERR(node))
		return PTR_ERR(node);
	err = ccm_nl_consumer(node, number, &consumer, owner);
	ccm_core_put(node);
	if (err || consumer.module != number)
		return ccm_nl_refuse(info, -ENOENT,
				     "no consumer has this module number");
	return ccm_nl_reply(info, ccm_nl_fill_consumer, &consumer);
}

/* As with peers; but consumers come and go without a new generation. */
int ccm_nl_consumer_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct ccm_node *node = ccm_nl_node_of(sock_net(cb->skb->sk),
					       cb->extack);
	struct ccm_consumer_info consumer = {};
	char owner[MODULE_NAME_LEN];
	int err = 0;

	if (IS_ERR(node))
		return PTR_ERR(node);
	while (!ccm_nl_consumer(node, cb->args[0], &consumer, owner)) {
		err = ccm_nl_dump_one(skb, cb, CCM_CMD_CONSUMER_GET,
				      ccm_nl_fill_consumer, &consumer);
		if (err)
			break;
		cb->args[0] = consumer.module + 1;
	}
	ccm_core_put(node);
	return skb->len ?: err;
}

/* --- operations on calls ------------------------------------------------- */

/*
 * Where a dump goes on. Calls come and go meanwhile; those that stay are told once.
 * The cursor moves on when what it has passed is in the message.
 */
static struct ccm_cursor *ccm_nl_cursor(struct netlink_callback *cb)
{
	static_assert(sizeof(struct ccm_cursor) <= sizeof(cb->ctx));
	return (struct ccm_cursor *)cb->ctx;
}

int ccm_nl_handler_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct ccm_node *node = ccm_nl_node_of(sock_net(cb->skb->sk),
					       cb->extack);
	struct ccm_cursor at = *ccm_nl_cursor(cb);
	struct ccm_handler_info handler = {};
	int err = 0;

	if (IS_ERR(node))
		return PTR_ERR(node);
	while (!ccm_core_handler_info(node, &at, &handler)) {
		err = ccm_nl_dump_one(skb, cb, CCM_CMD_HANDLER_GET,
				      ccm_nl_fill_handler, &handler);
		if (err)
			break;
		*ccm_nl_cursor(cb) = at;
	}
	ccm_core_put(node);
	return skb->len ?: err;
}

int ccm_nl_call_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct ccm_node *node = ccm_nl_node_of(sock_net(cb->skb->sk),
					       cb->extack);
	struct ccm_cursor at = *ccm_nl_cursor(cb);
	struct ccm_call_info call = {};
	int err = 0;

	if (IS_ERR(node))
		return PTR_ERR(node);
	while (!ccm_core_call_info(node, &at, &call)) {
		err = ccm_nl_dump_one(skb, cb, CCM_CMD_CALL_GET,
				      ccm_nl_fill_call, &call);
		if (err)
			break;
		*ccm_nl_cursor(cb) = at;
	}
	ccm_core_put(node);
	return skb->len ?: err;
}

/* --- events -------------------------------------------------------------- */

/* Bytes, for all attributes of an event; small, as many may have to wait. */
#define CCM_NL_EVENT_SIZE 256

/* The listener tells most of them: it waits neither for I/O nor long. */
#define CCM_NL_EVENT_GFP (GFP_NOIO | __GFP_NORETRY | __GFP_NOWARN)

static void ccm_nl_send_event(struct net *net, const struct ccm_event *event)
{
	struct sk_buff *skb = genlmsg_new(CCM_NL_EVENT_SIZE, CCM_NL_EVENT_GFP);

	if (!skb) {
		/* As for a full socket: listeners learn that one is missing. */
		genl_set_err(&ccm_nl_family, net, 0, CCM_NLGRP_EVENTS,
			     -ENOBUFS);
		return;
	}
	if (WARN_ON_ONCE(ccm_nl_message(skb, 0, 0, CCM_CMD_EVENT, NULL,
					ccm_nl_fill_event, event))) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_multicast_netns(&ccm_nl_family, net, skb, 0, CCM_NLGRP_EVENTS,
				CCM_NL_EVENT_GFP);
}

/* A peer can cause an event a message: nothing is built that nobody hears. */
void ccm_netlink_event(struct net *net, const struct ccm_event *event)
{
	if (genl_has_listeners(&ccm_nl_family, net, CCM_NLGRP_EVENTS))
		ccm_nl_send_event(net, event);
}

/* --- the family ---------------------------------------------------------- */

/* Not the generated one, which cannot ask for the capability. */
static const struct genl_multicast_group ccm_nl_groups[] = {
	[CCM_NLGRP_EVENTS] = {
		.name = CCM_MCGRP_EVENTS,
		.flags = GENL_MCAST_CAP_NET_ADMIN,
	},
};

/* Dumps need no such thing: each keeps the module, and none begins when it goes. */
static int ccm_nl_begin(const struct genl_split_ops *ops, struct sk_buff *skb,
			struct genl_info *info)
{
	down_read(&ccm_nl_requests);
	if (!ccm_nl_closed)
		return 0;
	up_read(&ccm_nl_requests);
	return ccm_nl_refuse(info, -ESHUTDOWN,
			     "the module kccm is being unloaded");
}

static void ccm_nl_end(const struct genl_split_ops *ops, struct sk_buff *skb,
		       struct genl_info *info)
{
	up_read(&ccm_nl_requests);
}

static struct genl_family ccm_nl_family __ro_after_init = {
	.name = CCM_FAMILY_NAME,
	.version = CCM_FAMILY_VERSION,
	.module = THIS_MODULE,
	.netnsok = true,
	.parallel_ops = true,
	.pre_doit = ccm_nl_begin,
	.post_doit = ccm_nl_end,
	.ops = ccm_nl_ops,
	.n_ops = ARRAY_SIZE(ccm_nl_ops),
	.mcgrps = ccm_nl_groups,
	.n_mcgrps = ARRAY_SIZE(ccm_nl_groups),
};

/* A socket closes, perhaps a manager's; its process need not live any more. */
static int ccm_nl_released(struct notifier_block *self, unsigned long event,
			   void *what)
{
	const struct netlink_notify *notify = what;

	if (event == NETLINK_URELEASE && notify->protocol == NETLINK_GENERIC)
		ccm_netns_let_go(notify->net, notify->portid);
	return NOTIFY_DONE;
}

static struct notifier_block ccm_nl_releases = {
	.notifier_call = ccm_nl_released,
};

int __init ccm_netlink_init(void)
{
	int err = netlink_register_notifier(&ccm_nl_releases);

	if (err)
		return err;
	err = genl_register_family(&ccm_nl_family);
	if (err)
		netlink_unregister_notifier(&ccm_nl_releases);
	return err;
}

void ccm_netlink_close(void)
{
	down_write(&ccm_nl_requests);
	ccm_nl_closed = true;
	up_write(&ccm_nl_requests);
	netlink_unregister_notifier(&ccm_nl_releases);
}

void ccm_netlink_exit(void)
{
	genl_unregister_family(&ccm_nl_family);
}
