// SPDX-License-Identifier: GPL-2.0
// A call, from whoever makes it to its peer, and its answer back to him.
#include "core/args.hpp"
#include "core/caller.hpp"
#include "core/numbers.hpp"

using namespace ccm;

// Accept a call; it may have an answer, if it has an id.
static Status call(Node &node, const ccm_call &call, wire::Call head,
		   const Args &args, int timeout_ms)
{
	PeerRef peer;
	Measured measured;

	TRY(measured.measure(args));
	TRY(node.find_peer(call.node, peer));
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
	return peer->send(message, may_sleep(call.flags),
			  room_timeout(call.flags, timeout_ms));
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
	pending->due.ms = deadline_ms;
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

int ccm_core_call_info(ccm_node *node, ccm_cursor *at, ccm_call_info *out)
{
	return node->report_call(*at, *out) ? 0 : -ENOENT;
}
