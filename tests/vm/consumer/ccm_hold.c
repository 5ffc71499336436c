// SPDX-License-Identifier: GPL-2.0
/*
 * ccm_hold - calls that do not end, and receivers that wait for ever, for the
 * smoke test.
 *
 *	# echo call 2 >/proc/net/ccm_hold	begins a call of node 2
 *	# echo stall 2 >/proc/net/ccm_hold	a call that holds the listener of node 2
 *	# echo receive 0 >/proc/net/ccm_hold	waits for a message that never comes
 *	# echo let_go 0 >/proc/net/ccm_hold	all calls that run here end
 *	# cat /proc/net/ccm_hold		how many have been answered, with 4711
 */
#include <linux/atomic.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/wait.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include <ccm/ccm.h>

#include "hold.h"

#define HOLD_SEQN 77
#define HOLD_RESULT 4711

struct hold {
	wait_queue_head_t wait;
	bool let_go;
	atomic_t answered;
};

static unsigned int net_id;

/* Not inside CCM: nothing but "let_go" ends it. */
static int handle(struct ccm_args *args, u32 seqn)
{
	struct hold *hold = args->context;

	wait_event(hold->wait, READ_ONCE(hold->let_go));
	return HOLD_RESULT;
}

/* The same in the listener: nobody reads until "let_go". */
static int stall(struct ccm_args *args, u32 seqn)
{
	struct hold *hold = args->context;

	wait_event_idle(hold->wait, READ_ONCE(hold->let_go));
	return HOLD_RESULT;
}

static void answered(void *context, int error, struct ccm_answer *answer)
{
	struct hold *hold = context;

	if (!error && answer->result == HOLD_RESULT)
		atomic_inc(&hold->answered);
}

static int begin_call(struct net *net, u32 node, u32 function)
{
	struct ccm_call call = {
		.node = node,
		.module = HOLD_MODULE,
		.function = function,
		.seqn = HOLD_SEQN,
		.timeout_ms = CCM_FOREVER,
	};

	return CCM_rcall_async(net, &call, answered, net_generic(net, net_id));
}

static int receive(struct net *net)
{
	struct ccm_msg msg = { .node = CCM_ANY_NODE, .module = HOLD_MODULE };

	return CCM_brecv(net, &msg, CCM_NOSEQ, CCM_FOREVER);
}

static void let_go(struct net *net)
{
	struct hold *hold = net_generic(net, net_id);

	WRITE_ONCE(hold->let_go, true);
	wake_up_all(&hold->wait);
}

static int hold_write(struct file *file, char *text, size_t count)
{
	struct net *net = seq_file_single_net(file->private_data);
	char what[16];
	u32 node;

	if (sscanf(text, "%15s %u", what, &node) != 2)
		return -EINVAL;
	if (!strcmp(what, "call"))
		return begin_call(net, node, HOLD_FUNCTION);
	if (!strcmp(what, "stall"))
		return begin_call(net, node, STALL_FUNCTION);
	if (!strcmp(what, "receive"))
		return receive(net);
	if (strcmp(what, "let_go"))
		return -EINVAL;
	let_go(net);
	return 0;
}

static int hold_show(struct seq_file *seq, void *unused)
{
	struct hold *hold = net_generic(seq_file_single_net(seq), net_id);

	seq_printf(seq, "answered %d\n", atomic_read(&hold->answered));
	return 0;
}

static int __net_init hold_net_init(struct net *net)
{
	struct hold *hold = net_generic(net, net_id);
	int err = CCM_attach(net, HOLD_MODULE, NULL);

	if (err)
		return err;
	init_waitqueue_head(&hold->wait);
	err = CCM_regist(net, HOLD_MODULE, HOLD_FUNCTION, CCM_LONG, handle, hold) ?:
	      CCM_regist(net, HOLD_MODULE, STALL_FUNCTION, CCM_SHORT, stall, hold);
	if (!err && !proc_create_net_single_write("ccm_hold", 0600, net->proc_net,
						  hold_show, hold_write, NULL))
		err = -ENOMEM;
	if (err)
		CCM_detach(net, HOLD_MODULE); /* unregisters too */
	return err;
}

static void __net_exit hold_net_exit(struct net *net)
{
	let_go(net);
	CCM_unregist(net, HOLD_MODULE, HOLD_FUNCTION);
	CCM_unregist(net, HOLD_MODULE, STALL_FUNCTION);
	CCM_detach(net, HOLD_MODULE);
	remove_proc_entry("ccm_hold", net->proc_net);
}

static struct pernet_operations hold_net_ops = {
	.init = hold_net_init,
	.exit = hold_net_exit,
	.id = &net_id,
	.size = sizeof(struct hold),
};

static int __init hold_init(void)
{
	return register_pernet_device(&hold_net_ops);
}

static void __exit hold_exit(void)
{
	unregister_pernet_device(&hold_net_ops);
}

module_init(hold_init);
module_exit(hold_exit);
MODULE_DESCRIPTION("CCM's smoke test: calls and receivers that wait");
MODULE_LICENSE("GPL");
