// SPDX-License-Identifier: GPL-2.0
// A message, to whoever receives it.
#include "core/caller.hpp"
#include "core/numbers.hpp"

using namespace ccm;

// What the receiver got, to its caller. The sender has its room back first, so
// that it need not wait for a slow consumer.
static void hand_over(Message &message, ccm_msg &msg, unsigned int flags)
{
	uncharge(message);
	msg.node = message.key.node;
	msg.seqn = message.key.seqn;
	msg.size = message.size;
	if (flags & CCM_HANDOVER) {
		msg.data = message.payload();
		return;
	}
	if (msg.data) // else there was room for nothing
		copy(msg.data, message.payload(), message.size);
	Message::drop(&message);
}

static Status wait_for(Node &node, Mailbox &mailbox, Receiver &receiver,
		       int timeout_ms)
{
	if (!mailbox.post(receiver))
		return receiver.error ? Status(fail(receiver.error)) : Status();
	// Posted first, looked second: a peer that goes down in between fails it.
	if (!receiver.want.any_node) {
		Status there = node.check_peer(receiver.want.node);
		if (!there.ok())
			mailbox.fail(receiver, there.error());
	}
	int ended = receiver.wait(timeout_ms);
	mailbox.withdraw(receiver, -ended);
	return receiver.error ? Status(fail(receiver.error)) : Status();
}

static Status receive_now(Node &node, Mailbox &mailbox, Receiver &receiver)
{
	auto taken = mailbox.take(receiver, &receiver.size);

	if (taken.ok()) {
		receiver.message = taken.value();
		return {};
	}
	if (taken.error() == EAGAIN && !receiver.want.any_node)
		TRY(node.check_peer(receiver.want.node));
	return fail(taken.error());
}

static Status receive(Node &node, ccm_msg &msg, unsigned int flags,
		      int timeout_ms)
{
	u8 nothing; // a buffer for those who have room for none
	bool by_pointer = flags & CCM_HANDOVER;

	if ((flags & ~(CCM_NOSEQ | CCM_HANDOVER)) || !is_module(msg.module) ||
	    (msg.node != CCM_ANY_NODE && !is_node(msg.node)) ||
	    (!by_pointer && msg.size && !msg.data))
		return fail(EINVAL);
	if (timeout_ms)
		TRY(may_wait());
	Mailbox *mailbox = node.mailboxes.get(msg.module);
	if (!mailbox)
		return fail(ENOENT);
	TRY(mailbox->enter());

	u8 *own = msg.data ? static_cast<u8 *>(msg.data) : &nothing;
	Receiver receiver({.node = msg.node,
			   .type = msg.type,
			   .seqn = msg.seqn,
			   .any_node = msg.node == CCM_ANY_NODE,
			   .any_seqn = (flags & CCM_NOSEQ) != 0},
			  by_pointer ? nullptr : own, msg.size);
	Status result = timeout_ms
				? wait_for(node, *mailbox, receiver, timeout_ms)
				: receive_now(node, *mailbox, receiver);

	if (result.ok() && receiver.message) {
		hand_over(*receiver.message, msg, flags);
	} else if (result.ok()) {
		msg.node = receiver.key.node;
		msg.seqn = receiver.key.seqn;
		msg.size = receiver.size;
	} else if (result.error() == EMSGSIZE) {
		msg.size = receiver.size;
	}
	mailbox->leave();
	return result;
}

int ccm_core_receive(ccm_node *node, ccm_msg *msg, unsigned int flags,
		     int timeout_ms)
{
	ccm_msg mine = once(*msg);
	int result = receive(*node, mine, flags, timeout_ms).code();

	*msg = mine;
	if (result == 0)
		result = static_cast<int>(msg->size);
	ccm_trace_receive(node->number(), msg, result);
	return result;
}

int ccm_core_cancel(ccm_node *node, const ccm_msg *msg, unsigned int flags)
{
	const ccm_msg mine = once(*msg);
	Want want{.node = mine.node,
		  .type = mine.type,
		  .seqn = mine.seqn,
		  .any_node = mine.node == CCM_ANY_NODE,
		  .any_seqn = (flags & CCM_NOSEQ) != 0};

	if ((flags & ~CCM_NOSEQ) || !is_module(mine.module) ||
	    (!want.any_node && !is_node(mine.node)))
		return -EINVAL;
	Mailbox *mailbox = node->mailboxes.get(mine.module);
	return mailbox ? mailbox->cancel(want, ECANCELED) : 0;
}

void ccm_core_message_free(void *data)
{
	Message::drop(Message::of_payload(data));
}
