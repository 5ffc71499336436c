// SPDX-License-Identifier: GPL-2.0
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/random.h>
#include <linux/string.h>
#include <net/net_namespace.h>

#include "examples.h"

enum { MY_MODULE = 23 };
enum { MY_ADD = 1, MY_NOTE, MY_READ, MY_NOTED };

/* --- The other end ------------------------------------------------------------ */

/* What was noted last, by whom. */
static struct {
	u32 node, inode;
	char text[16];
} noted;

static void my_inode_is(u32 node, u32 inode, const char *text)
{
	strscpy(noted.text, text, sizeof(noted.text));
	noted.node = node;
	noted.inode = inode;
}

static int say_what_was_noted(struct ccm_args *args, u32 seqn)
{
	return CCM_answer(args, CCM_U32(noted.node), CCM_U32(noted.inode),
			  CCM_STRING(noted.text));
}

static int my_read_block(struct net *net, u64 number, char *block)
{
	if (number == 0)
		return -ENODATA;
	memset(block, (char)number, 512);
	return 0;
}

#include "regist.inc"
#include "unregist.inc"
#include "get.inc"
#include "answer.inc"

static const struct {
	u32 function;
	ccm_handler handler;
} handlers[] = {
	{ MY_NOTE, my_note },
	{ MY_READ, my_read },
	{ MY_NOTED, say_what_was_noted },
};

static int __net_init calls_net_init(struct net *net)
{
	int i, err = my_net_init(net);

	if (err)
		return err;
	for (i = 0; i < ARRAY_SIZE(handlers) && !err; i++)
		err = CCM_regist(net, MY_MODULE, handlers[i].function,
				 CCM_SHORT, handlers[i].handler, NULL);
	if (err)
		my_net_exit(net);
	return err;
}

static void __net_exit calls_net_exit(struct net *net)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(handlers); i++)
		CCM_unregist(net, MY_MODULE, handlers[i].function);
	my_net_exit(net);
}

static struct pernet_operations calls_net_ops = {
	.init = calls_net_init,
	.exit = calls_net_exit,
};

/* --- This end ----------------------------------------------------------------- */

/* Whether that node has noted this; 0, 1 or an error. */
static int has_noted(struct net *net, u32 node, u32 inode, const char *text)
{
	struct ccm_call call = {
		.node = node,
		.module = MY_MODULE,
		.function = MY_NOTED,
		.timeout_ms = SOON,
	};
	struct ccm_answer answer;
	u32 by, which;
	const char *what;
	int err = CCM_rcall(net, &call, &answer);

	if (err)
		return err;
	err = answer.result ?: CCM_get_u32(&answer.args, &by) ?:
	      CCM_get_u32(&answer.args, &which) ?:
	      CCM_get_string(&answer.args, &what) ?:
	      CCM_get_end(&answer.args);
	if (!err)
		err = by == CCM_node(net) && which == inode && !strcmp(what, text);
	CCM_answer_free(&answer);
	return err;
}

static int run_rcall_short(struct net *net, u32 node)
{
	u32 inode = get_random_u32();
	int i, there = 0;
#include "rcall-short.inc"

	EXPECT(err == 0);
	EXPECT(has_noted(net, node, inode, "changed") == 1);
	/* The next one runs on a thread: calls made after it may overtake it. */
#include "rcall-long.inc"
	EXPECT(err == 0);
	for (i = 0; i < SOON / 20 && !there; i++) {
		there = has_noted(net, node, inode, "deleted");
		msleep(20);
	}
	EXPECT(there == 1);
	return 0;
}

static int run_rcall_array(struct net *net, u32 node)
{
	u32 inode = get_random_u32();
	struct ccm_call call = {
		.node = node,
		.module = MY_MODULE,
		.function = MY_NOTE,
		.timeout_ms = SOON,
	};
#include "rcall-array.inc"

	EXPECT(err == 0);
	EXPECT(has_noted(net, node, inode, "created") == 1);
	return 0;
}

static int run_rcall(struct net *net, u32 node)
{
	int my_sum;
#include "rcall.inc"

	EXPECT(my_sum == 42);
	return 0;
}

#include "rcall-async.inc"

static int run_rcall_async(struct net *net, u32 node)
{
	struct my_question question = { .node = node };

	init_completion(&question.done);
	EXPECT(my_ask(net, &question) == 0);
	wait_for_completion(&question.done); /* its time-out ends it */
	EXPECT(question.result == 3);
	return 0;
}

#include "answer-free.inc"

static int run_answer_free(struct net *net, u32 node)
{
	char block[513] = {};

	EXPECT(my_read_from(net, node, 0, block, sizeof(block)) == -ENODATA);
	EXPECT(my_read_from(net, node, 'x', block, sizeof(block)) == 0);
	EXPECT(!memchr_inv(block, 'x', 512) && block[512] == 0);
	return 0;
}

#include "port-after.inc"

static int run_port_after(struct net *net, u32 node)
{
	char block[512] = {};

	EXPECT(my_ask_after(net, node, 0, block, sizeof(block)) == -ENODATA);
	EXPECT(my_ask_after(net, node, 'y', block, sizeof(block) - 1) == -EMSGSIZE);
	EXPECT(my_ask_after(net, node, 'y', block, sizeof(block)) == sizeof(block));
	EXPECT(!memchr_inv(block, 'y', sizeof(block)));
	return 0;
}

/* After CCM_unregist() and CCM_detach() nobody can be called. */
static int run_unregist(struct net *net, u32 node)
{
	struct ccm_call call = {
		.node = CCM_node(net),
		.module = MY_MODULE,
		.function = MY_ADD,
		.timeout_ms = SOON,
	};
	struct ccm_answer answer;
	int err;

	calls_net_exit(net);
	EXPECT(CCM_attach(net, MY_MODULE, NULL) == 0);
	err = CCM_rcall(net, &call, &answer, CCM_U32(1), CCM_U32(2));
	CCM_answer_free(&answer);
	CCM_detach(net, MY_MODULE);
	EXPECT(calls_net_init(net) == 0);
	EXPECT(err == -EOPNOTSUPP);
	return 0;
}

const struct chapter calls = {
	.ops = &calls_net_ops,
	.examples = (const struct example[]){
		{ "rcall-short", run_rcall_short }, /* "rcall-long", "get" */
		{ "rcall-array", run_rcall_array },
		{ "rcall", run_rcall }, /* "regist" */
		{ "rcall-async", run_rcall_async },
		{ "answer-free", run_answer_free }, /* "answer" */
		{ "port-after", run_port_after },
		{ "unregist", run_unregist },
		{}
	},
};
