// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the C++ tests under KUnit, and gives them what only C can reach.
 *
 * The module parameter pids names a process in each test node's network
 * namespace: node N is the N-th.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <net/net_namespace.h>

#include "kernel/kernel.h"
#include "nodes.h"

struct ccm_test;

static int pids[CCM_TEST_NODES];
static int pids_given;
module_param_array(pids, int, &pids_given, 0444);
MODULE_PARM_DESC(pids, "a process in each node's network namespace");

static struct net *nets[CCM_TEST_NODES];

struct net *ccm_test_net(unsigned int node)
{
	return nets[node - 1];
}

/* In insmod's context, which sees the processes. */
static int get_nets(struct kunit_suite *suite)
{
	int i;

	if (pids_given != CCM_TEST_NODES)
		return -EINVAL;
	for (i = 0; i < CCM_TEST_NODES; i++) {
		struct net *net = get_net_ns_by_pid(pids[i]);

		if (IS_ERR(net))
			return PTR_ERR(net);
		nets[i] = net;
	}
	return 0;
}

static void put_nets(struct kunit_suite *suite)
{
	int i;

	for (i = 0; i < CCM_TEST_NODES; i++) {
		if (nets[i])
			put_net(nets[i]);
		nets[i] = NULL;
	}
}

void ccm_test_fail(struct ccm_test *test, const char *file, int line,
		   const char *what, long long expected, long long actual);
void ccm_test_sleep(unsigned int ms);
void ccm_test_beside(void (*run)(void *arg), void *arg);

void ccm_test_fail(struct ccm_test *failed, const char *file, int line,
		   const char *what, long long expected, long long actual)
{
	struct kunit *test = (struct kunit *)failed;

	KUNIT_FAIL(test, "%s:%d: %s: expected %lld, is %lld\n",
		   kbasename(file), line, what, expected, actual);
}

void ccm_test_sleep(unsigned int ms)
{
	msleep(ms);
}

struct beside {
	void (*run)(void *arg);
	void *arg;
	struct completion done;
};

static int run_beside(void *data)
{
	struct beside *beside = data;

	beside->run(beside->arg);
	complete(&beside->done);
	return 0;
}

void ccm_test_beside(void (*run)(void *arg), void *arg)
{
	struct beside beside = { .run = run, .arg = arg };
	struct task_struct *thread;

	init_completion(&beside.done);
	thread = kthread_run(run_beside, &beside, "beside");
	if (!WARN_ON(IS_ERR(thread)))
		wait_for_completion(&beside.done);
}

struct module *ccm_test_module(void)
{
	return THIS_MODULE;
}

int ccm_test_module_users(void)
{
	return module_refcount(THIS_MODULE);
}

void ccm_test_atomic_begin(void)
{
	local_irq_disable();
}

void ccm_test_atomic_end(void)
{
	local_irq_enable();
}

bool ccm_test_avoids_io(void)
{
	return current->flags & PF_MEMALLOC_NOIO;
}

unsigned int ccm_test_avoid_io(void)
{
	return memalloc_noio_save();
}

void ccm_test_avoid_io_end(unsigned int before)
{
	memalloc_noio_restore(before);
}

void *ccm_test_me(void)
{
	allow_signal(SIGINT);
	return current;
}

void ccm_test_signal(void *thread)
{
	send_sig(SIGINT, thread, 1);
}

/* Each case is a function of C++, called by one of C. */
#define CCM_SUITE(suite)
#define CCM_SUITE_END(suite)
#define CCM_CASE(suite, name)                                                \
	void ccm_##suite##_##name(struct ccm_test *test);                    \
	static void run_##suite##_##name(struct kunit *test)                 \
	{                                                                    \
		ccm_##suite##_##name((struct ccm_test *)test);               \
	}
#include "cases.h"
#undef CCM_SUITE
#undef CCM_SUITE_END
#undef CCM_CASE

#define CCM_SUITE(suite) static struct kunit_case cases_##suite[] = {
#define CCM_CASE(suite, case_name)                                           \
	{ .run_case = run_##suite##_##case_name, .name = #case_name },
#define CCM_SUITE_END(suite)                                                 \
		{}                                                           \
	};                                                                   \
	static struct kunit_suite suite_##suite = {                          \
		.name = #suite,                                              \
		.suite_init = get_nets,                                      \
		.suite_exit = put_nets,                                      \
		.test_cases = cases_##suite,                                 \
	};                                                                   \
	kunit_test_suite(suite_##suite);
#include "cases.h"
