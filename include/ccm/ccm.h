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
 * kept and can be received. A
 * consumer that attaches in each network namespace does so in the operations it
 * gives to register_pernet_device(): with register_pernet_subsys() CCM's own
 * part of the namespace would come after and go before.
 *
 * Context: process context, may sleep. The node need not be configured yet.
 * Return: 0; -EINVAL for a bad number or limit, -EBUSY if the number is
 * attached, -ENOMEM, -ESHUTDOWN if the namespace is going away or CCM has not
 * been told of it yet.
 */
#define CCM_attach(net, module, limits) \
	ccm_attach_owner(net, module, limits, THIS_MODULE)

/**
 * CCM_detach() - stop being the consumer of a module number
 * @net: the node's network namespace
 * @module: the number attached
 *
 * Its queue is emptied and its sleeping receivers return -ESHUTDOWN; when the
 * call returns none of them is inside CCM any more. A consumer detaches in its
 * pernet exit and in its module exit.
 *
 * Context: process context, may sleep. Not from one of the receivers.
 * Return: 0; -EINVAL for a bad number, -ENOENT if the number is not attached,
 * -ESHUTDOWN if CCM's part of the namespace has gone before: see CCM_attach().
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
 * Context: may sleep; with CCM_NOWAIT any context but NMI.
 * Return: 0; -EINVAL (bad node, module or flags, or no data), -EMSGSIZE
 * (larger than the receiver or CCM accepts), -ENOTCONN (this node has no
 * number yet), -ENODEV (no such peer), -EHOSTDOWN (peer not connected, or the
 * connection went while waiting), -EAGAIN (no room, and not to wait),
 * -ETIMEDOUT, -ERESTARTSYS (signal), -EINTR (kthread_should_stop()), -ENOMEM,
 * -ESHUTDOWN (namespace or module going away).
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
 * -ECANCELED (by CCM_cancel()), -ERESTARTSYS (signal), -EINTR
 * (kthread_should_stop()), -ESHUTDOWN (detached, or namespace or module going
 * away). With @timeout_ms 0 it is CCM_arecv().
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
 * Context: any context but NMI.
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
 * CCM_node() - this node's number
 * @net: the node's network namespace
 *
 * Context: any context but NMI.
 * Return: the number, 1 to CCM_NODE_MAX, or -ENOTCONN if it has none yet.
 */
int CCM_node(struct net *net);

#ifdef __cplusplus
}
#endif

#endif /* CCM_H */
