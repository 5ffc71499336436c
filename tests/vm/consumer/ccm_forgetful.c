// SPDX-License-Identifier: GPL-2.0
/*
 * ccm_forgetful - a consumer with a bug, for the smoke test: when it is unloaded
 * it neither unregisters nor detaches, where it was loaded.
 */
#include <linux/module.h>
#include <linux/nsproxy.h>
#include <linux/sched.h>

#include <ccm/ccm.h>

#include "forgetful.h"

static int handle(struct ccm_args *args, u32 seqn)
{
	return FORGETFUL_RESULT;
}

/* Inside CCM, for a message that never comes. */
static int wait_for_ever(struct ccm_args *args, u32 seqn)
{
	struct ccm_msg msg = { .node = CCM_ANY_NODE, .module = FORGETFUL_MODULE };

	return CCM_brecv(args->net, &msg, CCM_NOSEQ, CCM_FOREVER);
}

static int __init forgetful_init(void)
{
	struct net *net = current->nsproxy->net_ns;
	int err = CCM_attach(net, FORGETFUL_MODULE, NULL);

	if (err)
		return err;
	err = CCM_regist(net, FORGETFUL_MODULE, FORGETFUL_FUNCTION, CCM_SHORT,
			 handle, NULL) ?:
	      CCM_regist(net, FORGETFUL_MODULE, FORGETFUL_WAITS, CCM_LONG,
			 wait_for_ever, NULL);
	if (err)
		CCM_detach(net, FORGETFUL_MODULE);
	return err;
}

static void __exit forgetful_exit(void)
{
}

module_init(forgetful_init);
module_exit(forgetful_exit);
MODULE_DESCRIPTION("CCM's smoke test: a consumer that does not clean up");
MODULE_LICENSE("GPL");
