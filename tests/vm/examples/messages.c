// SPDX-License-Identifier: GPL-2.0
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/random.h>
#include <linux/sched/task.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "examples.h"

enum { MY_MODULE = 22 };
enum { MY_REQUEST = 1, MY_ANSWER, MY_DATA };

struct my_request {
	u64 what;
};

/* --- The other end: a thread of each namespace sends back what it is asked ---- */

static void my_answer(struct net *net, u32 node, u32 seqn,
		      struct my_request *request, int size)
{
	struct ccm_msg msg = {
		.node = node,
		.module = MY_MODULE,
		.type = MY_ANSWER,
		.seqn = seqn,
		.size = size,
		.data = request,
	};

	if (CCM_bsend(net, &msg, 0, SOON))
		pr_err("ccm_examples: no answer to node %u\n", node);
}

static int serve(void *context)
{
	struct net *net = context;
	struct my_request request;

#include "brecv.inc"
	return 0;
}

static unsigned int net_id;

static int __net_init messages_net_init(struct net *net)
{
	struct task_struct **server = net_generic(net, net_id);
	int err = CCM_attach(net, MY_MODULE, NULL);

	if (err)
		return err;
	*server = kthread_run(serve, net, "ccm_examples");
	if (!IS_ERR(*server))
		return 0;
	CCM_detach(net, MY_MODULE);
	return PTR_ERR(*server);
}

static void __net_exit messages_net_exit(struct net *net)
{
	struct task_struct **server = net_generic(net, net_id);

	kthread_stop(*server);
	CCM_detach(net, MY_MODULE);
}

static struct pernet_operations messages_net_ops = {
	.init = messages_net_init,
	.exit = messages_net_exit,
	.id = &net_id,
	.size = sizeof(struct task_struct *),
};

/* --- This end ----------------------------------------------------------------- */

/* What was asked comes back, from there and with this number. */
static int is_answered(struct net *net, u32 node, u32 seqn,
		       const struct my_request *request)
{
	struct my_request back = {};
	struct ccm_msg msg = {
		.node = node,
		.module = MY_MODULE,
		.type = MY_ANSWER,
		.seqn = seqn,
		.size = sizeof(back),
		.data = &back,
	};

	EXPECT(CCM_brecv(net, &msg, 0, SOON) == sizeof(back));
	EXPECT(back.what == request->what);
	return 0;
}

static int run_bsend(struct net *net, u32 node)
{
	struct my_request request = { get_random_u64() };
	u32 seqn = get_random_u32();
#include "bsend.inc"

	return err ?: is_answered(net, node, seqn, &request);
}

static int run_bsend_nowait(struct net *net, u32 node)
{
	static DEFINE_SPINLOCK(lock);
	struct my_request request = { get_random_u64() };
	u32 seqn = get_random_u32(), dropped = 0;
	struct ccm_msg msg = {
		.node = node,
		.module = MY_MODULE,
		.type = MY_REQUEST,
		.seqn = seqn,
		.size = sizeof(request),
		.data = &request,
	};

	spin_lock_irq(&lock);
#include "bsend-nowait.inc"
	spin_unlock_irq(&lock);
	EXPECT(dropped == 0);
	return is_answered(net, node, seqn, &request);
}

static int send_to_itself(struct net *net, u32 seqn, const char *text)
{
	struct ccm_msg msg = {
		.node = CCM_node(net),
		.module = MY_MODULE,
		.type = MY_DATA,
		.seqn = seqn,
		.size = strlen(text),
		.data = (void *)text,
	};

	return CCM_bsend(net, &msg, 0, SOON);
}

static char used[16];

static void my_use(const void *data, int size)
{
	memcpy(used, data, min_t(size_t, size, sizeof(used)));
}

static int run_brecv_handover(struct net *net, u32 unused)
{
	static const char text[] = "by pointer";
	u32 node = CCM_node(net);

	EXPECT(send_to_itself(net, 1, text) == 0);
	{
#include "brecv-handover.inc"

		EXPECT(size == strlen(text));
		EXPECT(!msg.data); /* CCM_free() */
	}
	EXPECT(!memcmp(used, text, strlen(text)));
	return 0;
}

static int run_arecv(struct net *net, u32 node)
{
	struct ccm_msg none = { .node = CCM_ANY_NODE, .module = MY_MODULE, .type = MY_DATA };
	struct ccm_msg last = { .node = CCM_ANY_NODE, .module = MY_MODULE, .type = MY_DATA, .seqn = 3 };
	u32 seqn;

	for (seqn = 1; seqn <= last.seqn; seqn++)
		EXPECT(send_to_itself(net, seqn, "") == 0);
	/* Those before it are there when it is. */
	EXPECT(CCM_brecv(net, &last, 0, SOON) == 0);
#include "arecv.inc"
	EXPECT(CCM_arecv(net, &none, CCM_NOSEQ) == -EAGAIN);
	return 0;
}

struct waiter {
	struct net *net;
	u32 seqn;
	int result;
};

static int wait_for_nothing(void *context)
{
	struct waiter *waiter = context;
	struct ccm_msg msg = {
		.node = CCM_ANY_NODE,
		.module = MY_MODULE,
		.type = MY_ANSWER,
		.seqn = waiter->seqn,
	};

	WRITE_ONCE(waiter->result, CCM_brecv(waiter->net, &msg, 0, SOON));
	return 0;
}

static int run_cancel(struct net *net, u32 node)
{
	u32 seqn = get_random_u32();
	struct waiter waiter = { .net = net, .seqn = seqn };
	struct task_struct *thread;
	int i;

	thread = kthread_create(wait_for_nothing, &waiter, "ccm_waiter");
	EXPECT(!IS_ERR(thread));
	get_task_struct(thread); /* it may end before kthread_stop() */
	wake_up_process(thread);
	/* Again and again: it may not wait yet. */
	for (i = 0; i < SOON / 20 && !READ_ONCE(waiter.result); i++) {
#include "cancel.inc"
		msleep(20);
	}
	kthread_stop(thread);
	put_task_struct(thread);
	EXPECT(waiter.result == -ECANCELED);
	return 0;
}

const struct chapter messages = {
	.ops = &messages_net_ops,
	.examples = (const struct example[]){
		{ "bsend", run_bsend }, /* and "brecv", which answers */
		{ "bsend-nowait", run_bsend_nowait },
		{ "brecv-handover", run_brecv_handover },
		{ "arecv", run_arecv },
		{ "cancel", run_cancel },
		{}
	},
};
