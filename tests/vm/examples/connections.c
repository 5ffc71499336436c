// SPDX-License-Identifier: GPL-2.0
#include <linux/notifier.h>
#include <net/net_namespace.h>

#include "examples.h"

/* As long as it is not down. */
static bool is_up(struct net *net, u32 node)
{
	struct ccm_msg msg = { .node = node, .module = CCM_MODULE_MAX };

	return CCM_bsend(net, &msg, CCM_NOWAIT, 0) == 0;
}

static int run_connect(struct net *net, u32 node)
{
#include "connect.inc"

	EXPECT(err == 0);
	EXPECT(is_up(net, node));
	return 0;
}

/* On the lower of two nodes: the other one still lets it in. */
static int run_close(struct net *net, u32 node)
{
#include "close.inc"

	EXPECT(err == 0);
	EXPECT(!is_up(net, node));
	return run_connect(net, node);
}

static int find_number(struct net *net)
{
#include "node.inc"

	return me;
}

/* Of nodes 1 and 2. */
static int run_node(struct net *net, u32 node)
{
	EXPECT(find_number(net) == 3 - node);
	EXPECT(find_number(&init_net) == -ENOTCONN || net_eq(net, &init_net));
	return 0;
}

#include "watch.inc"

/* What it is told, KUnit looks at. */
static int run_watch(struct net *net, u32 node)
{
	EXPECT(my_watch_begin(net) == 0);
	EXPECT(my_watch_end(net) == 0);
	EXPECT(my_watch_end(net) == -ENOENT);
	return 0;
}

const struct chapter connections = {
	.examples = (const struct example[]){
		{ "connect", run_connect },
		{ "node", run_node },
		{ "watch", run_watch },
		{ "close", run_close },
		{}
	},
};
