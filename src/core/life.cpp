// SPDX-License-Identifier: GPL-2.0
// A namespace's node, from its making to its end.
#include "core/listener.hpp"
#include "core/node.hpp"

using namespace ccm;

ccm_node *ccm_core_create(struct net *net)
{
	return create<ccm_node>(MaySleep::Yes, net);
}

void ccm_core_begin_end(ccm_node *node)
{
	node->begin_end();
}

void ccm_core_destroy(ccm_node *node)
{
	node->destroy();
	ccm_core_put(node);
}

bool ccm_core_get(ccm_node *node)
{
	return node->count.get_live();
}

void ccm_core_put(ccm_node *node)
{
	if (node->count.put())
		destroy(node);
}

void ccm_core_ready(void *owner, unsigned int what)
{
	Work *work = static_cast<Work *>(owner);

	work->listener->mark(*work, what);
}
