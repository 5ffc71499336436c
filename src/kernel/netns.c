// SPDX-License-Identifier: GPL-2.0
/*
 * One node for each network namespace.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/user_namespace.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "kernel.h"
#include "netns.h"

static bool userns;
module_param(userns, bool, 0644);
MODULE_PARM_DESC(userns,
		 "let network namespaces of other user namespaces be nodes");

struct ccm_netns {
	struct ccm_node __rcu *node;
	struct ccm_node *leaving; /* found by nobody any more */
	struct ccm_watchers watchers;
	u32 manager; /* netlink port of who manages the node; 0: nobody */
	struct net *net;
	struct ccm_node *whole; /* a reference, while in the list */
	struct list_head parts;
};

static unsigned int netns_id;

/* CCM's parts of all namespaces, those too that are ending. */
static LIST_HEAD(parts);
static DEFINE_MUTEX(parts_lock); /* protects the list */

/* NULL before netns_init(): others' may run first in a new namespace. */
static struct ccm_netns *part_of(const struct net *net)
{
	return net_generic(net, netns_id);
}

/* Whoever may create a user namespace could else create threads and ports. */
bool ccm_netns_may_be_node(const struct net *net)
{
	return userns || net->user_ns == &init_user_ns;
}

static int __net_init netns_init(struct net *net)
{
	struct ccm_netns *netns = part_of(net);
	struct ccm_node *node;

	init_rwsem(&netns->watchers.lock);
	RAW_INIT_NOTIFIER_HEAD(&netns->watchers.chain);
	node = ccm_core_create(net);
	if (!node)
		return -ENOMEM;
	rcu_assign_pointer(netns->node, node);
	netns->net = net;
	netns->whole = node;
	(void)ccm_core_get(node);
	mutex_lock(&parts_lock);
	list_add_tail(&netns->parts, &parts);
	mutex_unlock(&parts_lock);
	return 0;
}

/* When it has ended, nothing of a consumer's runs there any more. */
static void take_off(struct ccm_netns *netns)
{
	mutex_lock(&parts_lock);
	list_del(&netns->parts);
	mutex_unlock(&parts_lock);
	ccm_core_put(netns->whole);
}

/*
 * Consumers, which registered after us, have had their exit, and could still
 * detach in it. Then nobody new finds the nodes; one grace period serves all
 * namespaces that end together, and so does the second in which each says goodbye.
 */
static void __net_exit netns_exit(struct list_head *ending)
{
	unsigned int scope = memalloc_noio_save();
	struct ccm_netns *netns;
	struct net *net;

	list_for_each_entry(net, ending, exit_list) {
		netns = part_of(net);
		netns->leaving = rcu_replace_pointer(netns->node, NULL, true);
	}
	synchronize_rcu();
	list_for_each_entry(net, ending, exit_list) {
		netns = part_of(net);
		if (netns->leaving)
			ccm_core_begin_end(netns->leaving);
	}
	list_for_each_entry(net, ending, exit_list) {
		netns = part_of(net);
		if (!netns->leaving)
			continue;
		ccm_core_destroy(netns->leaving);
		netns->leaving = NULL;
		take_off(netns);
	}
	memalloc_noio_restore(scope);
}

/*
 * A device's operations, not a subsystem's: those exit after the links have
 * gone, and goodbyes could no longer be sent.
 */
static struct pernet_operations netns_ops = {
	.init = netns_init,
	.exit_batch = netns_exit,
	.id = &netns_id,
	.size = sizeof(struct ccm_netns),
};

/*
 * A namespace in which this module has attached something, with a reference unless
 * it is ending; NULL: there is none.
 */
static struct net *find_attached(const struct module *owner, bool *ending)
{
	struct net *found = NULL;
	struct ccm_netns *netns;

	mutex_lock(&parts_lock);
	list_for_each_entry(netns, &parts, parts) {
		if (!ccm_core_has(netns->whole, owner))
			continue;
		found = netns->net;
		*ending = !maybe_get_net(found);
		break;
	}
	mutex_unlock(&parts_lock);
	return found;
}

/* False: the namespace has no node any more, and whoever ends that is at it. */
static bool forget_in(struct net *net, const struct module *owner,
		      u32 *forgotten)
{
	struct ccm_node *node = ccm_netns_node(net);
	unsigned int scope;

	if (node) {
		scope = memalloc_noio_save();
		*forgotten += ccm_core_forget(node, owner);
		memalloc_noio_restore(scope);
		ccm_core_put(node);
	}
	put_net(net);
	return node;
}

/*
 * Its exit has run, its text is still there, and handlers may still run in it. No
 * lock is held while they end. Who ends a namespace waits for those there.
 */
static void forget_module(const struct module *owner)
{
	u32 forgotten = 0;
	struct net *net;
	bool ending;

	while ((net = find_attached(owner, &ending))) {
		if (ending || !forget_in(net, owner, &forgotten))
			msleep(20);
	}
	if (forgotten)
		pr_warn("module %s was unloaded without detaching: done for it\n",
			owner->name);
}

static int module_changes(struct notifier_block *self, unsigned long state,
			  void *module)
{
	if (state == MODULE_STATE_GOING && module != THIS_MODULE)
		forget_module(module);
	return NOTIFY_DONE;
}

static struct notifier_block module_notifier = {
	.notifier_call = module_changes,
};

int ccm_netns_init(void)
{
	int result = register_pernet_device(&netns_ops);

	if (result)
		return result;
	result = register_module_notifier(&module_notifier);
	if (result)
		unregister_pernet_device(&netns_ops);
	return result;
}

void ccm_netns_exit(void)
{
	unregister_module_notifier(&module_notifier);
	unregister_pernet_device(&netns_ops);
}

struct ccm_watchers *ccm_netns_watchers(struct net *net)
{
	struct ccm_netns *netns = part_of(net);

	return netns ? &netns->watchers : NULL;
}

bool ccm_netns_hold(struct net *net, u32 port)
{
	struct ccm_netns *netns = part_of(net);
	u32 before = cmpxchg(&netns->manager, 0, port);

	return before == 0 || before == port;
}

void ccm_netns_let_go(struct net *net, u32 port)
{
	struct ccm_netns *netns = part_of(net);

	cmpxchg(&netns->manager, port, 0);
}

bool ccm_netns_is_held(struct net *net)
{
	struct ccm_netns *netns = part_of(net);

	return READ_ONCE(netns->manager);
}

struct ccm_node *ccm_netns_node(struct net *net)
{
	struct ccm_netns *netns = part_of(net);
	struct ccm_node *node;

	if (!netns)
		return NULL;
	rcu_read_lock();
	node = rcu_dereference(netns->node);
	if (node && !ccm_core_get(node))
		node = NULL;
	rcu_read_unlock();
	return node;
}
