// SPDX-License-Identifier: GPL-2.0
/*
 * Tracepoints, and warnings.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/net.h>
#include <linux/printk.h>

#include "kernel.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

void ccm_warn(const char *format, ...)
{
	struct va_format message = { .fmt = format };
	va_list args;

	if (!net_ratelimit())
		return;
	va_start(args, format);
	message.va = &args;
	pr_warn("%pV\n", &message);
	va_end(args);
}

void ccm_trace_send(u32 me, const struct ccm_msg *msg, int result)
{
	trace_ccm_send(me, msg, result);
}

void ccm_trace_receive(u32 me, const struct ccm_msg *msg, int result)
{
	trace_ccm_receive(me, msg, result);
}

void ccm_trace_deliver(u32 me, const struct ccm_msg *msg, bool posted)
{
	trace_ccm_deliver(me, msg, posted);
}

void ccm_trace_call(u32 me, u32 from, u32 module, u32 function, u32 seqn,
		    bool on_thread, int error, int result)
{
	trace_ccm_call(me, from, module, function, seqn, on_thread, error,
		       result);
}

void ccm_trace_state(u32 me, u32 peer, enum ccm_state from, enum ccm_state to,
		     enum ccm_reason reason)
{
	trace_ccm_state(me, peer, from, to, reason);
}
