// SPDX-License-Identifier: GPL-2.0
// What the kernel side calls: checks the arguments, then does it.
#include "core/listener.hpp"
#include "core/node.hpp"

using namespace ccm;

namespace {

bool is_module(u32 module)
{
	return module >= 1 && module <= CCM_MODULE_MAX;
}

bool is_node(u32 node)
{
	return node >= 1 && node <= CCM_NODE_MAX;
}

bool is_endpoint(const ccm_endpoint &endpoint)
{
	return endpoint.port != 0 &&
	       (endpoint.family == 4 || endpoint.family == 6);
}

// For administrators: an errno, and a sentence.
int answer(Status status, const Refusal &refusal, const char **why)
{
	if (!status.ok() && refusal.why && why)
		*why = refusal.why;
	return status.code();
}

int invalid(const char **why, const char *sentence)
{
	if (why)
		*why = sentence;
	return -EINVAL;
}

constexpr const char *kBadNode = "node numbers are from 1 to 1023";
constexpr const char *kBadEndpoint = "an address and a port are needed";

} // namespace

// --- a namespace's node --------------------------------------------------------------

ccm_node *ccm_core_create(struct net *net)
{
	return create<ccm_node>(MaySleep::Yes, net);
}

void ccm_core_destroy(ccm_node *node)
{
	node->destroy();
	ccm_core_put(node);
}

bool ccm_core_get(ccm_node *node)
{
	return node->count.get_live();
}

void ccm_core_put(ccm_node *node)
{
	if (node->count.put())
		destroy(node);
}

void ccm_core_ready(void *owner, unsigned int what)
{
	Work *work = static_cast<Work *>(owner);

	work->listener->mark(*work, what);
}

// --- administrators ------------------------------------------------------------------

int ccm_core_node_set(ccm_node *node, const ccm_node_config *config,
		      const char **why)
{
	Refusal refusal;

	if (!is_node(config->number))
		return invalid(why, kBadNode);
	if (!is_endpoint(config->local))
		return invalid(why, kBadEndpoint);
	return answer(node->configure(*config, refusal), refusal, why);
}

int ccm_core_node_delete(ccm_node *node, const char **why)
{
	Refusal refusal;

	return answer(node->unconfigure(refusal), refusal, why);
}

void ccm_core_node_info(ccm_node *node, ccm_node_info *out)
{
	node->report(*out);
}

int ccm_core_peer_add(ccm_node *node, const ccm_peer_config *config,
		      const char **why)
{
	ccm_peer_config wanted = *config;
	Refusal refusal;

	if (!is_node(wanted.number))
		return invalid(why, kBadNode);
	if (!is_endpoint(wanted.remote))
		return invalid(why, kBadEndpoint);
	if (wanted.timeout_ms == 0)
		wanted.timeout_ms = CCM_TIMEOUT_DEFAULT;
	if (wanted.timeout_ms < CCM_TIMEOUT_MIN ||
	    wanted.timeout_ms > CCM_TIMEOUT_MAX)
		return invalid(why,
			       "the time-out is from one second to an hour");
	return answer(node->add_peer(wanted, refusal), refusal, why);
}

int ccm_core_peer_delete(ccm_node *node, u32 number, const char **why)
{
	Refusal refusal;

	return answer(node->delete_peer(number, refusal), refusal, why);
}

int ccm_core_peer_info(ccm_node *node, u32 from, ccm_peer_info *out)
{
	PeerRef peer = node->peer_from(from);

	if (!peer)
		return -ENOENT;
	peer->report(*out);
	return 0;
}

int ccm_core_consumer_info(ccm_node *node, u32 from, ccm_consumer_info *out)
{
	Mailbox *mailbox = node->mailboxes.from(from);

	if (!mailbox)
		return -ENOENT;
	mailbox->report(*out);
	return 0;
}

int ccm_core_connect(ccm_node *node, u32 number, int timeout_ms,
		     const char **why)
{
	Refusal refusal;

	return answer(node->connect(number, timeout_ms, refusal), refusal, why);
}

int ccm_core_listen(ccm_node *node, u32 number, int timeout_ms,
		    const char **why)
{
	Refusal refusal;

	return answer(node->listen(number, timeout_ms, refusal), refusal, why);
}

int ccm_core_close(ccm_node *node, u32 number, int timeout_ms, const char **why)
{
	Refusal refusal;

	return answer(node->close(number, timeout_ms, refusal), refusal, why);
}

// --- consumers -----------------------------------------------------------------------

int ccm_core_number(ccm_node *node)
{
	u32 number = node->number();

	return number ? static_cast<int>(number) : -ENOTCONN;
}

int ccm_core_attach(ccm_node *node, u32 module, const ccm_limits *limits,
		    struct ::module *owner)
{
	ccm_limits wanted = limits ? *limits : ccm_limits{0, 0};

	if (wanted.max_size == 0)
		wanted.max_size = CCM_SIZE_DEFAULT;
	if (wanted.window == 0)
		wanted.window = CCM_WINDOW_DEFAULT;
	if (!is_module(module) || wanted.max_size > CCM_SIZE_MAX ||
	    wanted.window > CCM_WINDOW_MAX)
		return -EINVAL;
	if (wanted.window < charge_of(wanted.max_size))
		wanted.window = static_cast<u32>(charge_of(wanted.max_size));
	return node->attach(module, wanted, owner).code();
}

int ccm_core_detach(ccm_node *node, u32 module)
{
	return is_module(module) ? node->detach(module).code() : -EINVAL;
}

static Status send(Node &node, const ccm_msg &msg, unsigned int flags,
		   int timeout_ms)
{
	MaySleep may_sleep = flags & CCM_NOWAIT ? MaySleep::No : MaySleep::Yes;

	if ((flags & ~CCM_NOWAIT) || !is_node(msg.node) ||
	    !is_module(msg.module) || (msg.size && !msg.data))
		return fail(EINVAL);
	if (msg.size > CCM_SIZE_MAX)
		return fail(EMSGSIZE);
	TRY(node.check_peer(msg.node));
	PeerRef peer = node.peer(msg.node);
	if (!peer)
		return fail(ENODEV);
	if (peer->self && !node.make_mailbox(msg.module, may_sleep))
		return fail(ENOMEM);

	Message *message = Message::make(
		msg.module,
		{.node = msg.node, .type = msg.type, .seqn = msg.seqn},
		static_cast<u32>(msg.size), may_sleep);
	if (!message)
		return fail(ENOMEM);
	copy(message->payload(), msg.data, msg.size);
	return peer->send(message, may_sleep,
			  may_sleep == MaySleep::Yes ? timeout_ms : 0);
}

int ccm_core_send(ccm_node *node, const ccm_msg *msg, unsigned int flags,
		  int timeout_ms)
{
	int result = send(*node, *msg, flags, timeout_ms).code();

	ccm_trace_send(node->number(), msg, result);
	return result;
}

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
	int ended = receiver.sleepers.wait(
		[&] { return !mailbox.asleep(receiver); }, timeout_ms);
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
	int result = receive(*node, *msg, flags, timeout_ms).code();

	if (result == 0)
		result = static_cast<int>(msg->size);
	ccm_trace_receive(node->number(), msg, result);
	return result;
}

int ccm_core_cancel(ccm_node *node, const ccm_msg *msg, unsigned int flags)
{
	Want want{.node = msg->node,
		  .type = msg->type,
		  .seqn = msg->seqn,
		  .any_node = msg->node == CCM_ANY_NODE,
		  .any_seqn = (flags & CCM_NOSEQ) != 0};

	if ((flags & ~CCM_NOSEQ) || !is_module(msg->module) ||
	    (!want.any_node && !is_node(msg->node)))
		return -EINVAL;
	Mailbox *mailbox = node->mailboxes.get(msg->module);
	return mailbox ? mailbox->cancel(want, ECANCELED) : 0;
}

void ccm_core_message_free(void *data)
{
	Message::drop(Message::of_payload(data));
}
