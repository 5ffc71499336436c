// SPDX-License-Identifier: GPL-2.0
// What the kernel side calls: checks the arguments, then does it.
#include "core/args.hpp"
#include "core/listener.hpp"
#include "core/node.hpp"
#include "core/numbers.hpp"

using namespace ccm;

namespace {

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

// A short handler must not wait, nor take what the listener's end waits for.
Status may_wait()
{
	return ccm_thread_may_wait() ? Status() : Status(fail(EDEADLK));
}

constexpr const char *kBadNode = "node numbers are from 1 to 1023";
constexpr const char *kBadEndpoint = "an address and a port are needed";

} // namespace

// --- a namespace's node --------------------------------------------------------------

ccm_node *ccm_core_create(struct net *net)
{
	return create<ccm_node>(MaySleep::Yes, net);
}

void ccm_core_begin_end(ccm_node *node)
{
	node->begin_end();
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

int ccm_core_key_set(ccm_node *node, const void *secret, size_t size,
		     const char **why)
{
	Refusal refusal;

	if (secret && size < CCM_SECRET_MIN)
		return invalid(why, "a key has 16 bytes at least");
	return answer(node->set_key(secret, size, refusal), refusal, why);
}

// What is 0 is not given. A sentence for people, or nullptr.
static const char *whats_wrong(const ccm_peer_policy &policy)
{
	if (policy.timeout_ms && (policy.timeout_ms < CCM_TIMEOUT_MIN ||
				  policy.timeout_ms > CCM_TIMEOUT_MAX))
		return "the time-out is from one second to an hour";
	if (policy.interval_ms && (policy.interval_ms < CCM_INTERVAL_MIN ||
				   policy.interval_ms > CCM_TIMEOUT_MAX))
		return "the interval of heartbeats is 0 for none, or from 100 "
		       "milliseconds to an hour";
	if (policy.limit &&
	    (policy.limit < CCM_LIMIT_MIN || policy.limit > CCM_LIMIT_MAX))
		return "the limit of silence is from 2 to 100 intervals";
	return nullptr;
}

int ccm_core_peer_set(ccm_node *node, u32 number, const ccm_peer_policy *policy,
		      bool set_interval, const char **why)
{
	Refusal refusal;

	if (const char *wrong = whats_wrong(*policy))
		return invalid(why, wrong);
	return answer(node->set_policy(number, *policy, set_interval, refusal),
		      refusal, why);
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
	if (const char *wrong = whats_wrong(wanted.policy))
		return invalid(why, wrong);
	if (wanted.policy.timeout_ms == 0)
		wanted.policy.timeout_ms = CCM_TIMEOUT_DEFAULT;
	if (wanted.policy.limit == 0)
		wanted.policy.limit = CCM_LIMIT_DEFAULT;
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

int ccm_core_ping(ccm_node *node, u32 number, const char **why)
{
	Refusal refusal;

	return answer(node->ping(number, refusal), refusal, why);
}

int ccm_core_poke(ccm_node *node, u32 number, const char **why)
{
	Refusal refusal;

	return answer(node->poke(number, refusal), refusal, why);
}

int ccm_core_connect(ccm_node *node, u32 number, int timeout_ms,
		     const char **why)
{
	Refusal refusal;

	if (!may_wait().ok())
		return -EDEADLK;
	return answer(node->connect(number, timeout_ms, refusal), refusal, why);
}

int ccm_core_listen(ccm_node *node, u32 number, int timeout_ms,
		    const char **why)
{
	Refusal refusal;

	if (!may_wait().ok())
		return -EDEADLK;
	return answer(node->listen(number, timeout_ms, refusal), refusal, why);
}

int ccm_core_close(ccm_node *node, u32 number, int timeout_ms, const char **why)
{
	Refusal refusal;

	if (!may_wait().ok())
		return -EDEADLK;
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
	if (!may_wait().ok())
		return -EDEADLK;
	if (wanted.window < charge_of(wanted.max_size))
		wanted.window = static_cast<u32>(charge_of(wanted.max_size));
	return node->attach(module, wanted, owner).code();
}

int ccm_core_detach(ccm_node *node, u32 module)
{
	if (!is_module(module))
		return -EINVAL;
	if (!may_wait().ok())
		return -EDEADLK;
	return node->detach(module).code();
}

// Where it goes, or why it cannot.
static Status find_peer(Node &node, u32 number, PeerRef &peer)
{
	TRY(node.check_peer(number));
	peer = node.peer(number);
	return peer ? Status() : Status(fail(ENODEV));
}

static MaySleep may_sleep(unsigned int flags)
{
	return flags & CCM_NOWAIT ? MaySleep::No : MaySleep::Yes;
}

// The time to wait for room: none in a short handler.
static int room_timeout(unsigned int flags, int timeout_ms)
{
	return flags & CCM_NOWAIT || !ccm_thread_may_wait() ? 0 : timeout_ms;
}

static Status send(Node &node, const ccm_msg &msg, unsigned int flags,
		   int timeout_ms)
{
	PeerRef peer;

	if ((flags & ~CCM_NOWAIT) || !is_node(msg.node) ||
	    !is_module(msg.module) || (msg.size && !msg.data))
		return fail(EINVAL);
	if (msg.size > CCM_SIZE_MAX)
		return fail(EMSGSIZE);
	TRY(find_peer(node, msg.node, peer));
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

// --- calls -----------------------------------------------------------------------------

static Status regist(Node &node, u32 module, u32 function,
		     ccm_handler_kind kind, ccm_handler handler, void *context)
{
	if (!is_module(module) || !handler ||
	    (kind != CCM_SHORT && kind != CCM_LONG))
		return fail(EINVAL);
	Mailbox *mailbox = node.mailboxes.get(module);
	if (!mailbox)
		return fail(ENOENT);
	TRY(mailbox->enter());
	Handler *made = create<Handler>(MaySleep::Yes, function, kind, handler,
					context);
	Status added = made ? mailbox->handlers.add(made)
			    : Status(fail(ENOMEM));
	if (!added.ok())
		destroy(made);
	mailbox->leave();
	return added;
}

int ccm_core_regist(ccm_node *node, u32 module, u32 function,
		    ccm_handler_kind kind, ccm_handler handler, void *context)
{
	return regist(*node, module, function, kind, handler, context).code();
}

int ccm_core_unregist(ccm_node *node, u32 module, u32 function)
{
	if (!is_module(module))
		return -EINVAL;
	if (!may_wait().ok())
		return -EDEADLK;
	return node->unregist(module, function).code();
}

// Accept a call; it may have an answer, if it has an id.
static Status call(Node &node, const ccm_call &call, wire::Call head,
		   const Args &args, int timeout_ms)
{
	PeerRef peer;
	Measured measured;

	TRY(measured.measure(args));
	TRY(find_peer(node, call.node, peer));
	if (measured.size() > CCM_SIZE_MAX - wire::kCallSize)
		return fail(EMSGSIZE);
	Message *message = Message::make(
		call.module,
		{.node = call.node, .type = call.function, .seqn = call.seqn},
		measured.size() + wire::kCallSize, may_sleep(call.flags));
	if (!message)
		return fail(ENOMEM);
	message->kind = wire::Kind::Call;
	wire::encode(head, message->payload());
	Status written = write_args(measured, *message);
	if (!written.ok()) {
		Message::drop(message);
		return written;
	}
	TRY(peer->send(message, may_sleep(call.flags),
		       room_timeout(call.flags, timeout_ms)));
	Guard guard(peer->lock);
	peer->stats.calls_out++;
	return {};
}

static Status check_call(const ccm_call &call, const Args &args)
{
	if ((call.flags & ~CCM_NOWAIT) || !is_node(call.node) ||
	    !is_module(call.module) || (args.count && !args.first))
		return fail(EINVAL);
	return {};
}

static Status one_way(Node &node, const ccm_call &wanted, wire::Call::How how,
		      const Args &args)
{
	TRY(check_call(wanted, args));
	return call(node, wanted, {.id = 0, .how = how}, args,
		    wanted.timeout_ms);
}

int ccm_core_rcall(ccm_node *node, const ccm_call *call, bool on_thread,
		   const ccm_arg *args, size_t count)
{
	auto how = on_thread ? wire::Call::How::Long : wire::Call::How::Short;

	return one_way(*node, once(*call), how, {args, count}).code();
}

// What is left of a time-out that began then.
static int left_of(int timeout_ms, u64 since_ms)
{
	u64 passed = ccm_now_ms() - since_ms;

	if (timeout_ms < 0)
		return CCM_FOREVER;
	return passed < static_cast<u64>(timeout_ms)
		       ? timeout_ms - static_cast<int>(passed)
		       : 0;
}

// Its answer, once it is sent. While it waits, its consumer cannot finish
// detaching, but wakes it.
static void await_answer(Node &node, Mailbox &mailbox, Pending &pending,
			 int timeout_ms)
{
	if (!mailbox.enter().ok()) {
		(void)node.calls.forget(pending, ECANCELED);
		return;
	}
	node.calls.await(pending, timeout_ms);
	mailbox.leave();
}

static Status call_and_wait(Node &node, const ccm_call &wanted,
			    ccm_answer &answer, const Args &args)
{
	TRY(check_call(wanted, args));
	TRY(may_wait());
	Mailbox *mailbox = node.mailboxes.get(wanted.module);
	if (!mailbox || !mailbox->attached())
		return fail(ENOENT);

	Pending pending(wanted.node, wanted.module, wanted.function,
			wanted.seqn);
	u64 id = node.calls.expect(pending);
	Status sent = call(node, wanted,
			   {.id = id, .how = wire::Call::How::Registered}, args,
			   wanted.timeout_ms);
	if (sent.ok())
		await_answer(node, *mailbox, pending,
			     left_of(wanted.timeout_ms, pending.since_ms));
	else
		(void)node.calls.forget(pending, sent.error());

	int error = sent.ok() ? pending.error : sent.error();
	if (error) {
		Message::drop(pending.answer);
		return fail(error);
	}
	open_answer(*pending.answer, node.net, answer);
	return {};
}

int ccm_core_rcall_wait(ccm_node *node, const ccm_call *call,
			ccm_answer *answer, const ccm_arg *args, size_t count)
{
	*answer = {};
	return call_and_wait(*node, once(*call), *answer, {args, count}).code();
}

// An asynchronous call that has not begun after all; false if its caller has
// been told of its end already.
static bool take_back(Node &node, Mailbox &mailbox, u64 id)
{
	Pending *mine = node.calls.take_back(id);

	if (!mine)
		return false;
	destroy(mine);
	mailbox.leave();
	return true;
}

static Status begin_call(Node &node, const ccm_call &wanted, ccm_done done,
			 void *context, const Args &args)
{
	Mailbox *mailbox = node.mailboxes.get(wanted.module);
	u64 deadline_ms = 0;

	TRY(check_call(wanted, args));
	if (!done)
		return fail(EINVAL);
	if (!mailbox)
		return fail(ENOENT);
	TRY(mailbox->enter());
	auto *pending = create<Pending>(may_sleep(wanted.flags), wanted.node,
					wanted.module, wanted.function,
					wanted.seqn);
	if (!pending) {
		mailbox->leave();
		return fail(ENOMEM);
	}
	if (wanted.timeout_ms >= 0)
		deadline_ms =
			pending->since_ms + static_cast<u64>(wanted.timeout_ms);
	pending->tell = done;
	pending->context = context;
	pending->mailbox = mailbox;
	pending->net = node.net;
	pending->deadline_ms = deadline_ms;
	u64 id = node.calls.expect(*pending); // and not looked at from here on

	// A detach that has passed by it would wait for it.
	Status sent =
		mailbox->attached()
			? call(node, wanted,
			       {.id = id, .how = wire::Call::How::Registered},
			       args, wanted.timeout_ms)
			: Status(fail(ENOENT));
	if (!sent.ok())
		return take_back(node, *mailbox, id) ? sent : Status();
	if (deadline_ms)
		node.due_at(deadline_ms);
	return {};
}

int ccm_core_rcall_begin(ccm_node *node, const ccm_call *call, ccm_done done,
			 void *context, const ccm_arg *args, size_t count)
{
	return begin_call(*node, once(*call), done, context, {args, count})
		.code();
}

int ccm_core_handler_info(ccm_node *node, ccm_cursor *at, ccm_handler_info *out)
{
	return node->report_handler(*at, *out) ? 0 : -ENOENT;
}

int ccm_core_call_info(ccm_node *node, ccm_cursor *at, ccm_call_info *out)
{
	return node->report_call(*at, *out) ? 0 : -ENOENT;
}

bool ccm_core_has(ccm_node *node, const struct ::module *owner)
{
	return node->has(owner);
}

u32 ccm_core_forget(ccm_node *node, const struct ::module *owner)
{
	return node->forget(owner);
}
