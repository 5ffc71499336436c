// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of ccm.h: find the namespace's node and pass the call on.
 */
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/string.h>

#include "kernel.h"
#include "netns.h"
#include "support/errno_list.h"

/* The core includes no kernel header: what it returns is the same errors. */
#define CHECK(name, value) static_assert(name == (value));
CCM_ERRNO_LIST(CHECK)
#undef CHECK

/* ccm_core_NAME(node, ...) with the node of net. */
#define CALL(net, name, ...)						\
({									\
	struct ccm_node *node__ = ccm_netns_node(net);			\
	int result__ = -ESHUTDOWN;					\
									\
	if (node__) {							\
		result__ = ccm_core_##name(node__, ##__VA_ARGS__);	\
		ccm_core_put(node__);					\
	}								\
	result__;							\
})

/*
 * The same where it may sleep: what the kernel allocates for it, as sockets do, must
 * not wait for I/O that waits for CCM. The caller may be in such a scope already.
 */
#define PASS_ON(net, name, ...)						\
({									\
	unsigned int scope__ = memalloc_noio_save();			\
	int answer__ = CALL(net, name, ##__VA_ARGS__);			\
									\
	memalloc_noio_restore(scope__);					\
	answer__;							\
})

/*
 * The same where nothing may sleep. Inside RCU the namespace keeps its own
 * reference, so the one given back here is never the last.
 */
#define PASS_ON_ATOMIC(net, name, ...)					\
({									\
	int answer__;							\
									\
	rcu_read_lock();						\
	answer__ = CALL(net, name, ##__VA_ARGS__);			\
	rcu_read_unlock();						\
	answer__;							\
})

int ccm_attach_owner(struct net *net, u32 module,
		     const struct ccm_limits *limits, struct module *owner)
{
	might_sleep();
	if (!net)
		return -EINVAL;
	return PASS_ON(net, attach, module, limits, owner);
}
EXPORT_SYMBOL_GPL(ccm_attach_owner);

int CCM_detach(struct net *net, u32 module)
{
	might_sleep();
	if (!net)
		return -EINVAL;
	return PASS_ON(net, detach, module);
}
EXPORT_SYMBOL_GPL(CCM_detach);

int CCM_bsend(struct net *net, const struct ccm_msg *msg, unsigned int flags,
	      int timeout_ms)
{
	might_sleep_if(!(flags & CCM_NOWAIT));
	if (!net || !msg)
		return -EINVAL;
	if (flags & CCM_NOWAIT)
		return PASS_ON_ATOMIC(net, send, msg, flags, 0);
	return PASS_ON(net, send, msg, flags, timeout_ms);
}
EXPORT_SYMBOL_GPL(CCM_bsend);

int CCM_brecv(struct net *net, struct ccm_msg *msg, unsigned int flags,
	      int timeout_ms)
{
	might_sleep();
	if (!net || !msg)
		return -EINVAL;
	return PASS_ON(net, receive, msg, flags, timeout_ms);
}
EXPORT_SYMBOL_GPL(CCM_brecv);

int CCM_arecv(struct net *net, struct ccm_msg *msg, unsigned int flags)
{
	if (!net || !msg)
		return -EINVAL;
	return PASS_ON(net, receive, msg, flags, 0);
}
EXPORT_SYMBOL_GPL(CCM_arecv);

int CCM_cancel(struct net *net, const struct ccm_msg *msg, unsigned int flags)
{
	if (!net || !msg)
		return -EINVAL;
	return PASS_ON_ATOMIC(net, cancel, msg, flags);
}
EXPORT_SYMBOL_GPL(CCM_cancel);

void CCM_free(struct ccm_msg *msg)
{
	if (!msg || !msg->data)
		return;
	ccm_core_message_free(msg->data);
	msg->data = NULL;
}
EXPORT_SYMBOL_GPL(CCM_free);

int CCM_Connect_to(struct net *net, u32 node, int timeout_ms)
{
	might_sleep();
	if (!net)
		return -EINVAL;
	return PASS_ON(net, connect, node, timeout_ms, NULL);
}
EXPORT_SYMBOL_GPL(CCM_Connect_to);

int CCM_Listen_to(struct net *net, u32 node, int timeout_ms)
{
	might_sleep();
	if (!net)
		return -EINVAL;
	return PASS_ON(net, listen, node, timeout_ms, NULL);
}
EXPORT_SYMBOL_GPL(CCM_Listen_to);

int CCM_Close(struct net *net, u32 node, int timeout_ms)
{
	might_sleep();
	if (!net)
		return -EINVAL;
	return PASS_ON(net, close, node, timeout_ms, NULL);
}
EXPORT_SYMBOL_GPL(CCM_Close);

int CCM_node(struct net *net)
{
	if (!net)
		return -EINVAL;
	return PASS_ON_ATOMIC(net, number);
}
EXPORT_SYMBOL_GPL(CCM_node);

int CCM_regist(struct net *net, u32 module, u32 function,
	       enum ccm_handler_kind kind, ccm_handler handler, void *context)
{
	might_sleep();
	if (!net)
		return -EINVAL;
	return PASS_ON(net, regist, module, function, kind, handler, context);
}
EXPORT_SYMBOL_GPL(CCM_regist);

int CCM_unregist(struct net *net, u32 module, u32 function)
{
	might_sleep();
	if (!net)
		return -EINVAL;
	return PASS_ON(net, unregist, module, function);
}
EXPORT_SYMBOL_GPL(CCM_unregist);

/* The core must see the flags that we act on, whatever the caller does. */
static void read_call(struct ccm_call *to, const struct ccm_call *from)
{
	*to = *from;
	barrier();
	might_sleep_if(!(to->flags & CCM_NOWAIT));
}

static int rcall(struct net *net, const struct ccm_call *call, bool on_thread,
		 const struct ccm_arg *args, size_t count)
{
	struct ccm_call mine;

	if (!net || !call)
		return -EINVAL;
	read_call(&mine, call);
	if (mine.flags & CCM_NOWAIT)
		return PASS_ON_ATOMIC(net, rcall, &mine, on_thread, args, count);
	return PASS_ON(net, rcall, &mine, on_thread, args, count);
}

int ccm_rcall_short(struct net *net, const struct ccm_call *call,
		    const struct ccm_arg *args, size_t count)
{
	return rcall(net, call, false, args, count);
}
EXPORT_SYMBOL_GPL(ccm_rcall_short);

int ccm_rcall_long(struct net *net, const struct ccm_call *call,
		   const struct ccm_arg *args, size_t count)
{
	return rcall(net, call, true, args, count);
}
EXPORT_SYMBOL_GPL(ccm_rcall_long);

int ccm_rcall_wait(struct net *net, const struct ccm_call *call,
		   struct ccm_answer *answer, const struct ccm_arg *args,
		   size_t count)
{
	might_sleep();
	if (answer)
		memset(answer, 0, sizeof(*answer));
	if (!net || !call || !answer)
		return -EINVAL;
	return PASS_ON(net, rcall_wait, call, answer, args, count);
}
EXPORT_SYMBOL_GPL(ccm_rcall_wait);

int ccm_rcall_begin(struct net *net, const struct ccm_call *call, ccm_done done,
		    void *context, const struct ccm_arg *args, size_t count)
{
	struct ccm_call mine;

	if (!net || !call)
		return -EINVAL;
	read_call(&mine, call);
	if (mine.flags & CCM_NOWAIT)
		return PASS_ON_ATOMIC(net, rcall_begin, &mine, done, context,
				      args, count);
	return PASS_ON(net, rcall_begin, &mine, done, context, args, count);
}
EXPORT_SYMBOL_GPL(ccm_rcall_begin);

int ccm_answer_with(struct ccm_args *args, const struct ccm_arg *answer,
		    size_t count)
{
	might_sleep();
	return args ? ccm_core_answer_with(args, answer, count) : -EINVAL;
}
EXPORT_SYMBOL_GPL(ccm_answer_with);

void CCM_answer_free(struct ccm_answer *answer)
{
	if (!answer || !answer->message)
		return;
	ccm_core_message_free(answer->message);
	answer->message = NULL;
}
EXPORT_SYMBOL_GPL(CCM_answer_free);

int CCM_get_u32(struct ccm_args *args, u32 *value)
{
	return ccm_core_get_u32(args, value);
}
EXPORT_SYMBOL_GPL(CCM_get_u32);

int CCM_get_u64(struct ccm_args *args, u64 *value)
{
	return ccm_core_get_u64(args, value);
}
EXPORT_SYMBOL_GPL(CCM_get_u64);

int CCM_get_string(struct ccm_args *args, const char **string)
{
	return ccm_core_get_string(args, string);
}
EXPORT_SYMBOL_GPL(CCM_get_string);

int CCM_get_bytes(struct ccm_args *args, const void **data, size_t *size)
{
	return ccm_core_get_bytes(args, data, size);
}
EXPORT_SYMBOL_GPL(CCM_get_bytes);

int CCM_get_end(const struct ccm_args *args)
{
	return ccm_core_get_end(args);
}
EXPORT_SYMBOL_GPL(CCM_get_end);

const char *ccm_module_name(const struct module *owner)
{
	return owner ? owner->name : "";
}
