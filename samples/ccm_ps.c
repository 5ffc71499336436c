// SPDX-License-Identifier: GPL-2.0
/*
 * ccm_ps - the processes of all nodes, in one list.
 *
 *	# cat /proc/net/ccm_ps
 *	NODE     PID S NAME
 *	   1       1 S init
 *	   1       2 S kthreadd
 *	   2       1 S init
 *	   3       - - down (-EHOSTDOWN)
 *
 * The "global process id service" of the paper, in small. Every node has one
 * function that others may call: which processes are there, from this pid on?
 * Whoever reads the file calls it on one node after the other, itself included,
 * until each has told all. A node that does not answer has a line that says so.
 *
 * It serves the first network namespace alone, since what it shows is the whole
 * machine's.
 *
 * Shows a long handler, a call with an answer, how to send more than fits into
 * one answer, and a deadline.
 */
#include <linux/ctype.h>
#include <linux/idr.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/pid_namespace.h>
#include <linux/proc_fs.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/threads.h>
#include <net/net_namespace.h>

#include <ccm/ccm.h>

#define PS_MODULE 12 /* our module number, the same on every node */
#define PS_LIST 1    /* the one function others may call */
#define PS_MS 2000   /* how long a node may take for all of its processes */
#define PS_CHUNK 64  /* processes in one answer */
#define PS_NAME 16

/* A process, as it travels: the same for every architecture. */
struct ps_process {
	__be32 pid;
	char state;
	char name[PS_NAME]; /* not ended by NUL if it is as long as this */
} __packed;

/* --- The function that is called ------------------------------------------ */

static void ps_describe(struct ps_process *process, int pid,
			struct task_struct *task)
{
	char name[TASK_COMM_LEN];

	get_task_comm(name, task);
	process->pid = cpu_to_be32(pid);
	process->state = task_state_to_char(task);
	memcpy(process->name, name, PS_NAME);
}

/*
 * The first PS_CHUNK processes whose pid is *@from or higher; how many that
 * are. *@from becomes the pid to go on from, or 0 if there are no more.
 */
static int ps_walk(int *from, struct ps_process *processes)
{
	struct task_struct *task;
	struct pid *pid;
	int count = 0;

	BUILD_BUG_ON(TASK_COMM_LEN != PS_NAME);
	rcu_read_lock();
	while ((pid = idr_get_next(&init_pid_ns.idr, from))) {
		if (count == PS_CHUNK)
			break;
		/* A pid may also be that of a thread, or of a group alone. */
		task = pid_task(pid, PIDTYPE_TGID);
		if (task)
			ps_describe(&processes[count++], *from, task);
		++*from;
	}
	rcu_read_unlock();
	if (!pid)
		*from = 0;
	return count;
}

/*
 * Argument: the pid to begin at. Answer: processes. Result: the pid to ask for
 * next, 0 if that was all, or an error.
 *
 * It is registered as a long handler: it may sleep, for memory, and a walk
 * through all processes would keep the listener from its work.
 */
static int ps_list(struct ccm_args *args, u32 seqn)
{
	struct ps_process *processes;
	int from, count, err;
	u32 first;

	err = CCM_get_u32(args, &first) ?: CCM_get_end(args);
	if (err)
		return err;
	/* Never trust a number from the network. */
	if (first > PID_MAX_LIMIT)
		return -EINVAL;
	processes = kmalloc_array(PS_CHUNK, sizeof(*processes), GFP_KERNEL);
	if (!processes)
		return -ENOMEM;
	from = first;
	count = ps_walk(&from, processes);
	err = CCM_answer(args, CCM_BYTES(processes, count * sizeof(*processes)));
	kfree(processes);
	return err ?: from;
}

/* --- The file that lists all nodes ---------------------------------------- */

/* How far one open file has come: in a chunk, of a node. */
struct ps_reader {
	struct seq_net_private net; /* has to be the first */
	u32 node;
	unsigned long deadline; /* of the node, in jiffies */
	int from;               /* pid to ask it for next; 0: it has told all */
	int error;              /* the node's, instead of processes */
	int at, lines;          /* in the chunk; an error is one line */
	struct ps_process chunk[PS_CHUNK];
};

static int ps_take(struct ps_reader *reader, struct ccm_answer *answer)
{
	const void *processes;
	size_t size;
	int err;

	if (answer->result < 0)
		return answer->result;
	err = CCM_get_bytes(&answer->args, &processes, &size) ?:
	      CCM_get_end(&answer->args);
	if (err)
		return err;
	if (size > sizeof(reader->chunk) || size % sizeof(reader->chunk[0]))
		return -EBADMSG;
	memcpy(reader->chunk, processes, size);
	reader->lines = size / sizeof(reader->chunk[0]);
	reader->from = answer->result;
	return 0;
}

/* Waits for the node's next chunk, but not longer than its deadline. */
static int ps_ask(struct net *net, struct ps_reader *reader)
{
	long left = max((long)(reader->deadline - jiffies), 0L);
	struct ccm_call call = {
		.node = reader->node,
		.module = PS_MODULE,
		.function = PS_LIST,
		.timeout_ms = jiffies_to_msecs(left),
	};
	struct ccm_answer answer;
	int err = CCM_rcall(net, &call, &answer, CCM_U32(reader->from));

	if (err)
		return err;
	err = ps_take(reader, &answer);
	CCM_answer_free(&answer);
	return err;
}

static void ps_begin(struct ps_reader *reader, u32 node)
{
	reader->node = node;
	reader->deadline = jiffies + msecs_to_jiffies(PS_MS);
	reader->from = 1;
}

/* Goes on until there is a line to show; false if all nodes have been asked. */
static bool ps_find_line(struct net *net, struct ps_reader *reader)
{
	while (reader->at == reader->lines) {
		if (!reader->from) {
			if (reader->node == CCM_NODE_MAX)
				return false;
			ps_begin(reader, reader->node + 1);
		}
		reader->at = 0;
		reader->lines = 0;
		reader->error = ps_ask(net, reader);
		if (!reader->error)
			continue;
		/* No more of this node. Numbers nobody has are passed over. */
		reader->from = 0;
		reader->lines = reader->error == -ENODEV ? 0 : 1;
	}
	return true;
}

/* The file is read in pieces: at first, and again for each piece. */
static void *ps_start(struct seq_file *seq, loff_t *pos)
{
	struct ps_reader *reader = seq->private;
	struct net *net = seq_file_net(seq);
	int number;

	if (*pos)
		return ps_find_line(net, reader) ? reader : NULL;
	number = CCM_node(net);
	if (number < 0)
		return ERR_PTR(number);
	ps_begin(reader, 1);
	reader->at = 0;
	reader->lines = 0;
	return SEQ_START_TOKEN; /* stands for the head line */
}

static void *ps_next(struct seq_file *seq, void *line, loff_t *pos)
{
	struct ps_reader *reader = seq->private;

	++*pos;
	if (line != SEQ_START_TOKEN)
		reader->at++;
	return ps_find_line(seq_file_net(seq), reader) ? reader : NULL;
}

static void ps_stop(struct seq_file *seq, void *line)
{
}

static const char *ps_word(int error)
{
	switch (error) {
	case -EHOSTDOWN:
	case -ECONNABORTED: /* it went while we waited */
		return "down";
	case -EOPNOTSUPP:
		return "without ccm_ps";
	case -ETIMEDOUT:
		return "late";
	default:
		return "error";
	}
}

static int ps_show(struct seq_file *seq, void *line)
{
	struct ps_reader *reader = seq->private;
	const struct ps_process *process = &reader->chunk[reader->at];

	if (line == SEQ_START_TOKEN)
		seq_puts(seq, "NODE     PID S NAME\n");
	else if (reader->error)
		seq_printf(seq, "%4u       - - %s (%pe)\n", reader->node,
			   ps_word(reader->error), ERR_PTR(reader->error));
	else
		seq_printf(seq, "%4u %7u %c %*pE\n", reader->node,
			   be32_to_cpu(process->pid),
			   isalpha(process->state) ? process->state : '?',
			   (int)strnlen(process->name, PS_NAME), process->name);
	return 0;
}

static const struct seq_operations ps_file_ops = {
	.start = ps_start,
	.next = ps_next,
	.stop = ps_stop,
	.show = ps_show,
};

/* --- Answer, and offer the file, in the first network namespace alone ------ */

/*
 * Processes belong to the machine, not to a network namespace. A container that
 * has one of its own, with CAP_NET_ADMIN over it, would else make it a node, and
 * read here what the machine runs.
 */
static int __init ps_init(void)
{
	int err = CCM_attach(&init_net, PS_MODULE, NULL);

	if (err)
		return err;
	err = CCM_regist(&init_net, PS_MODULE, PS_LIST, CCM_LONG, ps_list, NULL);
	if (err)
		goto detach;
	if (!proc_create_net("ccm_ps", 0400, init_net.proc_net, &ps_file_ops,
			     sizeof(struct ps_reader))) {
		err = -ENOMEM;
		goto unregister;
	}
	return 0;

unregister:
	CCM_unregist(&init_net, PS_MODULE, PS_LIST);
detach:
	CCM_detach(&init_net, PS_MODULE);
	return err;
}

/*
 * The first waits for handlers, the second wakes readers who wait for an
 * answer, the third waits for these readers.
 */
static void __exit ps_exit(void)
{
	CCM_unregist(&init_net, PS_MODULE, PS_LIST);
	CCM_detach(&init_net, PS_MODULE);
	remove_proc_entry("ccm_ps", init_net.proc_net);
}

module_init(ps_init);
module_exit(ps_exit);
MODULE_DESCRIPTION("CCM sample: the processes of all nodes, in one list");
MODULE_LICENSE("GPL");
