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

static int __init forgetful_init(void)
{
	struct net *net = current->nsproxy->net_ns;
	int err = CCM_attach(net, FORGETFUL_MODULE, NULL);

	if (err)
		return err;
	err = CCM_regist(net, FORGETFUL_MODULE, FORGETFUL_FUNCTION, CCM_SHORT,
			 handle, NULL);
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
