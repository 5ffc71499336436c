// SPDX-License-Identifier: GPL-2.0
// A message, from whoever sends it to its peer.
#include "core/caller.hpp"
#include "core/numbers.hpp"

using namespace ccm;

static Status send(Node &node, const ccm_msg &msg, unsigned int flags,
		   int timeout_ms)
{
	PeerRef peer;

	if ((flags & ~CCM_NOWAIT) || !is_node(msg.node) ||
	    !is_module(msg.module) || (msg.size && !msg.data))
		return fail(EINVAL);
	if (msg.size > CCM_SIZE_MAX)
		return fail(EMSGSIZE);
	TRY(node.find_peer(msg.node, peer));
	if (peer->self && !node.make_mailbox(msg.module, may_sleep(flags)))
		return fail(ENOMEM);

	Message *message = Message::make(
		msg.module,
		{.node = msg.node, .type = msg.type, .seqn = msg.seqn},
		static_cast<u32>(msg.size), may_sleep(flags));
	if (!message)
		return fail(ENOMEM);
	copy(message->payload(), msg.data, msg.size);
	return peer->send(message, may_sleep(flags),
			  room_timeout(flags, timeout_ms));
}

int ccm_core_send(ccm_node *node, const ccm_msg *msg, unsigned int flags,
		  int timeout_ms)
{
	const ccm_msg mine = once(*msg);
	int result = send(*node, mine, flags, timeout_ms).code();

	ccm_trace_send(node->number(), &mine, result);
	return result;
}
