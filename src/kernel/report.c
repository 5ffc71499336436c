// SPDX-License-Identifier: GPL-2.0
/*
 * What happens to a node is told to administrators by netlink, and to modules,
 * as far as it concerns them, by a chain of notifiers for each namespace.
 */
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/notifier.h>
#include <linux/rwsem.h>
#include <linux/sched/mm.h>

#include "kernel.h"
#include "netlink.h"
#include "netns.h"

/* What modules are told; 0: nothing. */
static unsigned long change_of(enum ccm_state state)
{
	switch (state) {
	case CCM_STATE_UP:
		return CCM_PEER_UP;
	case CCM_STATE_SUSPECT:
		return CCM_PEER_SUSPECT;
	case CCM_STATE_STALLED:
		return CCM_PEER_STALLED;
	case CCM_STATE_DOWN:
		return CCM_PEER_DOWN;
	default:
		return 0;
	}
}

/* One whose connecting failed was down before. */
void ccm_tell_modules(struct net *net, const struct ccm_event *event)
{
	struct ccm_watchers *watchers = ccm_netns_watchers(net);
	unsigned long change = change_of(event->state);
	struct ccm_peer_news news = {
		.net = net,
		.node = event->node,
		.incarnation = event->incarnation,
	};
	struct ccm_busy busy;

	if (!change || (change == CCM_PEER_DOWN && !event->lost))
		return;
	/* What a notifier calls must not wait: everybody would wait for it. */
	ccm_busy_begin(&busy);
	down_read(&watchers->lock);
	raw_notifier_call_chain(&watchers->chain, change, &news);
	up_read(&watchers->lock);
	ccm_busy_end(&busy);
}

void ccm_report(struct net *net, const struct ccm_event *event)
{
	ccm_netlink_event(net, event);
}

/* Under the lock: no change can be told before what was there. */
static void tell_present(struct net *net, struct ccm_node *node,
			 struct notifier_block *watcher)
{
	struct ccm_peer_info peer = {};
	struct ccm_peer_news news = { .net = net };
	u32 from = 1;

	while (!ccm_core_peer_info(node, from, &peer)) {
		unsigned long change = change_of(peer.state);

		from = peer.config.number + 1;
		if (peer.self || !change || change == CCM_PEER_DOWN)
			continue;
		news.node = peer.config.number;
		news.incarnation = change == CCM_PEER_UP ? peer.incarnation : 0;
		watcher->notifier_call(watcher, change, &news);
	}
}

int CCM_register_notifier(struct net *net, struct notifier_block *watcher)
{
	struct ccm_watchers *watchers;
	struct ccm_node *node;
	struct ccm_busy busy;
	unsigned int scope;
	int result;

	might_sleep();
	if (!net || !watcher || !watcher->notifier_call)
		return -EINVAL;
	if (!ccm_thread_may_wait())
		return -EDEADLK;
	node = ccm_netns_node(net);
	if (!node)
		return -ESHUTDOWN;
	watchers = ccm_netns_watchers(net);
	/* The listener waits for this lock: its holder must not wait for I/O. */
	scope = memalloc_noio_save();
	ccm_busy_begin(&busy);
	down_write(&watchers->lock);
	result = raw_notifier_chain_register(&watchers->chain, watcher);
	if (!result)
		tell_present(net, node, watcher);
	up_write(&watchers->lock);
	ccm_busy_end(&busy);
	memalloc_noio_restore(scope);
	ccm_core_put(node);
	return result;
}
EXPORT_SYMBOL_GPL(CCM_register_notifier);

int CCM_unregister_notifier(struct net *net, struct notifier_block *watcher)
{
	struct ccm_watchers *watchers;
	int result;

	might_sleep();
	if (!net || !watcher)
		return -EINVAL;
	if (!ccm_thread_may_wait())
		return -EDEADLK;
	watchers = ccm_netns_watchers(net);
	if (!watchers)
		return -ESHUTDOWN;
	down_write(&watchers->lock);
	result = raw_notifier_chain_unregister(&watchers->chain, watcher);
	up_write(&watchers->lock);
	return result;
}
EXPORT_SYMBOL_GPL(CCM_unregister_notifier);
