// SPDX-License-Identifier: GPL-2.0
/*
 * ccm_bench - CCM beside other ways from node to node.
 *
 *	echo ping-pong 64 100 10 >/proc/ccm_bench	100 runs of 10 round trips of 64 bytes
 *	echo ping-pong 64 100 10 ccm >/proc/ccm_bench	the same over one transport alone
 *	cat /proc/ccm_bench				what each run took
 *
 * Nodes 1 and 2 are the network namespaces of the processes that the parameter
 * pids names. All ways to do that work take turns, run by run.
 *
 * The clock is meant to be QEMU's -icount, of which a nanosecond is an
 * instruction; the module does not load where it is not.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <net/net_namespace.h>

#include "load.h"
#include "transport.h"

#define RUNS_MAX 1000
#define WAYS_MAX 8
#define DISCARDED 3 /* runs at the beginning that do not count */

static int pids[2];
module_param_array(pids, int, NULL, 0444);
MODULE_PARM_DESC(pids, "A process in node 1's network namespace, and one in node 2's");

static const struct transport *const transports[] = {
	&bench_ccm,
	&bench_socket,
	&bench_sunrpc,
};

static const char *const work_names[] = {
	[PING_PONG] = "ping-pong",
	[ONE_WAY] = "one-way",
	[CALL_ANSWER] = "call-answer",
	[BULK] = "bulk",
};

/* One line of results, for each run. */
struct entry {
	const struct transport *transport;
	const struct way *way;
	u64 ns[RUNS_MAX];
};

static struct {
	struct mutex lock; /* protects the rest: one series at a time */
	enum work work;
	u32 size, runs, count;
	char only[16]; /* the one transport wanted; empty: all */
	u32 entries;
	struct entry *entry;
} series;

static void add_ways(const struct transport *transport)
{
	const struct way *way;

	if (series.only[0] && strcmp(series.only, transport->name))
		return;
	for (way = transport->ways; way->near; way++)
		if (way->work == series.work && series.entries < WAYS_MAX)
			series.entry[series.entries++] = (struct entry){
				.transport = transport,
				.way = way,
			};
}

static int failed(const struct entry *entry, const char *what, int err)
{
	pr_err("%s of %u bytes by %s over %s: %s: error %d\n",
	       work_names[series.work], series.size, entry->way->by,
	       entry->transport->name, what, err);
	return err;
}

static int check_all(void)
{
	u32 i, times;
	int err;

	for (i = 0; i < series.entries; i++) {
		for (times = 0; times < 3; times++) {
			err = load_check(series.entry[i].way, series.size);
			if (err)
				return failed(&series.entry[i],
					      "a message does not arrive as sent",
					      err);
		}
	}
	return 0;
}

/* Taking turns: whatever drifts does so for all. */
static int run_all(void)
{
	struct entry *entry;
	u32 run;
	u64 ns;
	int err;

	for (run = 0; run < DISCARDED + series.runs; run++) {
		for (entry = series.entry;
		     entry < series.entry + series.entries; entry++) {
			err = load_run(entry->way, series.size, series.count,
				       &ns);
			if (err)
				return failed(entry, "a run does not end well",
					      err);
			if (run >= DISCARDED)
				entry->ns[run - DISCARDED] = ns;
		}
	}
	return 0;
}

static int parse(const char *text)
{
	char name[16];
	int work;

	series.only[0] = '\0';
	if (sscanf(text, "%15s %u %u %u %15s", name, &series.size, &series.runs,
		   &series.count, series.only) < 4 ||
	    !series.size || series.size > LOAD_MAX || !series.runs ||
	    series.runs > RUNS_MAX || !series.count)
		return -EINVAL;
	work = match_string(work_names, ARRAY_SIZE(work_names), name);
	if (work < 0)
		return -EINVAL;
	series.work = work;
	return 0;
}

static int run_series(const char *text)
{
	u32 i;
	int err;

	series.entries = 0;
	err = parse(text);
	if (err)
		return err;
	for (i = 0; i < ARRAY_SIZE(transports); i++)
		add_ways(transports[i]);
	err = series.entries ? check_all() ?: run_all() : -EINVAL;
	if (err)
		series.entries = 0;
	return err;
}

/* --- /proc/ccm_bench -------------------------------------------------------- */

static ssize_t bench_write(struct file *file, const char __user *from,
			   size_t size, loff_t *offset)
{
	char text[64];
	int err;

	if (size >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, from, size))
		return -EFAULT;
	text[size] = '\0';
	mutex_lock(&series.lock);
	err = run_series(text);
	mutex_unlock(&series.lock);
	return err ?: size;
}

/* WORK TRANSPORT BY SIZE OPERATIONS INSTRUCTIONS: a line for each run. */
static int bench_show(struct seq_file *seq, void *unused)
{
	const struct entry *entry;
	u32 run;

	mutex_lock(&series.lock);
	for (entry = series.entry; entry < series.entry + series.entries;
	     entry++)
		for (run = 0; run < series.runs; run++)
			seq_printf(seq, "%s %s %s %u %u %llu\n",
				   work_names[series.work],
				   entry->transport->name, entry->way->by,
				   series.size, series.count, entry->ns[run]);
	mutex_unlock(&series.lock);
	return 0;
}

static int bench_open(struct inode *inode, struct file *file)
{
	return single_open(file, bench_show, NULL);
}

static const struct proc_ops bench_ops = {
	.proc_open = bench_open,
	.proc_read = seq_read,
	.proc_write = bench_write,
	.proc_lseek = seq_lseek,
	.proc_release = single_release,
};

/* --- the module ------------------------------------------------------------- */

/* Twenty million instructions, and a few interrupts. */
static int clock_counts_instructions(void)
{
	unsigned long rounds = 10000000, expected = 2 * rounds;
	u64 start = ktime_get_ns(), ns;

	asm volatile("1: dec %0; jnz 1b" : "+r"(rounds) : : "cc");
	ns = ktime_get_ns() - start;
	if (abs_diff(ns, (u64)expected) <= expected / 100)
		return 0;
	pr_err("%lu instructions took %llu ns: run this in QEMU with -icount shift=0\n",
	       expected, ns);
	return -EINVAL;
}

static void close_transports(u32 count)
{
	while (count--)
		transports[count]->close();
}

static int open_transports(struct net *near, struct net *far)
{
	u32 i;
	int err;

	for (i = 0; i < ARRAY_SIZE(transports); i++) {
		err = transports[i]->open(near, far);
		if (err) {
			pr_err("%s cannot be opened: error %d\n",
			       transports[i]->name, err);
			close_transports(i);
			return err;
		}
	}
	return 0;
}

static struct net *nets[2];

static int get_nets(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(nets); i++) {
		nets[i] = get_net_ns_by_pid(pids[i]);
		if (IS_ERR(nets[i])) {
			if (i)
				put_net(nets[0]);
			return PTR_ERR(nets[i]);
		}
	}
	return 0;
}

static void put_nets(void)
{
	put_net(nets[0]);
	put_net(nets[1]);
}

static int __init bench_init(void)
{
	int err = clock_counts_instructions() ?: get_nets();

	if (err)
		return err;
	err = -ENOMEM;
	mutex_init(&series.lock);
	series.entry = kvcalloc(WAYS_MAX, sizeof(*series.entry), GFP_KERNEL);
	if (!series.entry)
		goto put;
	err = load_init();
	if (err)
		goto free;
	err = open_transports(nets[0], nets[1]);
	if (err)
		goto exit;
	err = -ENOMEM;
	if (!proc_create("ccm_bench", 0600, NULL, &bench_ops))
		goto close;
	return 0;

close:
	close_transports(ARRAY_SIZE(transports));
exit:
	load_exit();
free:
	kvfree(series.entry);
put:
	put_nets();
	return err;
}

static void __exit bench_exit(void)
{
	remove_proc_entry("ccm_bench", NULL);
	close_transports(ARRAY_SIZE(transports));
	load_exit();
	kvfree(series.entry);
	put_nets();
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_DESCRIPTION("CCM beside raw sockets and SUNRPC, in instructions");
MODULE_LICENSE("GPL");
