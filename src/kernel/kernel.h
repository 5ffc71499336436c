/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The boundary between the core (C++, decides) and the kernel side (C, does).
 *
 * First half: what the core asks of the kernel; one small function a facility,
 * implemented in src/kernel and, for tests on the host, in tests/host.
 * Second half: what the kernel side calls in the core.
 *
 * Unless it says otherwise a function may be called in any context but NMI and
 * does not sleep.
 */
#ifndef CCM_KERNEL_H
#define CCM_KERNEL_H

#ifdef __cplusplus
#include "support/types.hpp"
#include <kernel/sizes.h>
#define CCM_EMBED(name, size) \
	struct alignas(8) name { unsigned char opaque[size]; }
#else
#include <linux/types.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#endif

#include <ccm/ccm.h>
#include <uapi/linux/ccm.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ccm_hmac;
struct ccm_node;
struct ccm_socket;
struct ccm_thread;
struct task_struct;

/* --- locks ------------------------------------------------------------- */

/* One lockdep class each. Order: a lock may be taken under those above it. */
enum ccm_lock_kind {
	CCM_LOCK_ORIGINS, /* node: addresses that peers are configured at */
	CCM_LOCK_PEER,  /* peer: state, send queue, channels */
	CCM_LOCK_BOX,   /* mailbox: queues and waiters of one module number */
	CCM_LOCK_READY, /* listener: connections with work to do */
	CCM_LOCK_REMOVALS, /* who waits for handlers to end */
	CCM_LOCK_HANDLERS, /* what can be called, and runs */
	CCM_LOCK_CALLS, /* calls whose answers are awaited */
	CCM_LOCK_POOL,	/* threads for long calls */
	CCM_LOCK_KINDS
};

/* The same of those that one may sleep under: all of them stand above the spinlocks. */
enum ccm_mutex_kind {
	CCM_MUTEX_NODE, /* node: its configuration */
	CCM_MUTEX_NEWS, /* events, as they are told */
	CCM_MUTEX_KINDS
};

/* Spinlocks, taken with interrupts off, so that senders may be anywhere. */
#ifdef __cplusplus
CCM_EMBED(ccm_lock, CCM_LOCK_SIZE);
CCM_EMBED(ccm_mutex, CCM_MUTEX_SIZE);
CCM_EMBED(ccm_waitq, CCM_WAITQ_SIZE);
CCM_EMBED(ccm_ref, CCM_REF_SIZE);
CCM_EMBED(ccm_task, CCM_TASK_SIZE);
#else
struct ccm_lock {
	spinlock_t lock;
};

struct ccm_mutex {
	struct mutex mutex;
};

struct ccm_waitq {
	wait_queue_head_t head;
};

struct ccm_ref {
	refcount_t count;
};

struct ccm_task {
	struct work_struct work;
	void (*run)(void *arg);
	void *arg;
};
#endif

void ccm_lock_init(struct ccm_lock *lock, enum ccm_lock_kind kind);
unsigned long ccm_lock_take(struct ccm_lock *lock);
void ccm_lock_drop(struct ccm_lock *lock, unsigned long flags);
#ifdef CCM_KUNIT
/* Complains unless it is held. */
void ccm_lock_assert_held(const struct ccm_lock *lock);
#endif

/* Sleeps. */
void ccm_mutex_init(struct ccm_mutex *mutex, enum ccm_mutex_kind kind);
void ccm_mutex_take(struct ccm_mutex *mutex);
void ccm_mutex_drop(struct ccm_mutex *mutex);

void ccm_ref_init(struct ccm_ref *ref);
void ccm_ref_get(struct ccm_ref *ref);
/* False if the count was zero: the object is going. */
bool ccm_ref_get_live(struct ccm_ref *ref);
/* True for the last one. */
bool ccm_ref_put(struct ccm_ref *ref);

void ccm_rcu_enter(void);
void ccm_rcu_leave(void);
/* Wait until all who were inside have left. Sleeps. */
void ccm_rcu_wait(void);

/* --- waiting ------------------------------------------------------------ */

void ccm_waitq_init(struct ccm_waitq *queue);
void ccm_wake(struct ccm_waitq *queue);

/*
 * Sleep until done(arg), which is called without locks and must not sleep.
 * Returns 0, -ETIMEDOUT, -ERESTARTSYS (signal) or -EINTR (the thread was asked
 * to stop). timeout_ms < 0: no time limit.
 */
int ccm_wait(struct ccm_waitq *queue, bool (*done)(void *arg), void *arg,
	     int timeout_ms);
/* The same without a time limit, and only a signal that kills ends it: -EINTR. */
int ccm_wait_killable(struct ccm_waitq *queue, bool (*done)(void *arg), void *arg);
/* The same for what cannot be given up: neither signals nor a stop end it. */
int ccm_wait_idle(struct ccm_waitq *queue, bool (*done)(void *arg), void *arg,
		  int timeout_ms);

/*
 * One thread that waits for one thing, without a queue. Who ends its wait takes a
 * reference to the thread, tells it by what done() looks at, and wakes it: that may be
 * later, and touches nothing but the thread. What it waited in may be gone by then.
 */
struct task_struct *ccm_self(void);
void ccm_self_get(struct task_struct *task);
/* Wake it, and give the reference back. */
void ccm_self_wake(struct task_struct *task);
/* As ccm_wait(), ccm_wait_idle(). */
int ccm_sleep(bool (*done)(void *arg), void *arg, int timeout_ms);
int ccm_sleep_idle(bool (*done)(void *arg), void *arg, int timeout_ms);

/* --- threads, time, chance ----------------------------------------------- */

/*
 * Its name is "<name>/<number>". Both sleep. Returns NULL without memory, and waits for
 * the kernel to have some, which may take I/O: not for the listener.
 */
struct ccm_thread *ccm_thread_start(int (*run)(void *arg), void *arg,
				    const char *name, u32 number);
/* Ask it to stop, and wait for it. run() must watch a flag of its own. */
void ccm_thread_stop(struct ccm_thread *thread);
/* The calling one, if it is one of these, else NULL. */
struct ccm_thread *ccm_thread_mine(void);
/* Whatever it waits for by ccm_wait() ends with -ECANCELED, until it resumes. */
void ccm_thread_interrupt(struct ccm_thread *thread);
void ccm_thread_resume(struct ccm_thread *thread);
/*
 * While a thread is busy for everybody, nothing it calls may wait:
 * ccm_thread_may_wait() is false there, and true anywhere else. Any thread can be
 * busy, in process context, and more than once; the structure stands on its stack.
 */
struct ccm_busy {
	struct ccm_busy *next; /* of all that is busy now */
	const void *thread;
};

void ccm_busy_begin(struct ccm_busy *busy);
void ccm_busy_end(struct ccm_busy *busy);
bool ccm_thread_may_wait(void);
/* Let others run. Sleeps. */
void ccm_yield(void);

/*
 * What must not hold up whoever asks for it: run(arg) is called by a thread of the
 * kernel's, where it may sleep for long. Started while it runs, it runs once more.
 */
void ccm_task_init(struct ccm_task *task, void (*run)(void *arg), void *arg);
void ccm_task_start(struct ccm_task *task);
/* It does not run, and will not until it is started again. Sleeps. */
void ccm_task_wait(struct ccm_task *task);

/* The same clock; stands still while the machine is suspended. */
u64 ccm_now_ms(void);
u64 ccm_now_us(void);
void ccm_random(void *to, size_t size);

/* --- secrets --------------------------------------------------------------- */

/* HMAC-SHA256 with this secret. All but ccm_same_secret() sleep. */
int ccm_hmac_create(const void *secret, size_t size, struct ccm_hmac **out);
void ccm_hmac_destroy(struct ccm_hmac *hmac);
int ccm_hmac_of(struct ccm_hmac *hmac, const void *data, size_t size,
		u8 to[32]);
/* How long it takes does not say where they differ. */
bool ccm_same_secret(const void *a, const void *b, size_t size);

/* --- memory --------------------------------------------------------------- */

/*
 * How much may be done for memory. Nothing here waits for I/O, which may be CCM's
 * consumer's, nor asks for ever.
 */
enum ccm_effort {
	CCM_EFFORT_NONE, /* what is free; does not sleep */
	CCM_EFFORT_BRIEF, /* and what can be freed at once: to be asked for again */
	CCM_EFFORT_LONG, /* and what can be freed in a few rounds: for an error */
};

/* Zeroed, for objects; NULL without memory. Sleeps if it may. */
void *ccm_object_alloc(size_t size, bool may_sleep);
void ccm_object_free(void *object);

/*
 * Not zeroed, for messages, of any size; NULL without memory. Takes
 * ccm_buffer_cost(size) bytes. Sleeps but with CCM_EFFORT_NONE, for which only
 * small ones are likely to be had.
 */
void *ccm_buffer_alloc(size_t size, enum ccm_effort effort);
/* Sleeps for those over a few pages. */
void ccm_buffer_free(void *buffer, size_t size);

/* --- sockets ---------------------------------------------------------------- */

/* All zero: none. IPv4 in the first four bytes of address. */
struct ccm_endpoint {
	u8 family; /* 0, 4 or 6 */
	u8 address[16];
	u16 port; /* host order */
	u32 scope; /* interface of a link-local IPv6 address, else 0 */
};

/* What happened at a socket; bits. */
enum ccm_ready {
	CCM_READY_READ = 1,
	CCM_READY_WRITE = 2,
	CCM_READY_STATE = 4,
};

/*
 * The functions on sockets sleep, for the socket's lock, and are called by the
 * listener alone; ccm_socket_send() also by senders. None of them blocks on
 * the network.
 *
 * owner is passed to ccm_core_ready(), until ccm_socket_mute() returns.
 */
/*
 * It and all the connections that come by it belong to the caller's cgroup, whose
 * BPF programs govern them: the listener's.
 */
int ccm_socket_listen(struct net *net, const struct ccm_endpoint *local,
		      void *owner, struct ccm_socket **out);
/*
 * The new one is mute until ccm_socket_own(). -EAGAIN: none waits. Its remote end
 * is known even if it is somebody else's, which ccm_socket_own() will say.
 */
int ccm_socket_accept(struct ccm_socket *listening, struct ccm_socket **out);
/* How many connections TCP keeps finished until they are accepted. */
void ccm_socket_set_backlog(struct ccm_socket *listening, int backlog);
/* Begins; ccm_socket_status() says how it goes. A port of 0 binds to any. */
int ccm_socket_connect(struct net *net, const struct ccm_endpoint *local,
		       const struct ccm_endpoint *remote, int timeout_ms,
		       void *owner, struct ccm_socket **out);
/* -EBUSY: others in this kernel have taken it over (BPF, an upper layer protocol). */
int ccm_socket_own(struct ccm_socket *socket, void *owner);
/* 0 established, -EINPROGRESS connecting, -EPIPE the peer has closed, or why it broke. */
int ccm_socket_status(struct ccm_socket *socket);
/* How long silence may last from now on; 0: for ever, somebody else watches. */
void ccm_socket_set_timeout(struct ccm_socket *socket, int timeout_ms);
/* What TCP knows of the other end. */
struct ccm_signs {
	u64 quiet_ms; /* time since anything came, an ACK or a bare probe's answer too */
	u64 acknowledged; /* bytes of ours, since the connection began */
	bool in_flight; /* more of ours is on its way, and the window is open for it */
	u64 busy_ms; /* time since some of ours has always been; less if not known */
	bool shut; /* something of ours waits for the window to open */
};

void ccm_socket_signs(struct ccm_socket *socket, struct ccm_signs *out);
/* If its window is shut, ask the other end at once whether it still is. */
void ccm_socket_probe(struct ccm_socket *socket);
void ccm_socket_remote(struct ccm_socket *socket, struct ccm_endpoint *out);

/* Send what fits of both; more: something follows at once. Returns bytes, or -EAGAIN. */
int ccm_socket_send(struct ccm_socket *socket, const void *head,
		    size_t head_size, const void *body, size_t body_size,
		    bool more);
/*
 * Read up to budget bytes, given to take() in pieces under the socket's lock,
 * where nothing may be sent and no waiting call made. take() returns how many
 * bytes it took; fewer ends the reading. Returns bytes taken, 0 if there is
 * nothing now (less than the budget does not say so), -EPIPE at the
 * end of the stream, -EPROTO at urgent data.
 */
int ccm_socket_read(struct ccm_socket *socket, size_t budget,
		    size_t (*take)(void *arg, const u8 *bytes, size_t size),
		    void *arg);
/* No more of ours comes after this. */
void ccm_socket_finish(struct ccm_socket *socket);
/* No ccm_core_ready() for it is running or comes after this. */
void ccm_socket_mute(struct ccm_socket *socket);
/* Needs to be mute. */
void ccm_socket_close(struct ccm_socket *socket);

/* --- reports ------------------------------------------------------------------ */

/* What `ccmctl monitor` shows; which fields are read depends on the kind. */
struct ccm_event {
	enum ccm_event_kind kind;
	u32 node; /* peer concerned, or 0 */
	enum ccm_state state; /* new state of the peer */
	enum ccm_reason reason;
	int error; /* negative errno behind the reason, or 0 */
	u64 unsent; /* messages accepted and never sent */
	u64 unknown; /* messages sent, whose fate is unknown */
	u64 generation; /* of the node's configuration, after the change */
	struct ccm_endpoint remote; /* who was refused */
	u32 module; /* of a call that was refused */
	u32 function;
	u64 incarnation; /* the peer's, that has come up */
	u64 rtt_us; /* of a heartbeat */
	u64 left_out; /* of the same kind, since the last one that was told */
	bool lost; /* the peer was up before */
};

/* Both sleep. To administrators. */
void ccm_report(struct net *net, const struct ccm_event *event);
/* A change of a peer's state, to modules. */
void ccm_tell_modules(struct net *net, const struct ccm_event *event);
/* Rate-limited, at warning level. */
void ccm_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Tracepoints. me: this node's number. */
void ccm_trace_send(u32 me, const struct ccm_msg *msg, int result);
void ccm_trace_receive(u32 me, const struct ccm_msg *msg, int result);
void ccm_trace_deliver(u32 me, const struct ccm_msg *msg, bool posted);
/* A call that has run here, or was refused: error, or the handler's result. */
void ccm_trace_call(u32 me, u32 from, u32 module, u32 function, u32 seqn,
		    bool on_thread, int error, int result);
void ccm_trace_state(u32 me, u32 peer, enum ccm_state from, enum ccm_state to,
		     enum ccm_reason reason);

/* A module's name, for reports. "" for NULL. */
const char *ccm_module_name(const struct module *owner);

/* --- what the core offers the kernel side --------------------------------------- */

#define CCM_CLUSTER_MAX 31 /* bytes of a cluster's name */

struct ccm_node_config {
	u32 number;
	char cluster[CCM_CLUSTER_MAX + 1];
	struct ccm_endpoint local; /* address to listen at and connect from */
};

struct ccm_node_stats {
	u64 accepted; /* connections accepted */
	u64 refused; /* connections that did not become a peer's, for any reason */
	u64 strangers; /* of these: unknown node, or from another address */
	u64 garbage; /* of these: said no Hello that can be understood */
	u64 late; /* of these: no handshake in time */
	u64 crowded; /* of these: too many at once from one address */
	u64 proofs; /* of these: no proof or a wrong one of the cluster's key */
	u64 pokes; /* of peers, told or left out */
};

struct ccm_node_info {
	struct ccm_node_config config; /* number 0: not configured */
	u64 incarnation;
	u64 generation; /* changes with each change of node, peers or states */
	bool keyed; /* it has a key, or was told to be insecure */
	bool insecure;
	bool deleting; /* it says goodbye, and will have no number then */
	struct ccm_node_stats stats;
};

/* What may change while the peer is there. */
struct ccm_peer_policy {
	u32 timeout_ms; /* for connecting, and silence without heartbeats */
	u32 interval_ms; /* between two heartbeats; 0: none */
	u32 limit; /* intervals of silence after which the peer is down */
};

struct ccm_peer_config {
	u32 number;
	struct ccm_endpoint remote;
	struct ccm_peer_policy policy; /* what is 0 gets its default */
};

/* Bytes of a cluster's key, at least. */
#define CCM_SECRET_MIN 16

struct ccm_peer_stats {
	u64 messages_in;
	u64 messages_out;
	u64 bytes_in;  /* of payload */
	u64 bytes_out;
	u64 frames_in; /* of all kinds */
	u64 frames_out;
	u64 waits;     /* sends that had to wait for room */
	u64 refused;   /* sends that did not wait and found no room */
	u64 connects;  /* times it came up */
	u64 breaks;    /* times it went down other than by close, goodbye or replacing */
	u64 replaced;  /* connections replaced by a newer one */
	u64 garbage;   /* frames that broke the protocol */
	u64 unsent;    /* messages lost: accepted and never sent */
	u64 unknown;   /* messages sent, and not known to have arrived */
	u64 calls_in;  /* calls that ran here */
	u64 calls_out;
	u64 calls_refused; /* calls from it that could not run here */
	u64 no_memory; /* times the receiver had to wait for memory */
	u64 dropped; /* messages that came for a number nobody has, too much to keep */
	u64 heartbeats; /* sent */
	u64 missed; /* of these, not answered within an interval */
};

struct ccm_peer_info {
	struct ccm_peer_config config;
	enum ccm_state state;
	enum ccm_reason reason; /* why it is in this state */
	int error; /* negative errno behind the reason, or 0 */
	bool listening; /* it may connect to us */
	bool self; /* it is this node */
	bool deleting; /* it goes when its connection has ended */
	u64 since_ms; /* time in this state */
	u64 incarnation; /* the peer's, 0 when never met */
	u64 rtt_us; /* of the last heartbeat answered, or 0 */
	u64 queued_out; /* bytes accepted and not yet sent */
	u64 queued_in; /* bytes received that nobody has taken, at true size */
	struct ccm_peer_stats stats;
};

struct ccm_consumer_info {
	u32 module;
	bool attached;
	const char *owner; /* valid under ccm_rcu_enter() */
	struct ccm_limits limits;
	u32 receivers; /* asleep */
	u64 messages; /* in the queue */
	u64 queued; /* bytes in the queue, at true size */
};

struct ccm_handler_info {
	u32 module;
	u32 function;
	enum ccm_handler_kind kind;
	u32 running; /* calls of it that run now */
};

/*
 * How far a dump has come. It begins as zeroes; what is inside is the core's. The
 * numbers rise, and what came after the dump began is not in it: it ends.
 */
struct ccm_cursor {
	u32 part;
	u32 module;
	u64 number; /* of the first that has not been told */
	u64 last; /* of what there was as this part began */
};

/* A call as `ccmctl calls` shows it. */
struct ccm_call_info {
	enum ccm_call_what what;
	u32 node; /* who called, or who was called */
	u32 module;
	u32 function;
	u32 seqn;
	u64 age_ms;
};

/*
 * A namespace's node. Making and destroying it sleep; so does giving back the
 * last reference, which frees it, and which the namespace's own always is.
 */
struct ccm_node *ccm_core_create(struct net *net);
/* Wake every waiter, and begin to say goodbye to all peers: nobody new finds it. */
void ccm_core_begin_end(struct ccm_node *node);
/* The same, if that has not been done; wait for its end, then one put. */
void ccm_core_destroy(struct ccm_node *node);
bool ccm_core_get(struct ccm_node *node);
void ccm_core_put(struct ccm_node *node);

/*
 * For administrators. All sleep, and none waits for what a consumer does: what
 * takes longer goes on behind them, and an event tells its end. On error *why, if
 * set, is a sentence for people: what is wrong and what to do. why may be NULL.
 */
int ccm_core_node_set(struct ccm_node *node, const struct ccm_node_config *config,
		      const char **why);
/* The cluster's key for handshakes from now on; secret NULL: there is none. */
int ccm_core_key_set(struct ccm_node *node, const void *secret, size_t size,
		     const char **why);
/* Begins to; 0 too while it is going on. Until the end it keeps its number. */
int ccm_core_node_delete(struct ccm_node *node, const char **why);
void ccm_core_node_info(struct ccm_node *node, struct ccm_node_info *out);
int ccm_core_peer_add(struct ccm_node *node, const struct ccm_peer_config *config,
		      const char **why);
/* What is 0 stays; set_interval: but for the interval. */
int ccm_core_peer_set(struct ccm_node *node, u32 number,
		      const struct ccm_peer_policy *policy, bool set_interval,
		      const char **why);
/* Begins to; 0 too while it is going on. Until the end it is reported. */
int ccm_core_peer_delete(struct ccm_node *node, u32 number, const char **why);
/* The first from this number on, or -ENOENT. The node itself is the first of its peers. */
int ccm_core_peer_info(struct ccm_node *node, u32 from, struct ccm_peer_info *out);
/* Does not sleep, and so may be called inside RCU. */
int ccm_core_consumer_info(struct ccm_node *node, u32 from,
			   struct ccm_consumer_info *out);
/*
 * The next of a dump, and the cursor is moved behind it; -ENOENT behind the last.
 * What is there all the while is told once. Does not sleep; no lock is held for
 * longer than it takes to find one among many.
 */
int ccm_core_handler_info(struct ccm_node *node, struct ccm_cursor *at,
			  struct ccm_handler_info *out);
int ccm_core_call_info(struct ccm_node *node, struct ccm_cursor *at,
		       struct ccm_call_info *out);
/* timeout_ms: as CCM_Connect_to(). */
int ccm_core_connect(struct ccm_node *node, u32 number, int timeout_ms,
		     const char **why);
int ccm_core_listen(struct ccm_node *node, u32 number, int timeout_ms,
		    const char **why);
int ccm_core_close(struct ccm_node *node, u32 number, int timeout_ms,
		   const char **why);

int ccm_core_ping(struct ccm_node *node, u32 number, const char **why);
int ccm_core_poke(struct ccm_node *node, u32 number, const char **why);

/* The exported calls. */
int ccm_core_attach(struct ccm_node *node, u32 module,
		    const struct ccm_limits *limits, struct module *owner);
int ccm_core_detach(struct ccm_node *node, u32 module);
int ccm_core_send(struct ccm_node *node, const struct ccm_msg *msg,
		  unsigned int flags, int timeout_ms);
int ccm_core_receive(struct ccm_node *node, struct ccm_msg *msg,
		     unsigned int flags, int timeout_ms);
int ccm_core_cancel(struct ccm_node *node, const struct ccm_msg *msg,
		    unsigned int flags);
void ccm_core_message_free(void *data);
int ccm_core_number(struct ccm_node *node);
int ccm_core_regist(struct ccm_node *node, u32 module, u32 function,
		    enum ccm_handler_kind kind, ccm_handler handler,
		    void *context);
int ccm_core_unregist(struct ccm_node *node, u32 module, u32 function);
/* One way; on a thread, or else in the listener. */
int ccm_core_rcall(struct ccm_node *node, const struct ccm_call *call,
		   bool on_thread, const struct ccm_arg *args, size_t count);
int ccm_core_rcall_wait(struct ccm_node *node, const struct ccm_call *call,
			struct ccm_answer *answer, const struct ccm_arg *args,
			size_t count);
int ccm_core_rcall_begin(struct ccm_node *node, const struct ccm_call *call,
			 ccm_done done, void *context,
			 const struct ccm_arg *args, size_t count);
int ccm_core_answer_with(struct ccm_args *args, const struct ccm_arg *answer,
			 size_t count);
int ccm_core_get_u32(struct ccm_args *args, u32 *value);
int ccm_core_get_u64(struct ccm_args *args, u64 *value);
int ccm_core_get_string(struct ccm_args *args, const char **string);
int ccm_core_get_bytes(struct ccm_args *args, const void **data, size_t *size);
int ccm_core_get_end(const struct ccm_args *args);
/* Whether this module has attached anything. */
bool ccm_core_has(struct ccm_node *node, const struct module *owner);
/*
 * A module goes: what it forgot to detach is detached, and none of its handlers
 * runs any more. How much that was. Sleeps.
 */
u32 ccm_core_forget(struct ccm_node *node, const struct module *owner);

/* From a socket's callback, in softirq too. owner: as given to the socket. */
void ccm_core_ready(void *owner, unsigned int what);

#ifdef __cplusplus
}
#endif

#endif /* CCM_KERNEL_H */
