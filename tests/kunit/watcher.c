// SPDX-License-Identifier: GPL-2.0
#include <linux/notifier.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "kernel/kernel.h"
#include "nodes.h"
#include "watcher.h"

#define CHANGES (CCM_PEER_DOWN + 1)

struct ccm_watcher {
	struct notifier_block block;
	struct net *net;
	u32 told[CHANGES][CCM_TEST_NODES + 1];
	u64 incarnation;
	int deadlock;
	int registering; /* the same, told by who registers */
	u32 may_wait; /* how often memory might have waited for I/O */
};

static int hear(struct notifier_block *block, unsigned long change, void *data)
{
	struct ccm_watcher *watcher =
		container_of(block, struct ccm_watcher, block);
	struct ccm_peer_news *news = data;
	struct ccm_msg msg = { .node = CCM_ANY_NODE, .module = 1 };

	if (WARN_ON(news->net != watcher->net || change >= CHANGES ||
		    news->node > CCM_TEST_NODES))
		return NOTIFY_DONE;
	if (!ccm_test_avoids_io())
		WRITE_ONCE(watcher->may_wait, watcher->may_wait + 1);
	if (change == CCM_PEER_UP)
		WRITE_ONCE(watcher->incarnation, news->incarnation);
	if (ccm_thread_mine())
		WRITE_ONCE(watcher->deadlock,
			   CCM_brecv(news->net, &msg, 0, 1000));
	else
		watcher->registering = CCM_unregister_notifier(news->net,
							       block);
	WRITE_ONCE(watcher->told[change][news->node],
		   watcher->told[change][news->node] + 1);
	return NOTIFY_OK;
}

struct ccm_watcher *ccm_watcher_start(struct net *net)
{
	struct ccm_watcher *watcher = kzalloc(sizeof(*watcher), GFP_KERNEL);

	if (!watcher)
		return NULL;
	watcher->net = net;
	watcher->block.notifier_call = hear;
	if (!CCM_register_notifier(net, &watcher->block))
		return watcher;
	kfree(watcher);
	return NULL;
}

int ccm_watcher_stop(struct ccm_watcher *watcher)
{
	int result = CCM_unregister_notifier(watcher->net, &watcher->block);

	kfree(watcher);
	return result;
}

u32 ccm_watcher_told(const struct ccm_watcher *watcher, unsigned long change,
		     u32 node)
{
	return READ_ONCE(watcher->told[change][node]);
}

u64 ccm_watcher_incarnation(const struct ccm_watcher *watcher)
{
	return READ_ONCE(watcher->incarnation);
}

int ccm_watcher_deadlock(const struct ccm_watcher *watcher)
{
	return READ_ONCE(watcher->deadlock);
}

u32 ccm_watcher_may_wait(const struct ccm_watcher *watcher)
{
	return READ_ONCE(watcher->may_wait);
}

/* A namespace in which nobody has a part yet, as a subsystem's init sees one. */
int ccm_watcher_too_early(void)
{
	size_t parts = init_net.gen->s.len;
	struct notifier_block block = { .notifier_call = hear };
	struct net_generic *gen;
	struct net *net;
	int result = -ENOMEM;

	net = kvzalloc(sizeof(*net), GFP_KERNEL);
	gen = kzalloc(struct_size(gen, ptr, parts), GFP_KERNEL);
	if (net && gen) {
		gen->s.len = parts;
		rcu_assign_pointer(net->gen, gen);
		result = CCM_unregister_notifier(net, &block);
		if (CCM_register_notifier(net, &block) != result)
			result = -EINVAL;
	}
	kfree(gen);
	kvfree(net);
	return result;
}

int ccm_watcher_registering(const struct ccm_watcher *watcher)
{
	return watcher->registering;
}
