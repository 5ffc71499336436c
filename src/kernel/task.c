// SPDX-License-Identifier: GPL-2.0
/*
 * What is done later, behind those who asked for it.
 */
#include <linux/sched/mm.h>
#include <linux/workqueue.h>

#include "kernel.h"
#include "task.h"

/* Not one of the system's: the end of a node may wait for a handler. */
static struct workqueue_struct *tasks;

/* The end of a namespace waits for a task: one thread is always there for them. */
int __init ccm_task_begin(void)
{
	tasks = alloc_workqueue("ccm-task", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return tasks ? 0 : -ENOMEM;
}

void ccm_task_end(void)
{
	destroy_workqueue(tasks);
}

/* It may tell consumers of calls that have ended, as CCM's threads do. */
static void run(struct work_struct *work)
{
	struct ccm_task *task = container_of(work, struct ccm_task, work);
	unsigned int scope = memalloc_noio_save();

	task->run(task->arg);
	memalloc_noio_restore(scope);
}

void ccm_task_init(struct ccm_task *task, void (*what)(void *arg), void *arg)
{
	INIT_WORK(&task->work, run);
	task->run = what;
	task->arg = arg;
}

void ccm_task_start(struct ccm_task *task)
{
	queue_work(tasks, &task->work);
}

void ccm_task_wait(struct ccm_task *task)
{
	might_sleep();
	while (flush_work(&task->work))
		;
}
