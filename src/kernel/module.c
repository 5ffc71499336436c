// SPDX-License-Identifier: GPL-2.0
/*
 * The module comes and goes.
 */
#include <linux/kmod.h>
#include <linux/module.h>
#include <linux/rcupdate.h>

#include "kernel.h"
#include "netlink.h"
#include "netns.h"
#include "task.h"

/*
 * The listener makes sockets, and would load the module for IPv6, which waits for
 * requests of netlink and for namespaces that end, as both may wait for the listener.
 * Once loaded it stays.
 */
static void load_ipv6(void)
{
	if (IS_MODULE(CONFIG_IPV6))
		request_module("net-pf-10");
}

static int __init ccm_init(void)
{
	int result;

	load_ipv6();
	result = ccm_task_begin();
	if (result)
		return result;
	result = ccm_netns_init();
	if (result)
		goto no_tasks;
	result = ccm_netlink_init();
	if (result)
		goto no_netns;
	return 0;

no_netns:
	ccm_netns_exit();
	synchronize_rcu();
no_tasks:
	ccm_task_end();
	return result;
}

static void __exit ccm_exit(void)
{
	/* No administrator any more, and then no node: its last events are heard. */
	ccm_netlink_close();
	ccm_netns_exit();
	ccm_netlink_exit();
	/* Nobody is left in our text who is there inside RCU alone. */
	synchronize_rcu();
	ccm_task_end();
}

module_init(ccm_init);
module_exit(ccm_exit);

MODULE_AUTHOR("CCM developers");
MODULE_DESCRIPTION("Messages between kernel modules on the nodes of a cluster");
MODULE_LICENSE("GPL");
MODULE_VERSION(CCM_VERSION);
