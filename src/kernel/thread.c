// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting, and threads that do it.
 */
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/spinlock.h>

#include "kernel.h"

struct ccm_thread {
	struct task_struct *task; /* a reference: it may end before its stop */
	int (*run)(void *arg);
	void *arg;
	bool interrupted;
};

void ccm_waitq_init(struct ccm_waitq *queue)
{
	init_waitqueue_head(&queue->head);
}

void ccm_wake(struct ccm_waitq *queue)
{
	wake_up_all(&queue->head);
}

static int thread_main(void *data);

/* Why the caller should not go on waiting: signal, or stop of its thread. */
static int interruption(void)
{
	struct ccm_thread *mine = ccm_thread_mine();

	if (mine && READ_ONCE(mine->interrupted))
		return -ECANCELED;
	if ((current->flags & PF_KTHREAD) && kthread_should_stop())
		return -EINTR;
	if (signal_pending(current))
		return -ERESTARTSYS;
	return 0;
}

/* queue: NULL if whoever wakes does so by the thread itself. */
static int wait(struct ccm_waitq *queue, bool (*done)(void *arg), void *arg,
		int timeout_ms, unsigned int state)
{
	long left = timeout_ms < 0 ? MAX_SCHEDULE_TIMEOUT :
				     msecs_to_jiffies(timeout_ms);
	int result = 0;
	DEFINE_WAIT(entry);

	for (;;) {
		if (queue)
			prepare_to_wait(&queue->head, &entry, state);
		else
			set_current_state(state);
		if (done(arg))
			break;
		if (state == TASK_INTERRUPTIBLE)
			result = interruption();
		else if (state == TASK_KILLABLE && fatal_signal_pending(current))
			result = -EINTR;
		if (!result && !left)
			result = -ETIMEDOUT;
		if (result)
			break;
		left = schedule_timeout(left);
	}
	if (queue)
		finish_wait(&queue->head, &entry);
	else
		__set_current_state(TASK_RUNNING);
	return result;
}

int ccm_wait(struct ccm_waitq *queue, bool (*done)(void *arg), void *arg,
	     int timeout_ms)
{
	might_sleep();
	return wait(queue, done, arg, timeout_ms, TASK_INTERRUPTIBLE);
}

int ccm_wait_killable(struct ccm_waitq *queue, bool (*done)(void *arg), void *arg)
{
	might_sleep();
	return wait(queue, done, arg, CCM_FOREVER, TASK_KILLABLE);
}

int ccm_wait_idle(struct ccm_waitq *queue, bool (*done)(void *arg), void *arg,
		  int timeout_ms)
{
	might_sleep();
	return wait(queue, done, arg, timeout_ms, TASK_IDLE);
}

struct task_struct *ccm_self(void)
{
	return current;
}

void ccm_self_get(struct task_struct *task)
{
	get_task_struct(task);
}

/* It may have gone on long ago, and sleep elsewhere: everybody looks again who wakes. */
void ccm_self_wake(struct task_struct *task)
{
	wake_up_process(task);
	put_task_struct(task);
}

int ccm_sleep(bool (*done)(void *arg), void *arg, int timeout_ms)
{
	might_sleep();
	return wait(NULL, done, arg, timeout_ms, TASK_INTERRUPTIBLE);
}

int ccm_sleep_idle(bool (*done)(void *arg), void *arg, int timeout_ms)
{
	might_sleep();
	return wait(NULL, done, arg, timeout_ms, TASK_IDLE);
}

/*
 * Nothing that is asked for here, in the kernel's depths too, waits for I/O, which
 * may wait for us.
 */
static int thread_main(void *data)
{
	struct ccm_thread *thread = data;
	unsigned int scope = memalloc_noio_save();
	int result = thread->run(thread->arg);

	memalloc_noio_restore(scope);
	return result;
}

/* Stopped before it first ran, a kthread ends without calling run(). */
struct ccm_thread *ccm_thread_start(int (*run)(void *arg), void *arg,
				    const char *name, u32 number)
{
	struct ccm_thread *thread;

	might_sleep();
	thread = ccm_object_alloc(sizeof(*thread), true);
	if (!thread)
		return NULL;

	thread->run = run;
	thread->arg = arg;
	thread->task = kthread_create(thread_main, thread, "%s/%u", name,
				      number);
	if (IS_ERR(thread->task)) {
		ccm_object_free(thread);
		return NULL;
	}
	get_task_struct(thread->task);
	wake_up_process(thread->task);
	return thread;
}

void ccm_thread_stop(struct ccm_thread *thread)
{
	might_sleep();
	kthread_stop(thread->task);
	put_task_struct(thread->task);
	ccm_object_free(thread);
}

void ccm_yield(void)
{
	might_sleep();
	cond_resched();
}

struct ccm_thread *ccm_thread_mine(void)
{
	if (!in_task() || !(current->flags & PF_KTHREAD) ||
	    kthread_func(current) != thread_main)
		return NULL;
	return kthread_data(current);
}

void ccm_thread_interrupt(struct ccm_thread *thread)
{
	WRITE_ONCE(thread->interrupted, true);
	wake_up_process(thread->task);
}

void ccm_thread_resume(struct ccm_thread *thread)
{
	WRITE_ONCE(thread->interrupted, false);
}

/* Protects the list of all who are busy; there are few. */
static DEFINE_SPINLOCK(busy_lock);
static struct ccm_busy *all_busy;

void ccm_busy_begin(struct ccm_busy *busy)
{
	might_sleep();
	busy->thread = current;
	spin_lock(&busy_lock);
	busy->next = all_busy;
	WRITE_ONCE(all_busy, busy);
	spin_unlock(&busy_lock);
}

void ccm_busy_end(struct ccm_busy *busy)
{
	struct ccm_busy **at = &all_busy;

	spin_lock(&busy_lock);
	while (*at != busy)
		at = &(*at)->next;
	WRITE_ONCE(*at, busy->next);
	spin_unlock(&busy_lock);
}

/* If nobody is busy neither is this thread: that needs no lock. */
bool ccm_thread_may_wait(void)
{
	const struct ccm_busy *busy;

	if (!in_task() || !READ_ONCE(all_busy))
		return true;
	spin_lock(&busy_lock);
	for (busy = all_busy; busy; busy = busy->next)
		if (busy->thread == current)
			break;
	spin_unlock(&busy_lock);
	return !busy;
}
