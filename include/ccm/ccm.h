/* SPDX-License-Identifier: GPL-2.0 */
/*
 * CCM: messages between kernel modules on the nodes of a cluster.
 *
 * This is the whole interface for other modules. Names and section numbers
 * (KCCM, 2003) are those of the paper CCM implements.
 *
 * A *node* is one network namespace; every call says which by its struct net.
 * A *consumer* is a module that has attached under a module number. Messages
 * are told apart by node, module, type and sequence number.
 *
 * Every call returns 0 or a length, or a negative errno.
 */
#ifndef CCM_H
#define CCM_H

#ifndef __cplusplus /* CCM's own core is C++ and has its own u32 */
#include <linux/types.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

struct module;
struct net;
struct notifier_block;

/* Nodes are numbered from 1, module numbers too. */
#define CCM_NODE_MAX 1023
#define CCM_MODULE_MAX 1023

/* Receive from whichever node sends first. */
#define CCM_ANY_NODE (~0u)

/* Bytes in one message: unless the consumer asks for more, and at the most. */
#define CCM_SIZE_DEFAULT (1u << 20)
#define CCM_SIZE_MAX (64u << 20)

/* Bytes, charged at true size, that wait in the queue for one peer's messages. */
#define CCM_WINDOW_DEFAULT (4u << 20)
#define CCM_WINDOW_MAX (256u << 20)

/* As a time-out: wait as long as it takes. */
#define CCM_FOREVER (-1)

/**
 * enum ccm_flags - options of the calls that send and receive
 * @CCM_NOWAIT: send: never sleep; may be used in atomic context
 * @CCM_NOSEQ: receive: take a message of any sequence number (paper, 3.3.5)
 * @CCM_HANDOVER: receive: hand over CCM's own buffer by pointer instead of
 *	copying into the caller's (paper, 3.3.2); give it back by CCM_free()
 */
enum ccm_flags {
	CCM_NOWAIT = 1u << 0,
	CCM_NOSEQ = 1u << 1,
	CCM_HANDOVER = 1u << 2,
};

/**
 * struct ccm_msg - a message, or what a receiver waits for
 * @node: send: where to (this node's own number is allowed); receive: where
 *	from, or CCM_ANY_NODE; a successful receive sets it to the sender
 * @module: module number of the consumer that receives, 1 to CCM_MODULE_MAX
 * @type: the consumer's own kind of message, any value
 * @seqn: sequence number, chosen by the sender, any value; a successful
 *	receive sets it
 * @size: send: bytes at @data; receive: room at @data in bytes, and on return
 *	the message's size (also with -EMSGSIZE)
 * @data: send: what to send, read before the call returns; receive: where to
 *	put it. With CCM_HANDOVER it is not read, and set on success
 *
 * With CCM_HANDOVER, and until CCM_free(), CCM knows the message by @data.
 */
struct ccm_msg {
	u32 node;
	u32 module;
	u32 type;
	u32 seqn;
	size_t size;
	void *data;
};

/**
 * struct ccm_limits - what a consumer lets its peers send
 * @max_size: largest message in bytes, up to CCM_SIZE_MAX; 0 means
 *	CCM_SIZE_DEFAULT
 * @window: bytes that one peer's messages may take in the queue before its
 *	senders wait, up to CCM_WINDOW_MAX; 0 means CCM_WINDOW_DEFAULT. Raised,
 *	if need be, so that one message of @max_size fits
 */
struct ccm_limits {
	u32 max_size;
	u32 window;
};

int ccm_attach_owner(struct net *net, u32 module,
		     const struct ccm_limits *limits, struct module *owner);

/**
 * CCM_attach() - become the consumer of a module number
 * @net: the node's network namespace
 * @module: number to serve, 1 to CCM_MODULE_MAX
 * @limits: what peers may send, or NULL for the defaults
 *
 * Messages that came for the number before, since the node has its number, are
 * kept and can be received, up to a small limit. A consumer that attaches in each
 * network namespace does so in the operations it gives to
 * register_pernet_device(): with register_pernet_subsys() CCM's own part of the
 * namespace would come after and go before.
 *
 * Context: process context, may sleep. The node need not be configured yet.
 * Return: 0; -EINVAL for a bad number or limit, -EBUSY if the number is
 * attached or still being detached, -EDEADLK in a short handler, -ENOMEM,
 * -ESHUTDOWN if the namespace is going away or CCM has not been told of it yet.
 */
#define CCM_attach(net, module, limits) \
	ccm_attach_owner(net, module, limits, THIS_MODULE)

/**
 * CCM_detach() - stop being the consumer of a module number
 * @net: the node's network namespace
 * @module: the number attached
 *
 * Its queue is emptied, its sleeping receivers return -ESHUTDOWN, calls that
 * await an answer end with -ECANCELED, and functions that are still registered
 * are unregistered. When the call returns no receiver or caller is inside CCM any
 * more, and no handler runs. A consumer detaches in its pernet exit, or in its
 * module exit if it serves init_net alone.
 *
 * Context: process context, may sleep as long as handlers run. Not from one of
 * the receivers, nor from a handler of this number, nor from a short one.
 * Return: 0; -EINVAL for a bad number, -ENOENT if the number is not attached,
 * -EDEADLK from a handler of this number, or a short one, or one that a handler
 * of this number waits for, directly or over others, as it unregisters or
 * detaches; -ESHUTDOWN if CCM's part of the namespace has gone before: see
 * CCM_attach().
 */
int CCM_detach(struct net *net, u32 module);

/**
 * CCM_bsend() - send a message (paper, 3.2)
 * @net: the node's network namespace
 * @msg: node, module, type, seqn, and size bytes at data; not changed
 * @flags: CCM_NOWAIT or 0
 * @timeout_ms: how long to wait for room at the receiver, in milliseconds, 0
 *	for not at all, or CCM_FOREVER; not read with CCM_NOWAIT
 *
 * With CCM_NOWAIT only small messages, of up to some 64 KiB, are likely to find
 * memory.
 *
 * On return @data may be reused. 0 means that the message was accepted: it is
 * delivered in the order accepted unless the connection breaks, in which case
 * what was in flight may be lost, and the peer's statistics and the event
 * that reports the peer as down say how much that may be.
 *
 * Context: may sleep; with CCM_NOWAIT any context but NMI (on PREEMPT_RT: any
 * in which a spinlock_t may be taken).
 * Return: 0; -EINVAL (bad node, module or flags, or no data), -EMSGSIZE
 * (larger than the receiver or CCM accepts), -ENOTCONN (this node has no
 * number yet), -ENODEV (no such peer), -EHOSTDOWN (peer not connected, or the
 * connection went while waiting), -EAGAIN (no room, and not to wait),
 * -ETIMEDOUT, -ERESTARTSYS (signal), -EINTR (kthread_should_stop()), -ECANCELED
 * (from a handler that is being unregistered), -ENOMEM, -ESHUTDOWN (namespace
 * going away).
 */
int CCM_bsend(struct net *net, const struct ccm_msg *msg, unsigned int flags,
	      int timeout_ms);

/**
 * CCM_brecv() - receive a message, waiting for it if need be (paper, 3.2)
 * @net: the node's network namespace
 * @msg: node, module, type and seqn wanted, and size bytes of room at data;
 *	on success what came
 * @flags: CCM_NOSEQ, CCM_HANDOVER
 * @timeout_ms: how long to wait, in milliseconds, or CCM_FOREVER
 *
 * First come, first served, among equal messages and among equal receivers.
 * A receiver that waits for one node alone fails with that node.
 *
 * Context: process context, may sleep.
 * Return: the message's size, 0 or more; -EINVAL, -EMSGSIZE (@msg->size says
 * how large the message is; it stays), -ENOENT (module number not attached),
 * -ENOTCONN (this node has no number and one node was named), -ENODEV (no such
 * peer), -EHOSTDOWN (that node is down and has nothing queued), -ETIMEDOUT,
 * -ECANCELED (by CCM_cancel(), or from a handler that is being unregistered),
 * -EDEADLK (from a short handler), -ERESTARTSYS (signal), -EINTR
 * (kthread_should_stop()), -ESHUTDOWN (detached, or namespace going away). With
 * @timeout_ms 0 it is CCM_arecv().
 */
int CCM_brecv(struct net *net, struct ccm_msg *msg, unsigned int flags,
	      int timeout_ms);

/**
 * CCM_arecv() - receive a message if one is there (paper, 3.2)
 * @net: the node's network namespace
 * @msg: as for CCM_brecv()
 * @flags: as for CCM_brecv()
 *
 * Context: process context, may sleep (for memory it frees), but waits for nothing.
 * Return: as CCM_brecv(), and -EAGAIN if there is no such message.
 */
int CCM_arecv(struct net *net, struct ccm_msg *msg, unsigned int flags);

/**
 * CCM_cancel() - wake receivers with -ECANCELED
 * @net: the node's network namespace
 * @msg: module and type, node or CCM_ANY_NODE (receivers for whatever node),
 *	and seqn of the receivers meant; size and data are not read
 * @flags: CCM_NOSEQ: whatever seqn they wait for
 *
 * Context: any context but NMI (on PREEMPT_RT: any in which a spinlock_t may be
 * taken).
 * Return: how many were woken; -EINVAL for a bad number or flag.
 */
int CCM_cancel(struct net *net, const struct ccm_msg *msg, unsigned int flags);

/**
 * CCM_free() - give back a message that was handed over
 * @msg: what CCM_brecv() or CCM_arecv() filled in under CCM_HANDOVER; its data
 *	becomes NULL. Nothing happens if it is NULL
 *
 * Must be called before the consumer's module goes. The sender's room comes
 * back when the message is taken, not when it is freed.
 *
 * Context: process context that may sleep, or softirq.
 */
void CCM_free(struct ccm_msg *msg);

/**
 * enum ccm_arg_type - kinds of arguments of a call
 * @CCM_ARG_U32: a 32-bit integer
 * @CCM_ARG_U64: a 64-bit integer
 * @CCM_ARG_STRING: characters up to a NUL
 * @CCM_ARG_BYTES: so many bytes
 */
enum ccm_arg_type {
	CCM_ARG_U32 = 1,
	CCM_ARG_U64 = 2,
	CCM_ARG_STRING = 3,
	CCM_ARG_BYTES = 4,
};

/**
 * struct ccm_arg - one argument of a call; made by CCM_U32() and its like
 * @type: what it is
 * @size: CCM_ARG_BYTES: bytes at @data
 * @number: of CCM_ARG_U32 and CCM_ARG_U64
 * @data: of CCM_ARG_STRING and CCM_ARG_BYTES; read before the call returns. A
 *	string may be written to meanwhile: it is cut if it gets longer
 */
struct ccm_arg {
	enum ccm_arg_type type;
	size_t size;
	u64 number;
	const void *data;
};

#define CCM_U32(value) \
	((struct ccm_arg){ .type = CCM_ARG_U32, .number = (u32)(value) })
#define CCM_U64(value) \
	((struct ccm_arg){ .type = CCM_ARG_U64, .number = (u64)(value) })
#define CCM_STRING(string) \
	((struct ccm_arg){ .type = CCM_ARG_STRING, .data = (string) })
#define CCM_BYTES(bytes, count) \
	((struct ccm_arg){ .type = CCM_ARG_BYTES, .size = (count), .data = (bytes) })

/* How many arguments a call or an answer may have. */
#define CCM_ARGS_MAX 64

/*
 * Arguments as the calls below want them, also none. Where their number is not
 * known when the code is written, an array and its length do: the function behind
 * each macro, as ccm_rcall_wait() behind CCM_rcall(), takes these.
 */
#define CCM_ARGS(...) \
	(const struct ccm_arg[]){ __VA_ARGS__ }, \
	sizeof((const struct ccm_arg[]){ __VA_ARGS__ }) / sizeof(struct ccm_arg)

/**
 * struct ccm_args - arguments that have come, read one by one in their order
 * @net: the namespace of the node they came to
 * @node: who sent them
 * @module: module number of the call
 * @function: function number of the call
 * @context: what was given to CCM_regist(); NULL in an answer
 *
 * The rest is CCM's own.
 */
struct ccm_args {
	struct net *net;
	u32 node;
	u32 module;
	u32 function;
	void *context;
	const u8 *at;
	const u8 *end;
	void *call;
};

/**
 * CCM_get_u32() - read the next argument, a 32-bit integer
 * @args: the arguments
 * @value: set on success
 *
 * An argument that is not what was asked for is not passed over.
 *
 * Context: any.
 * Return: 0; -ENOMSG (no argument is left), -EPROTOTYPE (it is of another
 * type), -EBADMSG (the message is cut or garbled).
 */
int CCM_get_u32(struct ccm_args *args, u32 *value);

/**
 * CCM_get_u64() - read the next argument, a 64-bit integer
 * @args: the arguments
 * @value: set on success
 *
 * Context: any.
 * Return: as CCM_get_u32().
 */
int CCM_get_u64(struct ccm_args *args, u64 *value);

/**
 * CCM_get_string() - read the next argument, a string
 * @args: the arguments
 * @string: set on success: ends with NUL, and is there until the handler
 *	returns, or the answer is freed
 *
 * Context: any.
 * Return: as CCM_get_u32().
 */
int CCM_get_string(struct ccm_args *args, const char **string);

/**
 * CCM_get_bytes() - read the next argument, a number of bytes
 * @args: the arguments
 * @data: set on success; not aligned; as long there as a string
 * @size: set on success: how many bytes
 *
 * Context: any.
 * Return: as CCM_get_u32().
 */
int CCM_get_bytes(struct ccm_args *args, const void **data, size_t *size);

/**
 * CCM_get_end() - see that all arguments have been read
 * @args: the arguments
 *
 * Context: any.
 * Return: 0, or -EPROTOTYPE if there is another one.
 */
int CCM_get_end(const struct ccm_args *args);

/**
 * typedef ccm_handler - a function that other nodes can call (paper, 3.1.2)
 * @args: its arguments, and who calls
 * @seqn: the caller's sequence number (paper, 3.3.5)
 *
 * A short handler runs in the listener: it must not sleep for long, and there
 * CCM_bsend() and calls without an answer do not wait, but return -EAGAIN;
 * whatever would have to wait returns -EDEADLK. A long handler runs on a kthread
 * and may do all that one may. To answer, it may CCM_bsend() with @seqn, or
 * return a value to who called by CCM_rcall().
 *
 * Return: the call's result; nobody sees it if no answer is wanted.
 */
typedef int (*ccm_handler)(struct ccm_args *args, u32 seqn);

/**
 * enum ccm_handler_kind - where a handler runs
 * @CCM_SHORT: in the listener if called by CCM_rcall_s() or CCM_rcall(), on a
 *	kthread if by CCM_rcall_l()
 * @CCM_LONG: on a kthread; CCM_rcall_s() is refused
 */
enum ccm_handler_kind {
	CCM_SHORT = 1,
	CCM_LONG = 2,
};

/**
 * CCM_regist() - let other nodes call a function (paper, 3.2)
 * @net: the node's network namespace
 * @module: the module number attached
 * @function: its number, any value
 * @kind: CCM_SHORT or CCM_LONG
 * @handler: the function
 * @context: for the handler, in its args
 *
 * A handler that runs does not keep the owner of the module number loaded: its
 * exit waits for it, in CCM_unregist() or CCM_detach(). A consumer unregisters
 * before it detaches; detaching does so for what it forgot.
 *
 * Context: process context, may sleep.
 * Return: 0; -EINVAL, -ENOENT (module number not attached), -EEXIST, -ENOMEM,
 * -ESHUTDOWN.
 */
int CCM_regist(struct net *net, u32 module, u32 function,
	       enum ccm_handler_kind kind, ccm_handler handler, void *context);

/**
 * CCM_unregist() - let nobody call a function any more (paper, 3.2)
 * @net: the node's network namespace
 * @module: the module number
 * @function: its number
 *
 * No call begins from now on, those that are waiting inside CCM return
 * -ECANCELED there, and when this returns none runs.
 *
 * Context: process context, may sleep as long as its handlers run. Not from the
 * handler itself, nor from a short one. What takes more than five seconds is named
 * in the log.
 * Return: 0; -EINVAL, -ENOENT (no such function), -EDEADLK (from there; or from a
 * handler which the one meant waits for, directly or over others, as it unregisters
 * or detaches).
 */
int CCM_unregist(struct net *net, u32 module, u32 function);

/**
 * struct ccm_call - whom to call
 * @node: where, also this node itself
 * @module: module number
 * @function: function number
 * @seqn: for the handler, any value (paper, 3.3.5)
 * @flags: CCM_NOWAIT or 0
 * @timeout_ms: how long to wait, in milliseconds, or CCM_FOREVER: for room at
 *	the receiver, and for the answer if one is wanted, together
 */
struct ccm_call {
	u32 node;
	u32 module;
	u32 function;
	u32 seqn;
	unsigned int flags;
	int timeout_ms;
};

int ccm_rcall_short(struct net *net, const struct ccm_call *call,
		    const struct ccm_arg *args, size_t count);
int ccm_rcall_long(struct net *net, const struct ccm_call *call,
		   const struct ccm_arg *args, size_t count);

/**
 * CCM_rcall_s() - call a short handler, without an answer (paper, 3.2)
 * @net: the node's network namespace
 * @call: a pointer to struct ccm_call
 * @...: arguments: CCM_U32(), CCM_U64(), CCM_STRING(), CCM_BYTES()
 *
 * It runs in the other node's listener, as soon as the message has arrived and
 * in the order of messages sent. If there is no such handler, or it is a long
 * one, nothing happens here; the other node counts and reports it.
 *
 * Context: as CCM_bsend().
 * Return: as CCM_bsend(); -EINVAL also for a bad argument.
 */
#define CCM_rcall_s(net, call, ...) \
	ccm_rcall_short(net, call, CCM_ARGS(__VA_ARGS__))

/**
 * CCM_rcall_l() - call a handler on a thread of its own (paper, 3.2)
 * @net: the node's network namespace
 * @call: a pointer to struct ccm_call
 * @...: arguments
 *
 * Long calls run side by side and end in any order. Their number is bounded at
 * the other node; what is above waits there.
 *
 * Context: as CCM_bsend().
 * Return: as CCM_rcall_s().
 */
#define CCM_rcall_l(net, call, ...) \
	ccm_rcall_long(net, call, CCM_ARGS(__VA_ARGS__))

/**
 * struct ccm_answer - what came back from a call
 * @result: what the handler returned
 * @args: what it gave to CCM_answer(), to be read by CCM_get_u32() and its like
 * @message: CCM's own: give it back by CCM_answer_free()
 */
struct ccm_answer {
	int result;
	struct ccm_args args;
	void *message;
};

int ccm_rcall_wait(struct net *net, const struct ccm_call *call,
		   struct ccm_answer *answer, const struct ccm_arg *args,
		   size_t count);

/**
 * CCM_rcall() - call a handler and wait for its answer
 * @net: the node's network namespace
 * @call: a pointer to struct ccm_call
 * @answer: a pointer to struct ccm_answer, to be freed after success
 * @...: arguments
 *
 * The handler runs where it was registered for. The module number must be
 * attached here too: its max_size bounds the answer.
 *
 * On error @answer is all zero, so that CCM_answer_free() may follow anyway.
 *
 * Context: process context, may sleep.
 * Return: 0: the handler has run, and @answer->result is what it returned.
 * It has not run with -EOPNOTSUPP (there is no such handler), -EACCES (refused:
 * there is no thread to run it), -ENOENT (module number
 * not attached here), -EDEADLK (from a short handler), -EINVAL, -EMSGSIZE,
 * -ENOTCONN, -ENODEV, -EHOSTDOWN, -ENOMEM, -ESHUTDOWN, -ERESTARTSYS. It has run with
 * -EOVERFLOW: its answer is larger than this consumer's max_size, or than the
 * other node had room for while this one did not read. It may have run, or run
 * later, with -ETIMEDOUT, -ECONNABORTED (the connection was lost), -ECANCELED
 * (detached, or the handler that calls is being unregistered), -EINTR (signal, or
 * kthread_should_stop()). -ERESTARTSYS (signal while it waited for room) says that
 * it has not been sent: a system call may be begun anew by it.
 */
#define CCM_rcall(net, call, answer, ...) \
	ccm_rcall_wait(net, call, answer, CCM_ARGS(__VA_ARGS__))

/**
 * typedef ccm_done - an asynchronous call has ended
 * @context: as given to CCM_rcall_async()
 * @error: 0, or an error as of CCM_rcall()
 * @answer: the answer if @error is 0; there until this returns
 *
 * Context: process context: in the listener, or in the thread that detaches the
 * module number, or one that deletes the node. The rules are a short handler's.
 */
typedef void (*ccm_done)(void *context, int error, struct ccm_answer *answer);

int ccm_rcall_begin(struct net *net, const struct ccm_call *call, ccm_done done,
		    void *context, const struct ccm_arg *args, size_t count);

/**
 * CCM_rcall_async() - call a handler and hear of its answer later
 * @net: the node's network namespace
 * @call: a pointer to struct ccm_call
 * @done: called once, unless an error is returned here
 * @context: for @done
 * @...: arguments
 *
 * Calls of a module number that is detached end with -ECANCELED before
 * CCM_detach() returns. The module number must be attached here too.
 *
 * Context: process context, may sleep; with CCM_NOWAIT any context but NMI (on
 * PREEMPT_RT: any in which a spinlock_t may be taken).
 * Return: as CCM_bsend(); -ENOENT (module number not attached here).
 */
#define CCM_rcall_async(net, call, done, context, ...) \
	ccm_rcall_begin(net, call, done, context, CCM_ARGS(__VA_ARGS__))

int ccm_answer_with(struct ccm_args *args, const struct ccm_arg *answer,
		    size_t count);

/**
 * CCM_answer() - say what goes back with a handler's result
 * @args: the handler's own
 * @...: arguments of the answer
 *
 * Sent when the handler returns; said twice, the last counts. Without it the
 * answer is the result alone.
 *
 * Context: in a handler.
 * Return: 0; -EINVAL (a bad argument), -EMSGSIZE, -ENOMEM. It is no error that
 * nobody wants an answer.
 */
#define CCM_answer(args, ...) ccm_answer_with(args, CCM_ARGS(__VA_ARGS__))

/**
 * CCM_answer_free() - give back an answer
 * @answer: filled in by CCM_rcall(), or all zero
 *
 * Context: process context, may sleep.
 */
void CCM_answer_free(struct ccm_answer *answer);

/**
 * CCM_Connect_to() - connect to a peer (paper, 3.2, 3.3.6)
 * @net: the node's network namespace
 * @node: the peer's number; it must be higher than this node's
 * @timeout_ms: 0 starts the attempt and returns; else how long to wait for
 *	its end, in milliseconds, or CCM_FOREVER
 *
 * One attempt. That the peer is connected already is success.
 *
 * Context: process context, may sleep.
 * Return: 0; -EINVAL (bad number, or this node is the one that listens),
 * -ENOTCONN (this node has no number yet), -ENODEV (no such peer), -ETIMEDOUT,
 * -ECONNREFUSED, -ECONNRESET (the peer refuses; its administrator can see why)
 * and other errors of TCP, -EPROTO (the peer broke the protocol), -EBUSY (the
 * connection before is still being closed), -ECANCELED (closed meanwhile),
 * -ERESTARTSYS, -EINTR, -ESHUTDOWN.
 */
int CCM_Connect_to(struct net *net, u32 node, int timeout_ms);

/**
 * CCM_Listen_to() - accept a peer's connection (paper, 3.2, 3.3.6)
 * @net: the node's network namespace
 * @node: the peer's number; it must be lower than this node's
 * @timeout_ms: 0 allows the peer in and returns; else how long to wait until
 *	it is connected, in milliseconds, or CCM_FOREVER
 *
 * The peer may connect, and connect again, until CCM_Close().
 *
 * Context: process context, may sleep.
 * Return: 0; -EINVAL (bad number, or this node is the one that connects),
 * -ENOTCONN (this node has no number yet), -ENODEV (no such peer, or deleted
 * meanwhile), -EBUSY (the connection before is still being closed), -ECANCELED
 * (closed meanwhile), -ETIMEDOUT, -ERESTARTSYS, -EINTR, -ESHUTDOWN.
 */
int CCM_Listen_to(struct net *net, u32 node, int timeout_ms);

/**
 * CCM_Close() - end the connection with a peer and let no new one in
 * @net: the node's network namespace
 * @node: the peer's number
 * @timeout_ms: 0 starts it and returns; else how long to wait until the peer
 *	is down, in milliseconds, or CCM_FOREVER
 *
 * What has been accepted is sent, then a goodbye, for at most a second.
 *
 * Context: process context, may sleep.
 * Return: 0; -EINVAL, -ENOTCONN, -ENODEV, -ETIMEDOUT, -ERESTARTSYS, -EINTR,
 * -ESHUTDOWN.
 */
int CCM_Close(struct net *net, u32 node, int timeout_ms);

/**
 * enum ccm_peer_change - what a notifier is told of a peer
 * @CCM_PEER_UP: it is connected, or answers again; messages are taken
 * @CCM_PEER_SUSPECT: a heartbeat is unanswered; messages are still taken
 * @CCM_PEER_STALLED: its machine answers, its CCM does not; the same
 * @CCM_PEER_DOWN: the connection has ended; what waited for the peer has had
 *	its error, and all that was not acknowledged may be lost
 */
enum ccm_peer_change {
	CCM_PEER_UP = 1,
	CCM_PEER_SUSPECT,
	CCM_PEER_STALLED,
	CCM_PEER_DOWN,
};

/**
 * struct ccm_peer_news - the data of a notifier's call
 * @net: the node's network namespace
 * @node: the peer's number
 * @incarnation: with CCM_PEER_UP when it has connected: the random number of
 *	this life of the peer, another one after a restart; else 0
 */
struct ccm_peer_news {
	struct net *net;
	u32 node;
	u64 incarnation;
};

/**
 * CCM_register_notifier() - hear of peers that come and go (paper, 3.3.6)
 * @net: the node's network namespace
 * @watcher: its notifier_call() is called with an enum ccm_peer_change and a
 *	struct ccm_peer_news, whose life ends with the call
 *
 * It is first told of the peers that are connected already, before this call
 * returns. The news of one peer come in order, one at a time; the same may be
 * told twice. It must return NOTIFY_OK or NOTIFY_DONE: after anything else those
 * registered behind it may not be told.
 *
 * @watcher is called in process context, and while it runs the node receives
 * nothing: it must not wait. What would wait returns -EDEADLK there, as in a
 * short handler, and so do registering and unregistering. It must be
 * unregistered before its namespace or its module goes.
 *
 * Context: process context, may sleep.
 * Return: 0; -EINVAL, -EEXIST (registered already, which the kernel
 * warns of), -EDEADLK (in a handler or
 * notifier), -ESHUTDOWN.
 */
int CCM_register_notifier(struct net *net, struct notifier_block *watcher);

/**
 * CCM_unregister_notifier() - hear no more of peers
 * @net: the node's network namespace
 * @watcher: as registered
 *
 * When it returns, the notifier does not run and will not.
 *
 * Context: process context, may sleep.
 * Return: 0; -EINVAL, -ENOENT (not registered), -EDEADLK (in a handler or
 * notifier).
 */
int CCM_unregister_notifier(struct net *net, struct notifier_block *watcher);

/**
 * CCM_node() - this node's number
 * @net: the node's network namespace
 *
 * Context: any context but NMI (on PREEMPT_RT: any in which a spinlock_t may be
 * taken).
 * Return: the number, 1 to CCM_NODE_MAX, or -ENOTCONN if it has none yet.
 */
int CCM_node(struct net *net);

#ifdef __cplusplus
}
#endif

#endif /* CCM_H */
