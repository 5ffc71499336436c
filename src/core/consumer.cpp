// SPDX-License-Identifier: GPL-2.0
// What a consumer is: its number, and the functions that it registers.
#include "core/caller.hpp"
#include "core/numbers.hpp"

using namespace ccm;

int ccm_core_number(ccm_node *node)
{
	u32 number = node->number();

	return number ? static_cast<int>(number) : -ENOTCONN;
}

int ccm_core_attach(ccm_node *node, u32 module, const ccm_limits *limits,
		    struct ::module *owner)
{
	ccm_limits wanted = limits ? *limits : ccm_limits{0, 0};

	if (wanted.max_size == 0)
		wanted.max_size = CCM_SIZE_DEFAULT;
	if (wanted.window == 0)
		wanted.window = CCM_WINDOW_DEFAULT;
	if (!is_module(module) || wanted.max_size > CCM_SIZE_MAX ||
	    wanted.window > CCM_WINDOW_MAX)
		return -EINVAL;
	if (!may_wait().ok())
		return -EDEADLK;
	if (wanted.window < charge_of(wanted.max_size))
		wanted.window = static_cast<u32>(charge_of(wanted.max_size));
	return node->attach(module, wanted, owner).code();
}

int ccm_core_detach(ccm_node *node, u32 module)
{
	if (!is_module(module))
		return -EINVAL;
	if (!may_wait().ok())
		return -EDEADLK;
	return node->detach(module).code();
}

static Status regist(Node &node, u32 module, u32 function,
		     ccm_handler_kind kind, ccm_handler handler, void *context)
{
	if (!is_module(module) || !handler ||
	    (kind != CCM_SHORT && kind != CCM_LONG))
		return fail(EINVAL);
	Mailbox *mailbox = node.mailboxes.get(module);
	if (!mailbox)
		return fail(ENOENT);
	TRY(mailbox->enter());
	Handler *made = create<Handler>(MaySleep::Yes, function, kind, handler,
					context);
	Status added = made ? mailbox->handlers.add(made)
			    : Status(fail(ENOMEM));
	if (!added.ok())
		destroy(made);
	mailbox->leave();
	return added;
}

int ccm_core_regist(ccm_node *node, u32 module, u32 function,
		    ccm_handler_kind kind, ccm_handler handler, void *context)
{
	return regist(*node, module, function, kind, handler, context).code();
}

int ccm_core_unregist(ccm_node *node, u32 module, u32 function)
{
	if (!is_module(module))
		return -EINVAL;
	if (!may_wait().ok())
		return -EDEADLK;
	return node->unregist(module, function).code();
}

int ccm_core_consumer_info(ccm_node *node, u32 from, ccm_consumer_info *out)
{
	Mailbox *mailbox = node->mailboxes.from(from);

	if (!mailbox)
		return -ENOENT;
	mailbox->report(*out);
	return 0;
}

int ccm_core_handler_info(ccm_node *node, ccm_cursor *at, ccm_handler_info *out)
{
	return node->report_handler(*at, *out) ? 0 : -ENOENT;
}

bool ccm_core_has(ccm_node *node, const struct ::module *owner)
{
	return node->has(owner);
}

u32 ccm_core_forget(ccm_node *node, const struct ::module *owner)
{
	return node->forget(owner);
}
