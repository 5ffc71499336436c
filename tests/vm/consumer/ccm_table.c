// SPDX-License-Identifier: GPL-2.0
/*
 * ccm_table - the calls of the paper's Table 1, and those that go with them, one
 * by one, with another node that has loaded this too.
 *
 *	# echo short 2 >/proc/net/ccm_table
 *
 * does the case "short" with node 2; an error means that it failed, and the
 * kernel's log says where. The smoke test does them all.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/random.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <net/net_namespace.h>

#include <ccm/ccm.h>

#include "forgetful.h"
#include "hold.h"

#define TABLE_MODULE 13
#define TABLE_MS 10000
#define NUMBER32 0x89abcdefu
#define NUMBER64 0x0123456789abcdefull
#define TEXT "over there"
#define RESULT 4711

enum table_function {
	TABLE_SHORT = 1, /* checks all types, sends a message back */
	TABLE_LONG,      /* the same, and sleeps */
	TABLE_ECHO,      /* answers with what came */
	TABLE_BACK,      /* calls TABLE_ECHO where it was called from */
	TABLE_MIRROR,    /* answers with the many bytes that came */
	TABLE_CHECK,     /* receives a message of many bytes, and replies */
	TABLE_NOBODY,    /* is not registered */
	TABLE_HERE,      /* is registered by the case "regist" */
};

enum table_type { TABLE_REPLY = 1, TABLE_SELF, TABLE_PATTERN };

static const char bytes[] = { 1, 0, 2 };

#define ALL_TYPES \
	CCM_U32(NUMBER32), CCM_U64(NUMBER64), CCM_STRING(TEXT), \
	CCM_BYTES(bytes, sizeof(bytes))

/* An error, and which one in the log. */
#define EXPECT(condition)						\
do {									\
	if (!(condition)) {						\
		pr_err("ccm_table: %s: not %s\n", __func__, #condition); \
		return -EPROTO;						\
	}								\
} while (0)

static int read_all_types(struct ccm_args *args)
{
	const char *text;
	const void *data;
	size_t size;
	u32 n32;
	u64 n64;

	EXPECT(CCM_get_u64(args, &n64) == -EPROTOTYPE);
	EXPECT(CCM_get_u32(args, &n32) == 0 && n32 == NUMBER32);
	EXPECT(CCM_get_end(args) == -EPROTOTYPE);
	EXPECT(CCM_get_u64(args, &n64) == 0 && n64 == NUMBER64);
	EXPECT(CCM_get_string(args, &text) == 0 && !strcmp(text, TEXT));
	EXPECT(CCM_get_bytes(args, &data, &size) == 0);
	EXPECT(size == sizeof(bytes) && !memcmp(data, bytes, size));
	EXPECT(CCM_get_u32(args, &n32) == -ENOMSG);
	EXPECT(CCM_get_end(args) == 0);
	return 0;
}

/* --- Many bytes ----------------------------------------------------------- */

/* What stands at an offset, so that no two fragments are alike. */
static u8 pattern_at(u32 seed, u32 offset)
{
	return ((seed ^ offset) * 0x9e3779b1u) >> 24;
}

static u8 *pattern_make(u32 seed, u32 size)
{
	u8 *data = kvmalloc(size, GFP_KERNEL);
	u32 i;

	for (i = 0; data && i < size; i++)
		data[i] = pattern_at(seed, i);
	return data;
}

static int pattern_check(const u8 *data, u32 seed, u32 size)
{
	u32 i;

	for (i = 0; i < size; i++) {
		if (data[i] == pattern_at(seed, i))
			continue;
		pr_err("ccm_table: byte %u of %u is wrong\n", i, size);
		return -EBADMSG;
	}
	return 0;
}

/* --- What is called ------------------------------------------------------- */

/* As in the paper, 3.3.5: the answer is a message of the call's seqn. */
static int reply(struct ccm_args *args, u32 seqn)
{
	struct ccm_msg msg = {
		.node = args->node,
		.module = TABLE_MODULE,
		.type = TABLE_REPLY,
		.seqn = seqn,
	};

	return CCM_bsend(args->net, &msg, 0, TABLE_MS);
}

static int handle_short(struct ccm_args *args, u32 seqn)
{
	struct ccm_msg none = { .node = args->node, .module = TABLE_MODULE };

	/* Whatever would wait is refused. */
	EXPECT(CCM_brecv(args->net, &none, 0, TABLE_MS) == -EDEADLK);
	return read_all_types(args) ?: reply(args, seqn);
}

static int handle_long(struct ccm_args *args, u32 seqn)
{
	msleep(20);
	return read_all_types(args) ?: reply(args, seqn);
}

static int handle_echo(struct ccm_args *args, u32 seqn)
{
	EXPECT(args->module == TABLE_MODULE && args->function == TABLE_ECHO);
	return read_all_types(args) ?: CCM_answer(args, ALL_TYPES) ?: RESULT;
}

static int call_echo(struct net *net, u32 node)
{
	struct ccm_call call = {
		.node = node,
		.module = TABLE_MODULE,
		.function = TABLE_ECHO,
		.timeout_ms = TABLE_MS,
	};
	struct ccm_answer answer;
	int err = CCM_rcall(net, &call, &answer, ALL_TYPES);

	if (err)
		return err;
	err = answer.result == RESULT ? read_all_types(&answer.args) : -EPROTO;
	CCM_answer_free(&answer);
	return err;
}

static int handle_mirror(struct ccm_args *args, u32 seqn)
{
	const void *data;
	size_t size;

	EXPECT(CCM_get_bytes(args, &data, &size) == 0);
	EXPECT(CCM_get_end(args) == 0);
	return pattern_check(data, seqn, size) ?:
	       CCM_answer(args, CCM_BYTES(data, size));
}

static int handle_check(struct ccm_args *args, u32 seqn)
{
	struct ccm_msg msg = {
		.node = args->node,
		.module = TABLE_MODULE,
		.type = TABLE_PATTERN,
		.seqn = seqn,
	};
	u32 size;
	int err;

	EXPECT(CCM_get_u32(args, &size) == 0);
	msg.size = size;
	msg.data = kvmalloc(size, GFP_KERNEL);
	if (!msg.data)
		return -ENOMEM;
	err = CCM_brecv(args->net, &msg, 0, TABLE_MS);
	if (err >= 0)
		err = err == size ? pattern_check(msg.data, seqn, size) : -EPROTO;
	kvfree(msg.data);
	return err ?: reply(args, seqn);
}

static int handle_back(struct ccm_args *args, u32 seqn)
{
	return call_echo(args->net, args->node);
}

static int handle_here(struct ccm_args *args, u32 seqn)
{
	return *(int *)args->context;
}

static const struct {
	enum table_function function;
	enum ccm_handler_kind kind;
	ccm_handler handler;
} handlers[] = {
	{ TABLE_SHORT, CCM_SHORT, handle_short },
	{ TABLE_LONG, CCM_LONG, handle_long },
	{ TABLE_ECHO, CCM_LONG, handle_echo },
	{ TABLE_BACK, CCM_LONG, handle_back },
	{ TABLE_MIRROR, CCM_LONG, handle_mirror },
	{ TABLE_CHECK, CCM_LONG, handle_check },
};

/* --- The cases ------------------------------------------------------------ */

static struct ccm_call call_of(u32 node, enum table_function function)
{
	return (struct ccm_call){
		.node = node,
		.module = TABLE_MODULE,
		.function = function,
		.seqn = get_random_u32(),
		.timeout_ms = TABLE_MS,
	};
}

/* A message of no bytes with this number comes from there. */
static int receive_reply(struct net *net, const struct ccm_call *call)
{
	struct ccm_msg msg = {
		.node = call->node,
		.module = TABLE_MODULE,
		.type = TABLE_REPLY,
		.seqn = call->seqn,
	};

	return CCM_brecv(net, &msg, 0, TABLE_MS);
}

static int case_short(struct net *net, u32 node)
{
	struct ccm_call call = call_of(node, TABLE_SHORT);

	return CCM_rcall_s(net, &call, ALL_TYPES) ?: receive_reply(net, &call);
}

static int case_long(struct net *net, u32 node)
{
	struct ccm_call call = call_of(node, TABLE_LONG);

	return CCM_rcall_l(net, &call, ALL_TYPES) ?: receive_reply(net, &call);
}

/* The reply was sent before the answer: it is here when that is. */
static int case_arecv(struct net *net, u32 node)
{
	struct ccm_call call = call_of(node, TABLE_SHORT);
	struct ccm_msg msg = {
		.node = node,
		.module = TABLE_MODULE,
		.type = TABLE_REPLY,
		.seqn = call.seqn,
	};
	struct ccm_answer answer;
	int result;

	EXPECT(CCM_arecv(net, &msg, 0) == -EAGAIN);
	EXPECT(CCM_rcall(net, &call, &answer, ALL_TYPES) == 0);
	result = answer.result;
	CCM_answer_free(&answer);
	EXPECT(result == 0);
	EXPECT(CCM_arecv(net, &msg, 0) == 0);
	return 0;
}

static int case_answer(struct net *net, u32 node)
{
	return call_echo(net, node);
}

struct ending {
	struct completion done;
	int error;
};

static void ended(void *context, int error, struct ccm_answer *answer)
{
	struct ending *ending = context;

	if (!error && answer->result != RESULT)
		error = -EPROTO;
	ending->error = error ?: read_all_types(&answer->args);
	complete(&ending->done);
}

static int case_async(struct net *net, u32 node)
{
	struct ccm_call call = call_of(node, TABLE_ECHO);
	struct ending one, two;

	init_completion(&one.done);
	init_completion(&two.done);
	EXPECT(CCM_rcall_async(net, &call, ended, &one, ALL_TYPES) == 0);
	two.error = CCM_rcall_async(net, &call, ended, &two, ALL_TYPES);
	wait_for_completion(&one.done);
	EXPECT(two.error == 0);
	wait_for_completion(&two.done);
	return one.error ?: two.error;
}

static int case_call_back(struct net *net, u32 node)
{
	struct ccm_call call = call_of(node, TABLE_BACK);
	struct ccm_answer answer;
	int err = CCM_rcall(net, &call, &answer);

	if (err)
		return err;
	err = answer.result;
	CCM_answer_free(&answer);
	return err;
}

/* A call and an answer of several fragments. */
static int case_long_call(struct net *net, u32 node)
{
	struct ccm_call call = call_of(node, TABLE_MIRROR);
	const u32 size = 200000;
	u8 *sent = pattern_make(call.seqn, size);
	struct ccm_answer answer = {};
	const void *data;
	size_t came;
	int err = -ENOMEM;

	if (sent)
		err = CCM_rcall(net, &call, &answer, CCM_BYTES(sent, size));
	if (!err)
		err = answer.result ?: CCM_get_bytes(&answer.args, &data, &came);
	if (!err)
		err = came == size ? pattern_check(data, call.seqn, size) : -EPROTO;
	CCM_answer_free(&answer);
	kvfree(sent);
	return err;
}

static int send_pattern(struct net *net, const struct ccm_call *call, u32 size)
{
	struct ccm_msg msg = {
		.node = call->node,
		.module = TABLE_MODULE,
		.type = TABLE_PATTERN,
		.seqn = call->seqn,
		.size = size,
		.data = pattern_make(call->seqn, size),
	};
	int err = msg.data ? CCM_bsend(net, &msg, 0, TABLE_MS) : -ENOMEM;

	kvfree(msg.data);
	return err;
}

/* The message goes to a receiver that waits, or to the queue. */
static int checked_message(struct net *net, u32 node, u32 size, bool awaited)
{
	struct ccm_call call = call_of(node, TABLE_CHECK);
	int err = awaited ? 0 : send_pattern(net, &call, size);

	err = err ?: CCM_rcall_l(net, &call, CCM_U32(size));
	if (!err && awaited) {
		msleep(20);
		err = send_pattern(net, &call, size);
	}
	return err ?: receive_reply(net, &call);
}

/* Around each size where memory or fragments change, but for the largest. */
static int case_messages(struct net *net, u32 node)
{
	static const u32 sizes[] = {
		0, 1, 128, 129, 8064, 8065, 65408, 65409, 65488, 65489,
		130976, 130977, CCM_SIZE_DEFAULT,
	};
	int i, err;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		err = checked_message(net, node, sizes[i], false) ?:
		      checked_message(net, node, sizes[i], true);
		if (err) {
			pr_err("ccm_table: messages of %u bytes\n", sizes[i]);
			return err;
		}
	}
	return 0;
}

static int case_no_handler(struct net *net, u32 node)
{
	struct ccm_call call = call_of(node, TABLE_NOBODY);
	struct ccm_answer answer;

	EXPECT(CCM_rcall_s(net, &call) == 0);
	EXPECT(CCM_rcall(net, &call, &answer) == -EOPNOTSUPP);
	return 0;
}

/* With itself, so that no other node has to do anything. */
static int case_regist(struct net *net, u32 unused)
{
	struct ccm_call call = call_of(CCM_node(net), TABLE_HERE);
	struct ccm_answer answer;
	int context = 42, err;

	EXPECT(CCM_rcall(net, &call, &answer) == -EOPNOTSUPP);
	err = CCM_regist(net, TABLE_MODULE, TABLE_HERE, CCM_SHORT, handle_here,
			 &context);
	if (err)
		return err;
	err = CCM_rcall(net, &call, &answer);
	if (!err && answer.result != 42)
		err = -EPROTO;
	CCM_answer_free(&answer);
	EXPECT(CCM_unregist(net, TABLE_MODULE, TABLE_HERE) == 0);
	EXPECT(CCM_rcall(net, &call, &answer) == -EOPNOTSUPP);
	EXPECT(CCM_unregist(net, TABLE_MODULE, TABLE_HERE) == -ENOENT);
	return err;
}

static int case_send_self(struct net *net, u32 unused)
{
	char text[sizeof(TEXT)] = TEXT;
	struct ccm_msg msg = {
		.node = CCM_node(net),
		.module = TABLE_MODULE,
		.type = TABLE_SELF,
		.size = sizeof(text),
		.data = text,
	};

	EXPECT(CCM_bsend(net, &msg, 0, TABLE_MS) == 0);
	memset(text, 0, sizeof(text));
	EXPECT(CCM_brecv(net, &msg, CCM_NOSEQ, TABLE_MS) == sizeof(text));
	EXPECT(!strcmp(text, TEXT));
	return 0;
}

/* On the higher node; the lower one is connected, and stays so. */
static int case_listen_to(struct net *net, u32 node)
{
	return CCM_Listen_to(net, node, TABLE_MS);
}

/* On the lower node. */
static int case_connect_to(struct net *net, u32 node)
{
	struct ccm_call call = call_of(node, TABLE_SHORT);

	EXPECT(CCM_Close(net, node, TABLE_MS) == 0);
	EXPECT(CCM_rcall_s(net, &call, ALL_TYPES) == -EHOSTDOWN);
	EXPECT(CCM_Connect_to(net, node, TABLE_MS) == 0);
	return call_echo(net, node);
}

/* What a call of ccm_forgetful there comes to. */
static int call_forgetful(struct net *net, u32 node)
{
	struct ccm_call call = {
		.node = node,
		.module = FORGETFUL_MODULE,
		.function = FORGETFUL_FUNCTION,
		.timeout_ms = TABLE_MS,
	};
	struct ccm_answer answer;
	int err = CCM_attach(net, FORGETFUL_MODULE, NULL);

	if (err)
		return err;
	err = CCM_rcall(net, &call, &answer) ?: answer.result;
	CCM_answer_free(&answer);
	CCM_detach(net, FORGETFUL_MODULE);
	return err;
}

static int case_forgetful(struct net *net, u32 node)
{
	EXPECT(call_forgetful(net, node) == FORGETFUL_RESULT);
	return 0;
}

static int case_forgotten(struct net *net, u32 node)
{
	EXPECT(call_forgetful(net, node) == -EOPNOTSUPP);
	return 0;
}

static int case_forget_wait(struct net *net, u32 node)
{
	struct ccm_call call = call_of(node, FORGETFUL_WAITS);

	call.module = FORGETFUL_MODULE;
	return CCM_rcall_l(net, &call);
}

/* What ccm_hold gets to do there, be it loaded or not. */
static int case_load_hold(struct net *net, u32 node)
{
	struct ccm_call call = call_of(node, HOLD_FUNCTION);
	int i;

	call.module = HOLD_MODULE;
	call.timeout_ms = 10;
	for (i = 0; i < 500; i++)
		CCM_rcall_l(net, &call);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(struct net *net, u32 node);
} cases[] = {
	{ "short", case_short },
	{ "long", case_long },
	{ "arecv", case_arecv },
	{ "answer", case_answer },
	{ "async", case_async },
	{ "call_back", case_call_back },
	{ "long_call", case_long_call },
	{ "messages", case_messages },
	{ "no_handler", case_no_handler },
	{ "regist", case_regist },
	{ "send_self", case_send_self },
	{ "listen_to", case_listen_to },
	{ "connect_to", case_connect_to },
	{ "forgetful", case_forgetful },
	{ "forgotten", case_forgotten },
	{ "forget_wait", case_forget_wait },
	{ "load_hold", case_load_hold },
};

/* --- In each network namespace -------------------------------------------- */

static int table_write(struct file *file, char *text, size_t count)
{
	struct net *net = seq_file_single_net(file->private_data);
	char name[16];
	u32 node;
	int i, err;

	if (sscanf(text, "%15s %u", name, &node) != 2)
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		if (strcmp(cases[i].name, name))
			continue;
		err = cases[i].run(net, node);
		if (err)
			pr_err("ccm_table: %s: %pe\n", name, ERR_PTR(err));
		return err;
	}
	return -ENOENT;
}

static int table_show(struct seq_file *seq, void *unused)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		seq_printf(seq, "%s\n", cases[i].name);
	return 0;
}

static int __net_init table_net_init(struct net *net)
{
	int i, err = CCM_attach(net, TABLE_MODULE, NULL);

	if (err)
		return err;
	for (i = 0; i < ARRAY_SIZE(handlers) && !err; i++)
		err = CCM_regist(net, TABLE_MODULE, handlers[i].function,
				 handlers[i].kind, handlers[i].handler, NULL);
	if (!err && !proc_create_net_single_write("ccm_table", 0600,
						  net->proc_net, table_show,
						  table_write, NULL))
		err = -ENOMEM;
	if (err)
		CCM_detach(net, TABLE_MODULE); /* unregisters too */
	return err;
}

static void __net_exit table_net_exit(struct net *net)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(handlers); i++)
		CCM_unregist(net, TABLE_MODULE, handlers[i].function);
	CCM_detach(net, TABLE_MODULE);
	remove_proc_entry("ccm_table", net->proc_net);
}

static struct pernet_operations table_net_ops = {
	.init = table_net_init,
	.exit = table_net_exit,
};

static int __init table_init(void)
{
	return register_pernet_device(&table_net_ops);
}

static void __exit table_exit(void)
{
	unregister_pernet_device(&table_net_ops);
}

module_init(table_init);
module_exit(table_exit);
MODULE_DESCRIPTION("CCM's smoke test: the calls one by one");
MODULE_LICENSE("GPL");
