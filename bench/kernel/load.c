// SPDX-License-Identifier: GPL-2.0
/*
 * One run: operations in a row of one way, and how long they took.
 *
 * The thread that calls is node 1. Node 2's half runs on a thread of ours, or
 * in the transport's own. Whatever arrives there is counted, so that a run
 * fails if a message is lost or comes twice. Contents are compared in runs of
 * one operation, which nobody times.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/prandom.h>
#include <linux/string.h>
#include <linux/wait.h>

#include "load.h"

#define POISON 0xa5

bool bench_checking;

static struct {
	const struct way *way;
	size_t size;
	u32 count; /* operations of this run */
	u32 target; /* arrivals that node 1 waits for */
	u32 arrived; /* written by one thread at a time */
	int error; /* of node 2 */
	wait_queue_head_t all_arrived;

	struct task_struct *far; /* node 2's thread */
	struct completion go, done;

	void *data, *echo; /* node 1's */
	void *room; /* node 2's */
} load;

static bool all_arrived(void)
{
	return READ_ONCE(load.arrived) >= READ_ONCE(load.target);
}

/* Node 2's half of every operation calls this when it has the message. */
void bench_arrived(const void *data, size_t size)
{
	if (size != load.size ||
	    (bench_checking && memcmp(data, load.data, size)))
		load.error = -EBADMSG;
	WRITE_ONCE(load.arrived, load.arrived + 1);
	if (all_arrived())
		wake_up(&load.all_arrived);
}

static int far_half(void)
{
	u32 i;
	int err = 0;

	for (i = 0; i < load.count && !err; i++)
		err = load.way->far(load.room, load.size);
	return err;
}

static int far_thread(void *unused)
{
	int err;

	for (;;) {
		wait_for_completion(&load.go);
		if (kthread_should_stop())
			return 0;
		err = far_half();
		if (err)
			load.error = err;
		complete(&load.done);
	}
}

static int near_half(u32 count)
{
	u32 i;
	int err = 0;

	WRITE_ONCE(load.target, load.target + count);
	for (i = 0; i < count && !err; i++)
		err = load.way->near(load.data, load.echo, load.size);
	return err;
}

static int wait_for_all(void)
{
	if (!wait_event_timeout(load.all_arrived, all_arrived(),
				msecs_to_jiffies(BENCH_MS)))
		return -ETIMEDOUT;
	return 0;
}

static void begin(const struct way *way, size_t size, u32 count)
{
	load.way = way;
	load.size = size;
	load.count = count;
	load.target = 0;
	load.arrived = 0;
	load.error = 0;
	reinit_completion(&load.done);
	if (way->far)
		complete(&load.go);
}

/* Node 2 ends by itself, if only because nothing comes any more. */
static int end(int err)
{
	if (load.way->far)
		wait_for_completion(&load.done);
	if (!err && load.arrived != load.count)
		err = -EBADMSG;
	return load.error ?: err;
}

/* Instructions without effect, by which bench/profile/count.c knows what is timed. */
static inline void mark_begin(void)
{
	asm volatile("xchg %%bx, %%bx" : : : "memory");
}

static inline void mark_end(void)
{
	asm volatile("xchg %%cx, %%cx" : : : "memory");
}

static bool ends_at_node_1(const struct way *way)
{
	return way->work == PING_PONG || way->work == CALL_ANSWER;
}

/**
 * load_run() - time operations in a row
 * @way: how they are done
 * @size: bytes of each message
 * @count: how many
 * @ns: set to what they took together
 *
 * A few more are done before the clock starts, without a pause in between.
 */
int load_run(const struct way *way, size_t size, u32 count, u64 *ns)
{
	u32 warm_up = count / 4 + 1;
	u64 start;
	int err;

	begin(way, size, warm_up + count);
	err = near_half(warm_up) ?: wait_for_all();
	start = ktime_get_ns();
	mark_begin();
	if (!err)
		err = near_half(count);
	if (!err && !ends_at_node_1(way))
		err = wait_for_all();
	mark_end();
	*ns = ktime_get_ns() - start;
	if (!err)
		err = wait_for_all();
	return end(err);
}

/**
 * load_check() - see that one message arrives as it was sent, and its echo too
 * @way: how
 * @size: bytes of the message
 *
 * What is sent is new each time, and where it goes is overwritten before.
 */
int load_check(const struct way *way, size_t size)
{
	int err;

	get_random_bytes(load.data, size);
	memset(load.echo, POISON, LOAD_MAX);
	memset(load.room, POISON, LOAD_MAX);
	bench_checking = true;
	begin(way, size, 1);
	err = near_half(1) ?: wait_for_all();
	err = end(err);
	bench_checking = false;
	if (!err && way->work == PING_PONG &&
	    memcmp(load.echo, load.data, size))
		err = -EBADMSG;
	return err;
}

static void free_buffers(void)
{
	if (load.data)
		free_pages_exact(load.data, LOAD_MAX);
	if (load.echo)
		free_pages_exact(load.echo, LOAD_MAX);
	if (load.room)
		free_pages_exact(load.room, LOAD_MAX);
}

int load_init(void)
{
	init_waitqueue_head(&load.all_arrived);
	init_completion(&load.go);
	init_completion(&load.done);
	load.data = alloc_pages_exact(LOAD_MAX, GFP_KERNEL);
	load.echo = alloc_pages_exact(LOAD_MAX, GFP_KERNEL);
	load.room = alloc_pages_exact(LOAD_MAX, GFP_KERNEL);
	load.far = ERR_PTR(-ENOMEM);
	if (load.data && load.echo && load.room)
		load.far = kthread_run(far_thread, NULL, "ccm_bench");
	if (!IS_ERR(load.far))
		return 0;
	free_buffers();
	return PTR_ERR(load.far);
}

void load_exit(void)
{
	complete(&load.go); /* kthread_stop() alone does not end that wait */
	kthread_stop(load.far);
	free_buffers();
}
