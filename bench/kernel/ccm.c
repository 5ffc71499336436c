// SPDX-License-Identifier: GPL-2.0
/* CCM, by its public header alone. */
#include <linux/errno.h>
#include <net/net_namespace.h>

#include <ccm/ccm.h>

#include "transport.h"

#define BENCH_MODULE 12 /* our module number */
#define FAR 2 /* node numbers */

enum type { THERE = 1, BACK = 2 };
enum function { TAKE = 1, TAKE_AND_SEND = 2 };

static struct net *near, *far;
static u32 seqn;

static int put(struct net *net, u32 node, enum type type, u32 number,
	       const void *data, size_t size)
{
	struct ccm_msg msg = {
		.node = node,
		.module = BENCH_MODULE,
		.type = type,
		.seqn = number,
		.size = size,
		.data = (void *)data,
	};

	return CCM_bsend(net, &msg, 0, BENCH_MS);
}

static int near_get(void *data, size_t size)
{
	struct ccm_msg msg = {
		.node = FAR,
		.module = BENCH_MODULE,
		.type = BACK,
		.seqn = seqn,
		.size = size,
		.data = data,
	};
	int got = CCM_brecv(near, &msg, 0, BENCH_MS);

	return got < 0 ? got : got == size ? 0 : -EBADMSG;
}

static int near_send(const void *data, void *echo, size_t size)
{
	return put(near, FAR, THERE, ++seqn, data, size);
}

static int near_ping(const void *data, void *echo, size_t size)
{
	return near_send(data, echo, size) ?: near_get(echo, size);
}

static int far_take(void *room, size_t size, struct ccm_msg *msg)
{
	int got;

	*msg = (struct ccm_msg){
		.node = CCM_ANY_NODE,
		.module = BENCH_MODULE,
		.type = THERE,
		.size = size,
		.data = room,
	};
	got = CCM_brecv(far, msg, CCM_NOSEQ, BENCH_MS);
	if (got < 0)
		return got;
	bench_arrived(room, got);
	return 0;
}

static int far_receive(void *room, size_t size)
{
	struct ccm_msg msg;

	return far_take(room, size, &msg);
}

static int far_echo(void *room, size_t size)
{
	struct ccm_msg msg;

	return far_take(room, size, &msg) ?:
	       put(far, msg.node, BACK, msg.seqn, room, size);
}

/* Its result is how much it was given. */
static int take(struct ccm_args *args, u32 number)
{
	const void *data;
	size_t size;
	int err = CCM_get_bytes(args, &data, &size);

	if (err)
		return err;
	bench_arrived(data, size);
	return size;
}

static int take_and_send(struct ccm_args *args, u32 number)
{
	int got = take(args, number);

	return got < 0 ? got : put(args->net, args->node, BACK, number, NULL, 0);
}

static struct ccm_call call_to(enum function function)
{
	return (struct ccm_call){
		.node = FAR,
		.module = BENCH_MODULE,
		.function = function,
		.seqn = ++seqn,
		.timeout_ms = BENCH_MS,
	};
}

static int near_call(const void *data, void *echo, size_t size)
{
	struct ccm_call call = call_to(TAKE);

	return CCM_rcall_s(near, &call, CCM_BYTES(data, size));
}

static int near_call_and_get(const void *data, void *echo, size_t size)
{
	struct ccm_call call = call_to(TAKE_AND_SEND);

	return CCM_rcall_s(near, &call, CCM_BYTES(data, size)) ?:
	       near_get(NULL, 0);
}

static int near_call_and_wait(const void *data, void *echo, size_t size)
{
	struct ccm_call call = call_to(TAKE);
	struct ccm_answer answer;
	int err = CCM_rcall(near, &call, &answer, CCM_BYTES(data, size));

	if (!err && answer.result != size)
		err = -EBADMSG;
	CCM_answer_free(&answer);
	return err;
}

static const struct way ways[] = {
	{ PING_PONG, "CCM_bsend", near_ping, far_echo },
	{ ONE_WAY, "CCM_rcall_s", near_call, NULL },
	{ CALL_ANSWER, "CCM_bsend", near_call_and_get, NULL },
	{ CALL_ANSWER, "CCM_rcall", near_call_and_wait, NULL },
	{ BULK, "CCM_bsend", near_send, far_receive },
	{}
};

static void close(void)
{
	CCM_detach(near, BENCH_MODULE);
	CCM_detach(far, BENCH_MODULE);
}

static int open(struct net *near_net, struct net *far_net)
{
	int err;

	near = near_net;
	far = far_net;
	err = CCM_attach(near, BENCH_MODULE, NULL);
	if (err)
		return err;
	err = CCM_attach(far, BENCH_MODULE, NULL) ?:
	      CCM_regist(far, BENCH_MODULE, TAKE, CCM_SHORT, take, NULL) ?:
	      CCM_regist(far, BENCH_MODULE, TAKE_AND_SEND, CCM_SHORT,
			 take_and_send, NULL);
	if (err)
		close();
	return err;
}

const struct transport bench_ccm = {
	.name = "ccm",
	.open = open,
	.close = close,
	.ways = ways,
};
