// SPDX-License-Identifier: GPL-2.0
#include <net/net_namespace.h>

#include "examples.h"

enum { MY_MODULE = 20 };

#include "net-ops.inc"

/* Their init has run in this namespace. */
static int run_net_ops(struct net *net, u32 node)
{
	EXPECT(CCM_attach(net, MY_MODULE, NULL) == -EBUSY);
	return 0;
}

static char data[(256 << 10) + 64];

static int send_to_itself(struct net *net, u32 module, size_t size)
{
	struct ccm_msg msg = {
		.node = CCM_node(net),
		.module = module,
		.size = size,
		.data = data,
	};

	return CCM_bsend(net, &msg, 0, SOON);
}

static int run_attach(struct net *net, u32 node)
{
	enum { MY_MODULE = 21 };
#include "attach.inc"

	EXPECT(err == 0);
	EXPECT(send_to_itself(net, MY_MODULE, limits.max_size) == 0);
	EXPECT(send_to_itself(net, MY_MODULE, limits.max_size + 1) == -EMSGSIZE);
	EXPECT(CCM_detach(net, MY_MODULE) == 0);
	return 0;
}

const struct chapter attaching = {
	.ops = &my_net_ops,
	.examples = (const struct example[]){
		{ "net-ops", run_net_ops },
		{ "attach", run_attach },
		{}
	},
};
