/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/ccm.yaml */
/* YNL-GEN uapi header */

#ifndef _UAPI_LINUX_CCM_H
#define _UAPI_LINUX_CCM_H

#define CCM_FAMILY_NAME		"ccm"
#define CCM_FAMILY_VERSION	1

#define CCM_PORT_DEFAULT	7403
#define CCM_NODE_MAX		1023
#define CCM_MODULE_MAX		1023
#define CCM_CLUSTER_MAX		31
#define CCM_KEY_NAME_MAX	127
#define CCM_TIMEOUT_DEFAULT	5000
#define CCM_TIMEOUT_MIN		1000
#define CCM_TIMEOUT_MAX		3600000
#define CCM_INTERVAL_MIN	100
#define CCM_LIMIT_DEFAULT	3
#define CCM_LIMIT_MIN		2
#define CCM_LIMIT_MAX		100

/**
 * enum ccm_state - state of a peer, as this node sees it
 * @CCM_STATE_DOWN: not connected
 * @CCM_STATE_CONNECTING: being connected, or in the handshake
 * @CCM_STATE_UP: connected; messages flow
 * @CCM_STATE_SUSPECT: connected; a heartbeat is unanswered, but messages are
 *   still taken
 * @CCM_STATE_STALLED: connected; its machine answers and its listener does
 *   not; messages are still taken
 * @CCM_STATE_CLOSING: what was accepted is being sent, then goodbye
 */
enum ccm_state {
	CCM_STATE_DOWN,
	CCM_STATE_CONNECTING,
	CCM_STATE_UP,
	CCM_STATE_SUSPECT,
	CCM_STATE_STALLED,
	CCM_STATE_CLOSING,
};

/**
 * enum ccm_reason - why a peer is in its state, or why a connection was
 *   refused
 * @CCM_REASON_NONE: nothing to say
 * @CCM_REASON_ADMIN: asked for on this node
 * @CCM_REASON_GOODBYE: the peer said goodbye
 * @CCM_REASON_BROKEN: the connection broke; the error says how
 * @CCM_REASON_FAILED: connecting failed; the error says how
 * @CCM_REASON_LATE: no handshake in time
 * @CCM_REASON_REPLACED: the peer came with a new connection
 * @CCM_REASON_PROTOCOL: the peer broke the protocol
 * @CCM_REASON_URGENT: urgent data on the connection
 * @CCM_REASON_STRANGER: unknown node, or another address than configured
 * @CCM_REASON_CLUSTER: another cluster's name
 * @CCM_REASON_VERSION: another version of the protocol
 * @CCM_REASON_UNWANTED: the peer is known, but not allowed to connect now
 * @CCM_REASON_CROWDED: too many connections without a handshake
 * @CCM_REASON_SILENT: no sign of life for as many intervals as its limit says
 * @CCM_REASON_PROOF: no proof, or a wrong one, of the cluster's key
 * @CCM_REASON_KEYLESS: one of the two nodes has a key, and the other is
 *   insecure
 * @CCM_REASON_TAKEN: something else in this kernel took the connection over
 *   before it was accepted, such as a BPF program with a sockmap
 * @CCM_REASON_CLAIMED: another machine claims the same number, with the
 *   cluster's key
 * @CCM_REASON_PATH: nothing that was sent has arrived for as many intervals as
 *   its limit says, though the peer lives; a path that loses large packets
 *   does this, where a switch has a smaller MTU than the nodes
 */
enum ccm_reason {
	CCM_REASON_NONE,
	CCM_REASON_ADMIN,
	CCM_REASON_GOODBYE,
	CCM_REASON_BROKEN,
	CCM_REASON_FAILED,
	CCM_REASON_LATE,
	CCM_REASON_REPLACED,
	CCM_REASON_PROTOCOL,
	CCM_REASON_URGENT,
	CCM_REASON_STRANGER,
	CCM_REASON_CLUSTER,
	CCM_REASON_VERSION,
	CCM_REASON_UNWANTED,
	CCM_REASON_CROWDED,
	CCM_REASON_SILENT,
	CCM_REASON_PROOF,
	CCM_REASON_KEYLESS,
	CCM_REASON_TAKEN,
	CCM_REASON_CLAIMED,
	CCM_REASON_PATH,
};

/**
 * enum ccm_event_kind - what an event is about
 * @CCM_EVENT_KIND_NODE: this node was configured, or no longer is
 * @CCM_EVENT_KIND_PEER_ADD: a peer was added
 * @CCM_EVENT_KIND_PEER_DELETE: a peer was deleted
 * @CCM_EVENT_KIND_STATE: a peer changed its state
 * @CCM_EVENT_KIND_REFUSED: a connection was refused
 * @CCM_EVENT_KIND_CALL_REFUSED: a call could not run here
 * @CCM_EVENT_KIND_HEARTBEAT: a heartbeat that was asked for has been answered
 * @CCM_EVENT_KIND_POKE: a peer that may not connect asks to be connected to
 * @CCM_EVENT_KIND_KEY: the cluster's key was set
 */
enum ccm_event_kind {
	CCM_EVENT_KIND_NODE,
	CCM_EVENT_KIND_PEER_ADD,
	CCM_EVENT_KIND_PEER_DELETE,
	CCM_EVENT_KIND_STATE,
	CCM_EVENT_KIND_REFUSED,
	CCM_EVENT_KIND_CALL_REFUSED,
	CCM_EVENT_KIND_HEARTBEAT,
	CCM_EVENT_KIND_POKE,
	CCM_EVENT_KIND_KEY,
};

/**
 * enum ccm_call_what - what happens to a call now
 * @CCM_CALL_WHAT_SHORT: its handler runs in the listener
 * @CCM_CALL_WHAT_LONG: its handler runs on a thread
 * @CCM_CALL_WHAT_QUEUED: it waits for a thread
 * @CCM_CALL_WHAT_AWAITED: this node waits for its answer
 */
enum ccm_call_what {
	CCM_CALL_WHAT_SHORT,
	CCM_CALL_WHAT_LONG,
	CCM_CALL_WHAT_QUEUED,
	CCM_CALL_WHAT_AWAITED,
};

/**
 * enum ccm_call_kind - where a handler runs
 * @CCM_CALL_KIND_SHORT: in the listener, unless the caller wants a thread
 * @CCM_CALL_KIND_LONG: on a thread
 */
enum ccm_call_kind {
	CCM_CALL_KIND_SHORT = 1,
	CCM_CALL_KIND_LONG,
};

enum {
	CCM_A_ENDPOINT_IPV4 = 1,
	CCM_A_ENDPOINT_IPV6,
	CCM_A_ENDPOINT_PORT,
	CCM_A_ENDPOINT_SCOPE,

	__CCM_A_ENDPOINT_MAX,
	CCM_A_ENDPOINT_MAX = (__CCM_A_ENDPOINT_MAX - 1)
};

enum {
	CCM_A_NODE_PAD = 1,
	CCM_A_NODE_NUMBER,
	CCM_A_NODE_CLUSTER,
	CCM_A_NODE_LOCAL,
	CCM_A_NODE_INCARNATION,
	CCM_A_NODE_GENERATION,
	CCM_A_NODE_STATS,
	CCM_A_NODE_KEY,
	CCM_A_NODE_INSECURE,
	CCM_A_NODE_KEYED,
	CCM_A_NODE_MANAGED,
	CCM_A_NODE_DELETING,

	__CCM_A_NODE_MAX,
	CCM_A_NODE_MAX = (__CCM_A_NODE_MAX - 1)
};

enum {
	CCM_A_NODE_STATS_PAD = 1,
	CCM_A_NODE_STATS_ACCEPTED,
	CCM_A_NODE_STATS_REFUSED,
	CCM_A_NODE_STATS_STRANGERS,
	CCM_A_NODE_STATS_GARBAGE,
	CCM_A_NODE_STATS_LATE,
	CCM_A_NODE_STATS_CROWDED,
	CCM_A_NODE_STATS_PROOFS,
	CCM_A_NODE_STATS_POKES,

	__CCM_A_NODE_STATS_MAX,
	CCM_A_NODE_STATS_MAX = (__CCM_A_NODE_STATS_MAX - 1)
};

enum {
	CCM_A_PEER_PAD = 1,
	CCM_A_PEER_NUMBER,
	CCM_A_PEER_REMOTE,
	CCM_A_PEER_TIMEOUT,
	CCM_A_PEER_STATE,
	CCM_A_PEER_REASON,
	CCM_A_PEER_ERROR,
	CCM_A_PEER_LISTENING,
	CCM_A_PEER_SELF,
	CCM_A_PEER_SINCE,
	CCM_A_PEER_INCARNATION,
	CCM_A_PEER_QUEUED_OUT,
	CCM_A_PEER_QUEUED_IN,
	CCM_A_PEER_STATS,
	CCM_A_PEER_INTERVAL,
	CCM_A_PEER_LIMIT,
	CCM_A_PEER_RTT,
	CCM_A_PEER_DELETING,

	__CCM_A_PEER_MAX,
	CCM_A_PEER_MAX = (__CCM_A_PEER_MAX - 1)
};

enum {
	CCM_A_PEER_STATS_PAD = 1,
	CCM_A_PEER_STATS_MESSAGES_IN,
	CCM_A_PEER_STATS_MESSAGES_OUT,
	CCM_A_PEER_STATS_BYTES_IN,
	CCM_A_PEER_STATS_BYTES_OUT,
	CCM_A_PEER_STATS_FRAMES_IN,
	CCM_A_PEER_STATS_FRAMES_OUT,
	CCM_A_PEER_STATS_WAITS,
	CCM_A_PEER_STATS_REFUSED,
	CCM_A_PEER_STATS_CONNECTS,
	CCM_A_PEER_STATS_BREAKS,
	CCM_A_PEER_STATS_REPLACED,
	CCM_A_PEER_STATS_GARBAGE,
	CCM_A_PEER_STATS_UNSENT,
	CCM_A_PEER_STATS_UNKNOWN,
	CCM_A_PEER_STATS_NO_MEMORY,
	CCM_A_PEER_STATS_CALLS_IN,
	CCM_A_PEER_STATS_CALLS_OUT,
	CCM_A_PEER_STATS_CALLS_REFUSED,
	CCM_A_PEER_STATS_HEARTBEATS,
	CCM_A_PEER_STATS_MISSED,
	CCM_A_PEER_STATS_DROPPED,

	__CCM_A_PEER_STATS_MAX,
	CCM_A_PEER_STATS_MAX = (__CCM_A_PEER_STATS_MAX - 1)
};

enum {
	CCM_A_CONSUMER_PAD = 1,
	CCM_A_CONSUMER_MODULE,
	CCM_A_CONSUMER_ATTACHED,
	CCM_A_CONSUMER_OWNER,
	CCM_A_CONSUMER_MAX_SIZE,
	CCM_A_CONSUMER_WINDOW,
	CCM_A_CONSUMER_RECEIVERS,
	CCM_A_CONSUMER_MESSAGES,
	CCM_A_CONSUMER_QUEUED,

	__CCM_A_CONSUMER_MAX,
	CCM_A_CONSUMER_MAX = (__CCM_A_CONSUMER_MAX - 1)
};

enum {
	CCM_A_HANDLER_PAD = 1,
	CCM_A_HANDLER_MODULE,
	CCM_A_HANDLER_FUNCTION,
	CCM_A_HANDLER_KIND,
	CCM_A_HANDLER_RUNNING,

	__CCM_A_HANDLER_MAX,
	CCM_A_HANDLER_MAX = (__CCM_A_HANDLER_MAX - 1)
};

enum {
	CCM_A_CALL_PAD = 1,
	CCM_A_CALL_WHAT,
	CCM_A_CALL_NODE,
	CCM_A_CALL_MODULE,
	CCM_A_CALL_FUNCTION,
	CCM_A_CALL_SEQN,
	CCM_A_CALL_AGE,

	__CCM_A_CALL_MAX,
	CCM_A_CALL_MAX = (__CCM_A_CALL_MAX - 1)
};

enum {
	CCM_A_EVENT_PAD = 1,
	CCM_A_EVENT_KIND,
	CCM_A_EVENT_NODE,
	CCM_A_EVENT_GENERATION,
	CCM_A_EVENT_STATE,
	CCM_A_EVENT_REASON,
	CCM_A_EVENT_ERROR,
	CCM_A_EVENT_UNSENT,
	CCM_A_EVENT_UNKNOWN,
	CCM_A_EVENT_REMOTE,
	CCM_A_EVENT_MODULE,
	CCM_A_EVENT_FUNCTION,
	CCM_A_EVENT_INCARNATION,
	CCM_A_EVENT_RTT,
	CCM_A_EVENT_LEFT_OUT,

	__CCM_A_EVENT_MAX,
	CCM_A_EVENT_MAX = (__CCM_A_EVENT_MAX - 1)
};

enum {
	CCM_CMD_NODE_GET = 1,
	CCM_CMD_NODE_SET,
	CCM_CMD_NODE_DELETE,
	CCM_CMD_PEER_GET,
	CCM_CMD_PEER_ADD,
	CCM_CMD_PEER_DELETE,
	CCM_CMD_CONNECT,
	CCM_CMD_LISTEN,
	CCM_CMD_CLOSE,
	CCM_CMD_CONSUMER_GET,
	CCM_CMD_EVENT,
	CCM_CMD_HANDLER_GET,
	CCM_CMD_CALL_GET,
	CCM_CMD_KEY_SET,
	CCM_CMD_MANAGE,
	CCM_CMD_PEER_SET,
	CCM_CMD_PING,
	CCM_CMD_POKE,

	__CCM_CMD_MAX,
	CCM_CMD_MAX = (__CCM_CMD_MAX - 1)
};

#define CCM_MCGRP_EVENTS	"events"

#endif /* _UAPI_LINUX_CCM_H */
