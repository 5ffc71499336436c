// SPDX-License-Identifier: GPL-2.0
// A call that has arrived: run its handler, here or on a thread, and answer.
#include "core/args.hpp"
#include "core/node.hpp"

namespace ccm {

// What a handler's answer needs; it stands behind ccm_args::call.
struct Reply {
	wire::Answer head;
	u32 module;
	Key key; // of the caller
	Message *message = nullptr;

	static Reply &of(const ccm_args &args)
	{
		return *static_cast<Reply *>(args.call);
	}
	bool make(u32 args_size)
	{
		Message *made = Message::make(module, key,
					      wire::kCallSize + args_size,
					      MaySleep::Yes);
		if (!made)
			return false;
		made->kind = wire::Kind::Answer;
		Message::drop(message);
		message = made;
		return true;
	}
	Status fill(const Args &args)
	{
		Measured measured;

		TRY(measured.measure(args));
		if (measured.size() > CCM_SIZE_MAX - wire::kCallSize)
			return fail(EMSGSIZE);
		if (!make(measured.size()))
			return fail(ENOMEM);
		Status written = write_args(measured, *message);
		if (!written.ok())
			clear();
		return written;
	}
	void clear()
	{
		Message::drop(message);
		message = nullptr;
	}
	// An empty one if there is no other. Without memory for that it takes the
	// call's place, which is large enough.
	Status post(Peer &caller, Message &call)
	{
		if (!message && !make(0)) {
			message = &call;
			call.become_answer(wire::kCallSize);
		}
		wire::encode(head, message->payload());
		return caller.post(message, call);
	}
};

namespace {

using Outcome = wire::Answer::Outcome;

Reply reply_to(const Message &call, u64 id)
{
	return {.head = {.id = id, .outcome = Outcome::Done, .result = 0},
		.module = call.module,
		.key = call.key};
}

} // namespace

void Node::arrived(Message *message)
{
	if (message->kind == wire::Kind::Message)
		message_arrived(message);
	else if (message->kind == wire::Kind::Answer)
		answer_arrived(message);
	else
		call_arrived(message);
}

// Of this node to itself: one of another is placed as it arrives.
void Node::message_arrived(Message *message)
{
	ccm_msg told{.node = message->key.node,
		     .module = message->module,
		     .type = message->key.type,
		     .seqn = message->key.seqn,
		     .size = message->size,
		     .data = nullptr};

	ccm_trace_deliver(number(), &told, false);
	mailboxes.get(message->module)->deliver(message);
}

void Node::answer_arrived(Message *answer)
{
	auto head = wire::decode_answer(answer->payload());

	// Who asked may have given up.
	if (!head.ok() || !calls.answered(answer, head.value()))
		Message::drop(answer);
}

// In the listener, or in its place when that has ended.
void Node::call_arrived(Message *call)
{
	auto head = wire::decode_call(call->payload());
	Mailbox *mailbox = mailboxes.get(call->module);

	if (!head.ok()) {
		refuse_call(call, Outcome::Refused);
		return;
	}
	auto kind = mailbox ? mailbox->handlers.kind(call->key.type)
			    : Result<ccm_handler_kind>(fail(ENOENT));
	if (!kind.ok()) {
		refuse_call(call, Outcome::NoHandler);
		return;
	}
	bool is_long = head.value().how == wire::Call::How::Long ||
		       kind.value() == CCM_LONG;
	if (is_long && head.value().how == wire::Call::How::Short) {
		refuse_call(call, Outcome::Refused);
		return;
	}
	call->since_ms = ccm_now_ms();
	if (!is_long) {
		Busy busy;
		run_call(call, false);
	} else if (!pool.run(call).ok()) {
		no_thread_for(call);
	}
}

void Node::no_thread_for(Message *call)
{
	refuse_call(call, Outcome::Refused);
}

// Counted, told, and answered if an answer is awaited.
void Node::refuse_call(Message *call, wire::Answer::Outcome outcome)
{
	auto head = wire::decode_call(call->payload());
	int error = outcome == Outcome::NoHandler ? -EOPNOTSUPP : -EACCES;

	ccm_trace_call(number(), call->key.node, call->module, call->key.type,
		       call->key.seqn, false, error, 0);
	if (PeerRef caller = peer(call->key.node)) {
		Guard guard(caller->lock);
		caller->stats.calls_refused++;
	}
	news.refused({.kind = CCM_EVENT_KIND_CALL_REFUSED,
		      .node = call->key.node,
		      .error = error,
		      .module = call->module,
		      .function = call->key.type});
	Reply reply = reply_to(*call, head.ok() ? head.value().id : 0);
	reply.head.outcome = outcome;
	finish_call(call, reply);
}

// Whoever awaits the answer does so at the peer the call is charged to, be that
// deleted by now. It may be too large for him, or for us to keep; that the call has
// run is said anyway.
void Node::finish_call(Message *call, Reply &reply)
{
	Status posted = fail(ENOMSG); // nobody wants one

	if (reply.head.id != 0) {
		PeerRef caller = PeerRef::of(*call->peer);

		posted = reply.post(*caller, *call);
		bool too_large = posted.error() == EMSGSIZE ||
				 posted.error() == ENOBUFS;
		if (too_large && reply.message != call) {
			reply.head.outcome = Outcome::TooLarge;
			reply.clear();
			posted = reply.post(*caller, *call);
		}
	}
	bool reused = reply.message == call;
	if (!posted.ok() && !reused)
		reply.clear();
	if (!posted.ok() || !reused)
		discard(call);
}

// In the listener, or on a thread of the pool.
void Node::run_call(Message *call, bool on_thread)
{
	Running running(*call, on_thread);
	Handlers &handlers = mailboxes.get(call->module)->handlers;
	Status entered = handlers.enter(running);

	if (!entered.ok()) {
		refuse_call(call, Outcome::NoHandler);
		return;
	}
	auto head = wire::decode_call(call->payload());
	Reply reply = reply_to(*call, head.value().id);
	ccm_args args{.net = net,
		      .node = call->key.node,
		      .module = call->module,
		      .function = call->key.type,
		      .context = running.handler->context,
		      .at = call->payload() + wire::kCallSize,
		      .end = call->payload() + call->size,
		      .call = &reply};
	int result = running.handler->call(&args, call->key.seqn);

	handlers.leave(running);
	ccm_trace_call(number(), call->key.node, call->module, call->key.type,
		       call->key.seqn, on_thread, 0, result);
	if (PeerRef caller = peer(call->key.node)) {
		Guard guard(caller->lock);
		caller->stats.calls_in++;
	}
	reply.head.result = static_cast<u32>(result);
	finish_call(call, reply);
}

} // namespace ccm

using namespace ccm;

int ccm_core_answer_with(ccm_args *args, const ccm_arg *answer, size_t count)
{
	return args->call ? Reply::of(*args).fill({answer, count}).code()
			  : -EINVAL;
}
