/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The events of trace system ccm. Read more than once, hence its odd guard.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ccm

#if !defined(CCM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define CCM_TRACE_H

#include <linux/tracepoint.h>

#include "kernel.h"

/* So that trace-cmd and perf know the values. */
TRACE_DEFINE_ENUM(CCM_STATE_DOWN);
TRACE_DEFINE_ENUM(CCM_STATE_CONNECTING);
TRACE_DEFINE_ENUM(CCM_STATE_UP);
TRACE_DEFINE_ENUM(CCM_STATE_SUSPECT);
TRACE_DEFINE_ENUM(CCM_STATE_STALLED);
TRACE_DEFINE_ENUM(CCM_STATE_CLOSING);

TRACE_DEFINE_ENUM(CCM_REASON_NONE);
TRACE_DEFINE_ENUM(CCM_REASON_ADMIN);
TRACE_DEFINE_ENUM(CCM_REASON_GOODBYE);
TRACE_DEFINE_ENUM(CCM_REASON_BROKEN);
TRACE_DEFINE_ENUM(CCM_REASON_FAILED);
TRACE_DEFINE_ENUM(CCM_REASON_LATE);
TRACE_DEFINE_ENUM(CCM_REASON_REPLACED);
TRACE_DEFINE_ENUM(CCM_REASON_PROTOCOL);
TRACE_DEFINE_ENUM(CCM_REASON_URGENT);
TRACE_DEFINE_ENUM(CCM_REASON_STRANGER);
TRACE_DEFINE_ENUM(CCM_REASON_CLUSTER);
TRACE_DEFINE_ENUM(CCM_REASON_VERSION);
TRACE_DEFINE_ENUM(CCM_REASON_UNWANTED);
TRACE_DEFINE_ENUM(CCM_REASON_CROWDED);
TRACE_DEFINE_ENUM(CCM_REASON_SILENT);
TRACE_DEFINE_ENUM(CCM_REASON_PROOF);
TRACE_DEFINE_ENUM(CCM_REASON_KEYLESS);
TRACE_DEFINE_ENUM(CCM_REASON_TAKEN);
TRACE_DEFINE_ENUM(CCM_REASON_CLAIMED);
TRACE_DEFINE_ENUM(CCM_REASON_PATH);

#define show_state(value)						\
	__print_symbolic(value,						\
		{ CCM_STATE_DOWN, "down" },				\
		{ CCM_STATE_CONNECTING, "connecting" },			\
		{ CCM_STATE_UP, "up" },					\
		{ CCM_STATE_SUSPECT, "suspect" },			\
		{ CCM_STATE_STALLED, "stalled" },			\
		{ CCM_STATE_CLOSING, "closing" })

#define show_reason(value)						\
	__print_symbolic(value,						\
		{ CCM_REASON_NONE, "none" },				\
		{ CCM_REASON_ADMIN, "admin" },				\
		{ CCM_REASON_GOODBYE, "goodbye" },			\
		{ CCM_REASON_BROKEN, "broken" },			\
		{ CCM_REASON_FAILED, "failed" },			\
		{ CCM_REASON_LATE, "late" },				\
		{ CCM_REASON_REPLACED, "replaced" },			\
		{ CCM_REASON_PROTOCOL, "protocol" },			\
		{ CCM_REASON_URGENT, "urgent" },			\
		{ CCM_REASON_STRANGER, "stranger" },			\
		{ CCM_REASON_CLUSTER, "cluster" },			\
		{ CCM_REASON_VERSION, "version" },			\
		{ CCM_REASON_UNWANTED, "unwanted" },			\
		{ CCM_REASON_CROWDED, "crowded" },			\
		{ CCM_REASON_SILENT, "silent" },			\
		{ CCM_REASON_PROOF, "proof" },				\
		{ CCM_REASON_KEYLESS, "keyless" },			\
		{ CCM_REASON_TAKEN, "taken" },				\
		{ CCM_REASON_CLAIMED, "claimed" },			\
		{ CCM_REASON_PATH, "path" })

DECLARE_EVENT_CLASS(ccm_message,
	TP_PROTO(u32 me, const struct ccm_msg *msg, int result),
	TP_ARGS(me, msg, result),
	TP_STRUCT__entry(
		__field(u32, me)
		__field(u32, node)
		__field(u32, module)
		__field(u32, type)
		__field(u32, seqn)
		__field(size_t, size)
		__field(int, result)
	),
	TP_fast_assign(
		__entry->me = me;
		__entry->node = msg->node;
		__entry->module = msg->module;
		__entry->type = msg->type;
		__entry->seqn = msg->seqn;
		__entry->size = msg->size;
		__entry->result = result;
	),
	TP_printk("me=%u node=%d module=%u type=%u seqn=%u size=%zu result=%d",
		  __entry->me, (int)__entry->node, __entry->module,
		  __entry->type, __entry->seqn, __entry->size, __entry->result)
);

DEFINE_EVENT(ccm_message, ccm_send,
	TP_PROTO(u32 me, const struct ccm_msg *msg, int result),
	TP_ARGS(me, msg, result)
);

DEFINE_EVENT(ccm_message, ccm_receive,
	TP_PROTO(u32 me, const struct ccm_msg *msg, int result),
	TP_ARGS(me, msg, result)
);

TRACE_EVENT(ccm_call,
	TP_PROTO(u32 me, u32 from, u32 module, u32 function, u32 seqn,
		 bool on_thread, int error, int result),
	TP_ARGS(me, from, module, function, seqn, on_thread, error, result),
	TP_STRUCT__entry(
		__field(u32, me)
		__field(u32, from)
		__field(u32, module)
		__field(u32, function)
		__field(u32, seqn)
		__field(bool, on_thread)
		__field(int, error)
		__field(int, result)
	),
	TP_fast_assign(
		__entry->me = me;
		__entry->from = from;
		__entry->module = module;
		__entry->function = function;
		__entry->seqn = seqn;
		__entry->on_thread = on_thread;
		__entry->error = error;
		__entry->result = result;
	),
	TP_printk("me=%u from=%u module=%u function=%u seqn=%u %s error=%d result=%d",
		  __entry->me, __entry->from, __entry->module,
		  __entry->function, __entry->seqn,
		  __entry->on_thread ? "long" : "short", __entry->error,
		  __entry->result)
);

TRACE_EVENT(ccm_deliver,
	TP_PROTO(u32 me, const struct ccm_msg *msg, bool posted),
	TP_ARGS(me, msg, posted),
	TP_STRUCT__entry(
		__field(u32, me)
		__field(u32, node)
		__field(u32, module)
		__field(u32, type)
		__field(u32, seqn)
		__field(size_t, size)
		__field(bool, posted)
	),
	TP_fast_assign(
		__entry->me = me;
		__entry->node = msg->node;
		__entry->module = msg->module;
		__entry->type = msg->type;
		__entry->seqn = msg->seqn;
		__entry->size = msg->size;
		__entry->posted = posted;
	),
	TP_printk("me=%u node=%u module=%u type=%u seqn=%u size=%zu %s",
		  __entry->me, __entry->node, __entry->module, __entry->type,
		  __entry->seqn, __entry->size,
		  __entry->posted ? "posted" : "queued")
);

TRACE_EVENT(ccm_state,
	TP_PROTO(u32 me, u32 peer, enum ccm_state from, enum ccm_state to,
		 enum ccm_reason reason),
	TP_ARGS(me, peer, from, to, reason),
	TP_STRUCT__entry(
		__field(u32, me)
		__field(u32, peer)
		__field(int, from)
		__field(int, to)
		__field(int, reason)
	),
	TP_fast_assign(
		__entry->me = me;
		__entry->peer = peer;
		__entry->from = from;
		__entry->to = to;
		__entry->reason = reason;
	),
	TP_printk("me=%u peer=%u %s -> %s (%s)", __entry->me, __entry->peer,
		  show_state(__entry->from), show_state(__entry->to),
		  show_reason(__entry->reason))
);

#endif /* CCM_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
