// SPDX-License-Identifier: GPL-2.0
/*
 * What the core tells about nodes, peers, consumers, calls and events, as
 * attributes of netlink.
 */

#include <net/netlink.h>

#include "kernel.h"
#include "netlink_fill.h"

struct ccm_nl_counter {
	int attribute;
	size_t offset; /* of a u64 in the structure of counters */
};

#define CCM_NL_NODE_COUNTER(name, field) \
	{ CCM_A_NODE_STATS_##name, offsetof(struct ccm_node_stats, field) }

static const struct ccm_nl_counter ccm_nl_node_counters[] = {
	CCM_NL_NODE_COUNTER(ACCEPTED, accepted),
	CCM_NL_NODE_COUNTER(REFUSED, refused),
	CCM_NL_NODE_COUNTER(STRANGERS, strangers),
	CCM_NL_NODE_COUNTER(GARBAGE, garbage),
	CCM_NL_NODE_COUNTER(LATE, late),
	CCM_NL_NODE_COUNTER(CROWDED, crowded),
	CCM_NL_NODE_COUNTER(PROOFS, proofs),
	CCM_NL_NODE_COUNTER(POKES, pokes),
};

#define CCM_NL_PEER_COUNTER(name, field) \
	{ CCM_A_PEER_STATS_##name, offsetof(struct ccm_peer_stats, field) }

static const struct ccm_nl_counter ccm_nl_peer_counters[] = {
	CCM_NL_PEER_COUNTER(MESSAGES_IN, messages_in),
	CCM_NL_PEER_COUNTER(MESSAGES_OUT, messages_out),
	CCM_NL_PEER_COUNTER(BYTES_IN, bytes_in),
	CCM_NL_PEER_COUNTER(BYTES_OUT, bytes_out),
	CCM_NL_PEER_COUNTER(FRAMES_IN, frames_in),
	CCM_NL_PEER_COUNTER(FRAMES_OUT, frames_out),
	CCM_NL_PEER_COUNTER(WAITS, waits),
	CCM_NL_PEER_COUNTER(REFUSED, refused),
	CCM_NL_PEER_COUNTER(CONNECTS, connects),
	CCM_NL_PEER_COUNTER(BREAKS, breaks),
	CCM_NL_PEER_COUNTER(REPLACED, replaced),
	CCM_NL_PEER_COUNTER(GARBAGE, garbage),
	CCM_NL_PEER_COUNTER(UNSENT, unsent),
	CCM_NL_PEER_COUNTER(UNKNOWN, unknown),
	CCM_NL_PEER_COUNTER(NO_MEMORY, no_memory),
	CCM_NL_PEER_COUNTER(CALLS_IN, calls_in),
	CCM_NL_PEER_COUNTER(CALLS_OUT, calls_out),
	CCM_NL_PEER_COUNTER(CALLS_REFUSED, calls_refused),
	CCM_NL_PEER_COUNTER(HEARTBEATS, heartbeats),
	CCM_NL_PEER_COUNTER(MISSED, missed),
	CCM_NL_PEER_COUNTER(DROPPED, dropped),
};

/* In every set of counters the attribute for padding is the first. */
#define CCM_NL_COUNTER_PAD 1
static_assert(CCM_A_NODE_STATS_PAD == CCM_NL_COUNTER_PAD);
static_assert(CCM_A_PEER_STATS_PAD == CCM_NL_COUNTER_PAD);

static int ccm_nl_put_counters(struct sk_buff *skb, int attribute,
			       const struct ccm_nl_counter *counters,
			       size_t count, const void *stats)
{
	struct nlattr *nest = nla_nest_start(skb, attribute);

	if (!nest)
		return -EMSGSIZE;
	for (; count; count--, counters++) {
		const u64 *value = stats + counters->offset;

		if (nla_put_u64_64bit(skb, counters->attribute, *value,
				      CCM_NL_COUNTER_PAD))
			return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

static int ccm_nl_put_endpoint(struct sk_buff *skb, int attribute,
			       const struct ccm_endpoint *endpoint)
{
	struct nlattr *nest;
	int err;

	if (!endpoint->family)
		return 0;
	nest = nla_nest_start(skb, attribute);
	if (!nest)
		return -EMSGSIZE;
	if (endpoint->family == 4)
		err = nla_put(skb, CCM_A_ENDPOINT_IPV4, 4, endpoint->address);
	else
		err = nla_put(skb, CCM_A_ENDPOINT_IPV6, 16, endpoint->address);
	if (err || nla_put_u16(skb, CCM_A_ENDPOINT_PORT, endpoint->port) ||
	    (endpoint->scope &&
	     nla_put_u32(skb, CCM_A_ENDPOINT_SCOPE, endpoint->scope)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int ccm_nl_put_flag(struct sk_buff *skb, int attribute, bool set)
{
	return set ? nla_put_flag(skb, attribute) : 0;
}

static int ccm_nl_put_error(struct sk_buff *skb, int attribute, int error)
{
	return error ? nla_put_s32(skb, attribute, error) : 0;
}

static int ccm_nl_put_config(struct sk_buff *skb,
			     const struct ccm_node_info *info)
{
	if (!info->config.number)
		return 0; /* what it had when it was configured */
	if (nla_put_string(skb, CCM_A_NODE_CLUSTER, info->config.cluster) ||
	    ccm_nl_put_endpoint(skb, CCM_A_NODE_LOCAL, &info->config.local) ||
	    nla_put_u64_64bit(skb, CCM_A_NODE_INCARNATION, info->incarnation,
			      CCM_A_NODE_PAD))
		return -EMSGSIZE;
	return 0;
}

int ccm_nl_fill_node(struct sk_buff *skb, const void *what)
{
	const struct ccm_nl_node *node = what;
	const struct ccm_node_info *info = &node->info;

	if (nla_put_u32(skb, CCM_A_NODE_NUMBER, info->config.number) ||
	    ccm_nl_put_config(skb, info) ||
	    ccm_nl_put_flag(skb, CCM_A_NODE_KEYED, info->keyed) ||
	    ccm_nl_put_flag(skb, CCM_A_NODE_INSECURE, info->insecure) ||
	    ccm_nl_put_flag(skb, CCM_A_NODE_MANAGED, node->managed) ||
	    ccm_nl_put_flag(skb, CCM_A_NODE_DELETING, info->deleting) ||
	    nla_put_u64_64bit(skb, CCM_A_NODE_GENERATION, info->generation,
			      CCM_A_NODE_PAD))
		return -EMSGSIZE;
	return ccm_nl_put_counters(skb, CCM_A_NODE_STATS, ccm_nl_node_counters,
				   ARRAY_SIZE(ccm_nl_node_counters),
				   &info->stats);
}

int ccm_nl_fill_peer(struct sk_buff *skb, const void *what)
{
	const struct ccm_peer_info *info = what;

	if (nla_put_u32(skb, CCM_A_PEER_NUMBER, info->config.number) ||
	    ccm_nl_put_endpoint(skb, CCM_A_PEER_REMOTE, &info->config.remote) ||
	    nla_put_u32(skb, CCM_A_PEER_TIMEOUT,
			info->config.policy.timeout_ms) ||
	    nla_put_u32(skb, CCM_A_PEER_INTERVAL,
			info->config.policy.interval_ms) ||
	    nla_put_u32(skb, CCM_A_PEER_LIMIT, info->config.policy.limit) ||
	    (info->rtt_us && nla_put_u64_64bit(skb, CCM_A_PEER_RTT,
					       info->rtt_us, CCM_A_PEER_PAD)) ||
	    nla_put_u32(skb, CCM_A_PEER_STATE, info->state) ||
	    nla_put_u32(skb, CCM_A_PEER_REASON, info->reason) ||
	    ccm_nl_put_error(skb, CCM_A_PEER_ERROR, info->error) ||
	    ccm_nl_put_flag(skb, CCM_A_PEER_LISTENING, info->listening) ||
	    ccm_nl_put_flag(skb, CCM_A_PEER_SELF, info->self) ||
	    ccm_nl_put_flag(skb, CCM_A_PEER_DELETING, info->deleting) ||
	    nla_put_u64_64bit(skb, CCM_A_PEER_SINCE, info->since_ms,
			      CCM_A_PEER_PAD) ||
	    nla_put_u64_64bit(skb, CCM_A_PEER_INCARNATION, info->incarnation,
			      CCM_A_PEER_PAD) ||
	    nla_put_u64_64bit(skb, CCM_A_PEER_QUEUED_OUT, info->queued_out,
			      CCM_A_PEER_PAD) ||
	    nla_put_u64_64bit(skb, CCM_A_PEER_QUEUED_IN, info->queued_in,
			      CCM_A_PEER_PAD))
		return -EMSGSIZE;
	return ccm_nl_put_counters(skb, CCM_A_PEER_STATS, ccm_nl_peer_counters,
				   ARRAY_SIZE(ccm_nl_peer_counters),
				   &info->stats);
}

int ccm_nl_fill_consumer(struct sk_buff *skb, const void *what)
{
	const struct ccm_consumer_info *info = what;

	if (nla_put_u32(skb, CCM_A_CONSUMER_MODULE, info->module) ||
	    ccm_nl_put_flag(skb, CCM_A_CONSUMER_ATTACHED, info->attached) ||
	    (info->attached &&
	     nla_put_string(skb, CCM_A_CONSUMER_OWNER, info->owner)) ||
	    nla_put_u32(skb, CCM_A_CONSUMER_MAX_SIZE, info->limits.max_size) ||
	    nla_put_u32(skb, CCM_A_CONSUMER_WINDOW, info->limits.window) ||
	    nla_put_u32(skb, CCM_A_CONSUMER_RECEIVERS, info->receivers) ||
	    nla_put_u64_64bit(skb, CCM_A_CONSUMER_MESSAGES, info->messages,
			      CCM_A_CONSUMER_PAD) ||
	    nla_put_u64_64bit(skb, CCM_A_CONSUMER_QUEUED, info->queued,
			      CCM_A_CONSUMER_PAD))
		return -EMSGSIZE;
	return 0;
}

/* The protocol's numbers are those of the interface for modules. */
static_assert((int)CCM_CALL_KIND_SHORT == (int)CCM_SHORT);
static_assert((int)CCM_CALL_KIND_LONG == (int)CCM_LONG);

int ccm_nl_fill_handler(struct sk_buff *skb, const void *what)
{
	const struct ccm_handler_info *info = what;

	if (nla_put_u32(skb, CCM_A_HANDLER_MODULE, info->module) ||
	    nla_put_u32(skb, CCM_A_HANDLER_FUNCTION, info->function) ||
	    nla_put_u32(skb, CCM_A_HANDLER_KIND, info->kind) ||
	    nla_put_u32(skb, CCM_A_HANDLER_RUNNING, info->running))
		return -EMSGSIZE;
	return 0;
}

int ccm_nl_fill_call(struct sk_buff *skb, const void *what)
{
	const struct ccm_call_info *info = what;

	if (nla_put_u32(skb, CCM_A_CALL_WHAT, info->what) ||
	    nla_put_u32(skb, CCM_A_CALL_NODE, info->node) ||
	    nla_put_u32(skb, CCM_A_CALL_MODULE, info->module) ||
	    nla_put_u32(skb, CCM_A_CALL_FUNCTION, info->function) ||
	    nla_put_u32(skb, CCM_A_CALL_SEQN, info->seqn) ||
	    nla_put_u64_64bit(skb, CCM_A_CALL_AGE, info->age_ms,
			      CCM_A_CALL_PAD))
		return -EMSGSIZE;
	return 0;
}

static int ccm_nl_put_reason(struct sk_buff *skb, const struct ccm_event *event)
{
	if (nla_put_u32(skb, CCM_A_EVENT_REASON, event->reason) ||
	    ccm_nl_put_error(skb, CCM_A_EVENT_ERROR, event->error))
		return -EMSGSIZE;
	return 0;
}

static int ccm_nl_put_change(struct sk_buff *skb, const struct ccm_event *event)
{
	if (nla_put_u32(skb, CCM_A_EVENT_STATE, event->state) ||
	    ccm_nl_put_reason(skb, event) ||
	    (event->incarnation &&
	     nla_put_u64_64bit(skb, CCM_A_EVENT_INCARNATION, event->incarnation,
			       CCM_A_EVENT_PAD)) ||
	    nla_put_u64_64bit(skb, CCM_A_EVENT_UNSENT, event->unsent,
			      CCM_A_EVENT_PAD) ||
	    nla_put_u64_64bit(skb, CCM_A_EVENT_UNKNOWN, event->unknown,
			      CCM_A_EVENT_PAD))
		return -EMSGSIZE;
	return 0;
}

static int ccm_nl_put_refusal(struct sk_buff *skb,
			      const struct ccm_event *event)
{
	if (ccm_nl_put_reason(skb, event) ||
	    ccm_nl_put_endpoint(skb, CCM_A_EVENT_REMOTE, &event->remote))
		return -EMSGSIZE;
	return 0;
}

static int ccm_nl_put_call(struct sk_buff *skb, const struct ccm_event *event)
{
	if (ccm_nl_put_error(skb, CCM_A_EVENT_ERROR, event->error) ||
	    nla_put_u32(skb, CCM_A_EVENT_MODULE, event->module) ||
	    nla_put_u32(skb, CCM_A_EVENT_FUNCTION, event->function))
		return -EMSGSIZE;
	return 0;
}

int ccm_nl_fill_event(struct sk_buff *skb, const void *what)
{
	const struct ccm_event *event = what;

	if (nla_put_u32(skb, CCM_A_EVENT_KIND, event->kind) ||
	    (event->node && nla_put_u32(skb, CCM_A_EVENT_NODE, event->node)) ||
	    nla_put_u64_64bit(skb, CCM_A_EVENT_GENERATION, event->generation,
			      CCM_A_EVENT_PAD) ||
	    (event->left_out &&
	     nla_put_u64_64bit(skb, CCM_A_EVENT_LEFT_OUT, event->left_out,
			       CCM_A_EVENT_PAD)))
		return -EMSGSIZE;
	if (event->kind == CCM_EVENT_KIND_STATE)
		return ccm_nl_put_change(skb, event);
	if (event->kind == CCM_EVENT_KIND_REFUSED)
		return ccm_nl_put_refusal(skb, event);
	if (event->kind == CCM_EVENT_KIND_CALL_REFUSED)
		return ccm_nl_put_call(skb, event);
	if (event->kind == CCM_EVENT_KIND_HEARTBEAT)
		return nla_put_u64_64bit(skb, CCM_A_EVENT_RTT, event->rtt_us,
					 CCM_A_EVENT_PAD);
	return 0;
}
