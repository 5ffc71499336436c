// SPDX-License-Identifier: GPL-2.0
/*
 * TCP sockets that never block on the network.
 *
 * TCP tells of news through three callbacks of struct sock, called from soft
 * interrupts, from timers, and from whoever gives back the socket's lock. Ours
 * do one thing: ccm_core_ready(), under sk_callback_lock, which holds off
 * ccm_socket_mute(). That is why they need no RCU of their own.
 *
 * A listening socket keeps its own callbacks, since its connections inherit them:
 * whoever takes over one of these before it is accepted would save ours, and might
 * call it when this module is gone. We sleep in its wait queue instead, as poll()
 * does, and that is not inherited.
 *
 * Callbacks, sk_prot and sk_user_data have one owner at a time, and we are not
 * the only ones who want to be it: a BPF program may put any established socket
 * into a sockmap, one that nobody has accepted yet included. Whoever finds
 * sk_user_data set leaves the socket alone. So we set it as soon as we have a
 * socket and leave it set until the socket is gone, and do not touch a socket
 * where somebody else was first.
 *
 * Such a socket holds no reference to its network namespace and must be gone
 * before that is. So closing aborts: TCP would otherwise keep the socket until
 * the peer has acknowledged the last byte, but a kernel socket's timers end
 * with its close, and nobody would ever press a peer that stays silent.
 */
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/kernel.h>
#include <linux/net.h>
#include <linux/skbuff.h>
#include <linux/uio.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "compat.h"
#include "kernel.h"

/* Connections that TCP has finished and nobody has accepted yet. */
#define BACKLOG 64

/* Unsent bytes in the socket above which it counts as full. */
#define NOTSENT_LOWAT (128 * 1024)

struct ccm_socket {
	struct socket *sock;
	void *owner;
	struct ccm_endpoint remote;
	int error; /* the first one seen; TCP forgets an error it has told */
	bool claimed; /* nobody else can own its callbacks any more */
	struct wait_queue_entry sleeper; /* of one that listens */
	bool sleeps;
	/* The callbacks that were there before ours. */
	void (*data_ready)(struct sock *sk);
	void (*write_space)(struct sock *sk);
	void (*state_change)(struct sock *sk);
};

/* --- callbacks ------------------------------------------------------------- */

/* The user data of a socket that is ours, and tells nobody. Never read. */
static const struct ccm_socket mute_socket;

/* NULL if it is mute or not ours: user data that others set has flags of theirs. */
static struct ccm_socket *socket_of(struct sock *sk)
{
	void *data = __locked_read_sk_user_data_with_flags(sk, SK_USER_DATA_NOCOPY);

	if (data == &mute_socket ||
	    __locked_read_sk_user_data_with_flags(sk, SK_USER_DATA_PSOCK) ||
	    __locked_read_sk_user_data_with_flags(sk, SK_USER_DATA_BPF))
		return NULL;
	return data;
}

static void report(struct sock *sk, unsigned int what)
{
	struct ccm_socket *socket;

	read_lock_bh(&sk->sk_callback_lock);
	socket = socket_of(sk);
	if (socket)
		ccm_core_ready(socket->owner, what);
	read_unlock_bh(&sk->sk_callback_lock);
}

static void data_ready(struct sock *sk)
{
	report(sk, CCM_READY_READ);
}

static void state_change(struct sock *sk)
{
	report(sk, CCM_READY_STATE);
}

/* TCP calls this at each ACK while SOCK_NOSPACE is set. */
static void write_space(struct sock *sk)
{
	struct ccm_socket *socket;

	read_lock_bh(&sk->sk_callback_lock);
	socket = socket_of(sk);
	if (socket && sk_stream_is_writeable(sk)) {
		clear_bit(SOCK_NOSPACE, &socket->sock->flags);
		ccm_core_ready(socket->owner, CCM_READY_WRITE);
	}
	read_unlock_bh(&sk->sk_callback_lock);
}

/* A connection waits to be accepted, or something else woke who sleeps there. */
static int knock(struct wait_queue_entry *sleeper, unsigned int mode, int flags,
		 void *key)
{
	struct ccm_socket *socket =
		container_of(sleeper, struct ccm_socket, sleeper);

	ccm_core_ready(socket->owner, CCM_READY_READ);
	return 0;
}

static void set_user_data(struct sock *sk, const struct ccm_socket *socket)
{
	__rcu_assign_sk_user_data_with_flags(sk, (void *)socket,
					     SK_USER_DATA_NOCOPY);
}

/* An upper layer protocol, such as TLS, owns sk_prot. */
static bool is_taken(struct sock *sk)
{
	return sk->sk_user_data || inet_csk(sk)->icsk_ulp_ops;
}

/*
 * Keep it from everybody else, mute. from: the listening socket it came from, or
 * NULL.
 */
static void claim(struct ccm_socket *socket, const struct ccm_socket *from)
{
	struct sock *sk = socket->sock->sk;

	lock_sock(sk);
	write_lock_bh(&sk->sk_callback_lock);
	socket->claimed = !is_taken(sk) &&
			  (!from || sk->sk_prot == from->sock->sk->sk_prot);
	if (socket->claimed) {
		socket->data_ready = sk->sk_data_ready;
		socket->write_space = sk->sk_write_space;
		socket->state_change = sk->sk_state_change;
		set_user_data(sk, &mute_socket);
	}
	write_unlock_bh(&sk->sk_callback_lock);
	release_sock(sk);
}

/* Of one that is claimed. */
static void set_callbacks(struct ccm_socket *socket, void *owner)
{
	struct sock *sk = socket->sock->sk;

	lock_sock(sk);
	write_lock_bh(&sk->sk_callback_lock);
	socket->owner = owner;
	sk->sk_data_ready = data_ready;
	sk->sk_write_space = write_space;
	sk->sk_state_change = state_change;
	set_user_data(sk, socket);
	write_unlock_bh(&sk->sk_callback_lock);
	release_sock(sk);
}

/* With the socket's lock nobody is left who calls them from its backlog. */
static void restore_callbacks(struct ccm_socket *socket)
{
	struct sock *sk = socket->sock->sk;

	lock_sock(sk);
	write_lock_bh(&sk->sk_callback_lock);
	if (socket_of(sk) == socket) {
		sk->sk_data_ready = socket->data_ready;
		sk->sk_write_space = socket->write_space;
		sk->sk_state_change = socket->state_change;
		set_user_data(sk, &mute_socket);
	}
	write_unlock_bh(&sk->sk_callback_lock);
	release_sock(sk);
}

static void start_sleeping(struct ccm_socket *socket, void *owner)
{
	socket->owner = owner;
	socket->sleeps = true;
	init_waitqueue_func_entry(&socket->sleeper, knock);
	add_wait_queue(sk_sleep(socket->sock->sk), &socket->sleeper);
}

/* The queue's own lock, under which sleepers are woken, sees nobody in knock(). */
static void stop_sleeping(struct ccm_socket *socket)
{
	remove_wait_queue(sk_sleep(socket->sock->sk), &socket->sleeper);
	socket->sleeps = false;
}

void ccm_socket_mute(struct ccm_socket *socket)
{
	might_sleep();
	if (socket->sleeps)
		stop_sleeping(socket);
	else
		restore_callbacks(socket);
}

/* --- addresses -------------------------------------------------------------- */

union address {
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_storage room;
};

static struct sockaddr_unsized *to_any(union address *address)
{
	return (struct sockaddr_unsized *)address;
}

static int family_of(const struct ccm_endpoint *endpoint)
{
	return endpoint->family == 6 ? AF_INET6 : AF_INET;
}

static int to_address(union address *to, const struct ccm_endpoint *from)
{
	memset(to, 0, sizeof(*to));
	if (from->family == 6) {
		to->in6.sin6_family = AF_INET6;
		to->in6.sin6_port = htons(from->port);
		to->in6.sin6_scope_id = from->scope;
		memcpy(&to->in6.sin6_addr, from->address, 16);
		return sizeof(to->in6);
	}
	to->in.sin_family = AF_INET;
	to->in.sin_port = htons(from->port);
	memcpy(&to->in.sin_addr, from->address, 4);
	return sizeof(to->in);
}

static void from_ipv4(struct ccm_endpoint *to, __be32 address)
{
	to->family = 4;
	memcpy(to->address, &address, 4);
}

#if IS_ENABLED(CONFIG_IPV6)
static void from_ipv6(struct ccm_endpoint *to, const struct sock *sk)
{
	const struct in6_addr *address = &sk->sk_v6_daddr;

	if (ipv6_addr_v4mapped(address)) {
		from_ipv4(to, address->s6_addr32[3]);
		return;
	}
	to->family = 6;
	to->scope = ipv6_iface_scope_id(address, sk->sk_bound_dev_if);
	memcpy(to->address, address, 16);
}
#endif

/*
 * Who is at the other end, by the socket's own fields: getname() would ask the
 * BPF programs of its cgroup, and they may say whatever they like. It stays
 * there when the connection has been reset.
 */
static void read_remote(struct sock *sk, struct ccm_endpoint *to)
{
	memset(to, 0, sizeof(*to));
	to->port = ntohs(inet_sk(sk)->inet_dport);
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6) {
		from_ipv6(to, sk);
		return;
	}
#endif
	from_ipv4(to, inet_sk(sk)->inet_daddr);
}

/* --- making them -------------------------------------------------------------- */

static void tune(struct sock *sk)
{
	/* Without memory TCP has no room: it is asked again. */
	sk->sk_allocation = GFP_NOIO | __GFP_NORETRY | __GFP_NOWARN;
	/* We may send on behalf of reclaim, in the middle of a user's copy. */
	ccm_compat_no_task_frag(sk);
	tcp_sock_set_nodelay(sk);
	WRITE_ONCE(tcp_sk(sk)->notsent_lowat, NOTSENT_LOWAT);
}

/*
 * Unanswered data and an unanswered SYN end by TCP_USER_TIMEOUT, which also
 * says when unanswered probes of an idle connection are enough. Probes go by
 * whole seconds: up to one late, or an interval. A time-out of 0 leaves TCP its
 * own, of a quarter of an hour and more.
 */
void ccm_socket_set_timeout(struct ccm_socket *socket, int timeout_ms)
{
	struct sock *sk = socket->sock->sk;

	might_sleep();
	tcp_sock_set_user_timeout(sk, timeout_ms);
	tcp_sock_set_keepidle(sk, timeout_ms ? max(timeout_ms / 3000, 1) :
					       MAX_TCP_KEEPIDLE);
	tcp_sock_set_keepintvl(sk, max(timeout_ms / 6000, 1));
	sock_set_keepalive(sk);
}

static int create(struct net *net, int family, struct ccm_socket **out)
{
	struct ccm_socket *socket = ccm_object_alloc(sizeof(*socket), true);
	int result;

	if (!socket)
		return -ENOMEM;
	result = sock_create_kern(net, family, SOCK_STREAM, IPPROTO_TCP,
				  &socket->sock);
	if (result) {
		ccm_object_free(socket);
		return result;
	}
	tune(socket->sock->sk);
	claim(socket, NULL);
	if (!socket->claimed) {
		ccm_socket_close(socket);
		return -EBUSY;
	}
	*out = socket;
	return 0;
}

static int bind_to(struct ccm_socket *socket, const struct ccm_endpoint *local)
{
	union address address;
	int size = to_address(&address, local);

	if (local->family == 6)
		ip6_sock_set_v6only(socket->sock->sk);
	if (local->port)
		sock_set_reuseaddr(socket->sock->sk);
	return kernel_bind(socket->sock, to_any(&address), size);
}

int ccm_socket_listen(struct net *net, const struct ccm_endpoint *local,
		      void *owner, struct ccm_socket **out)
{
	struct ccm_socket *socket;
	int result;

	might_sleep();
	result = create(net, family_of(local), &socket);
	if (result)
		return result;
	result = bind_to(socket, local);
	if (result)
		goto fail;
	start_sleeping(socket, owner);
	result = kernel_listen(socket->sock, BACKLOG);
	if (result)
		goto fail;
	*out = socket;
	return 0;

fail:
	ccm_socket_mute(socket);
	ccm_socket_close(socket);
	return result;
}

/* For one that listens already this is all that listening again changes. */
void ccm_socket_set_backlog(struct ccm_socket *listening, int backlog)
{
	might_sleep();
	kernel_listen(listening->sock, backlog);
}

int ccm_socket_accept(struct ccm_socket *listening, struct ccm_socket **out)
{
	struct ccm_socket *socket;
	int result;

	might_sleep();
	socket = ccm_object_alloc(sizeof(*socket), true);
	if (!socket)
		return -ENOMEM;
	result = kernel_accept(listening->sock, &socket->sock, O_NONBLOCK);
	if (result) {
		ccm_object_free(socket);
		return result;
	}
	claim(socket, listening);
	if (socket->claimed)
		tune(socket->sock->sk);
	read_remote(socket->sock->sk, &socket->remote);
	*out = socket;
	return 0;
}

int ccm_socket_connect(struct net *net, const struct ccm_endpoint *local,
		       const struct ccm_endpoint *remote, int timeout_ms,
		       void *owner, struct ccm_socket **out)
{
	struct ccm_socket *socket;
	union address address;
	int size = to_address(&address, remote);
	int result;

	might_sleep();
	result = create(net, family_of(remote), &socket);
	if (result)
		return result;
	socket->remote = *remote;
	ccm_socket_set_timeout(socket, timeout_ms);
	if (local->family) {
		result = bind_to(socket, local);
		if (result)
			goto fail;
	}
	set_callbacks(socket, owner);
	result = kernel_connect(socket->sock, to_any(&address), size, O_NONBLOCK);
	if (result && result != -EINPROGRESS)
		goto fail;
	*out = socket;
	return 0;

fail:
	ccm_socket_mute(socket);
	ccm_socket_close(socket);
	return result;
}

/* What came before was told to nobody: told now, all at once. */
int ccm_socket_own(struct ccm_socket *socket, void *owner)
{
	might_sleep();
	if (!socket->claimed)
		return -EBUSY;
	set_callbacks(socket, owner);
	report(socket->sock->sk,
	       CCM_READY_READ | CCM_READY_WRITE | CCM_READY_STATE);
	return 0;
}

/* --- using them ---------------------------------------------------------------- */

/* The error that broke the connection, or 0. */
static int error_of(struct ccm_socket *socket)
{
	int error = -READ_ONCE(socket->sock->sk->sk_err);

	if (error)
		cmpxchg(&socket->error, 0, error);
	return READ_ONCE(socket->error);
}

int ccm_socket_status(struct ccm_socket *socket)
{
	struct sock *sk = socket->sock->sk;
	int error = error_of(socket);

	if (error)
		return error;
	switch (inet_sk_state_load(sk)) {
	case TCP_SYN_SENT:
	case TCP_SYN_RECV:
		return -EINPROGRESS;
	case TCP_LISTEN:
	case TCP_ESTABLISHED:
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
		return 0;
	case TCP_CLOSE:
		return sock_flag(sk, SOCK_DONE) ? -EPIPE : -ECONNRESET;
	default:
		return -EPIPE;
	}
}

/* Under the socket's lock. Something waits, and the window has no room for it. */
static bool is_shut(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	const struct sk_buff *head = tcp_send_head(sk);

	/* What was on its way when the window shut may have been dropped by the peer. */
	if (tp->packets_out)
		return !tp->snd_wnd;
	return head && after(TCP_SKB_CB(head)->end_seq, tcp_wnd_end(tp));
}

void ccm_socket_signs(struct ccm_socket *socket, struct ccm_signs *out)
{
	struct sock *sk = socket->sock->sk;
	const struct tcp_sock *tp = tcp_sk(sk);

	might_sleep();
	lock_sock(sk);
	out->quiet_ms = jiffies_to_msecs(keepalive_time_elapsed(tp));
	out->acknowledged = tp->bytes_acked;
	out->shut = is_shut(sk);
	/* Or should be, if our own link did not drop it. */
	out->in_flight = !out->shut && (tp->packets_out || tcp_send_head(sk));
	out->busy_ms = 0;
	if (out->in_flight && tp->chrono_type == TCP_CHRONO_BUSY)
		out->busy_ms = jiffies_to_msecs(tcp_jiffies32 - tp->chrono_start);
	release_sock(sk);
}

/*
 * TCP probes a shut window less and less often, every two minutes in the end.
 * Here its timer, of probes or of what has to be sent again, goes off at once and
 * begins anew. Its count of attempts does too: it is not TCP that gives up.
 */
void ccm_socket_probe(struct ccm_socket *socket)
{
	struct sock *sk = socket->sock->sk;
	struct inet_connection_sock *icsk = inet_csk(sk);

	might_sleep();
	lock_sock(sk);
	if (sk->sk_state == TCP_ESTABLISHED && is_shut(sk)) {
		bool probe = !tcp_sk(sk)->packets_out;

		icsk->icsk_backoff = 0;
		icsk->icsk_probes_out = 0;
		if (!probe)
			icsk->icsk_rto = __tcp_set_rto(tcp_sk(sk));
		inet_csk_reset_xmit_timer(sk, probe ? ICSK_TIME_PROBE0 : ICSK_TIME_RETRANS,
					  1, TCP_RTO_MAX);
	}
	release_sock(sk);
}

void ccm_socket_remote(struct ccm_socket *socket, struct ccm_endpoint *out)
{
	*out = socket->remote;
}

/*
 * If not all of it fits TCP sets SOCK_NOSPACE, under the socket's lock, and so
 * write_space() follows. If nothing at all is on its way (no memory) it calls
 * write_space() at once.
 */
int ccm_socket_send(struct ccm_socket *socket, const void *head,
		    size_t head_size, const void *body, size_t body_size,
		    bool more)
{
	struct kvec parts[] = {
		{ .iov_base = (void *)head, .iov_len = head_size },
		{ .iov_base = (void *)body, .iov_len = body_size },
	};
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	int result;

	might_sleep();
	if (more)
		msg.msg_flags |= MSG_MORE;
	result = kernel_sendmsg(socket->sock, &msg, parts, ARRAY_SIZE(parts),
				head_size + body_size);
	/* With the connection gone, that was its error; nobody else gets it. */
	if (result < 0 && result != -EPIPE &&
	    inet_sk_state_load(socket->sock->sk) == TCP_CLOSE)
		cmpxchg(&socket->error, 0, result);
	return result;
}

struct reading {
	size_t (*take)(void *arg, const u8 *bytes, size_t size);
	void *arg;
	bool stopped; /* take() wanted no more */
};

/*
 * The parser must not sleep. On PREEMPT_RT its spinlocks do, and nothing tells
 * them apart.
 */
static size_t take_piece(struct reading *reading, const u8 *bytes, size_t piece)
{
	size_t taken;

	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		non_block_start();
	taken = reading->take(reading->arg, bytes, piece);
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		non_block_end();
	return taken;
}

/* tcp_read_sock() goes on until this returns 0; desc->count bytes are left. */
static int read_skb(read_descriptor_t *desc, struct sk_buff *skb,
		    unsigned int offset, size_t size)
{
	struct reading *reading = desc->arg.data;
	struct skb_seq_state seq;
	size_t goal = min(size, desc->count);
	size_t done = 0;

	skb_prepare_seq_read(skb, offset, offset + goal, &seq);
	while (done < goal && !reading->stopped) {
		const u8 *bytes;
		/* The last piece is not cut at the goal. */
		size_t piece = min_t(size_t, goal - done,
				     skb_seq_read(done, &bytes, &seq));
		size_t taken;

		if (!piece)
			break;
		taken = take_piece(reading, bytes, piece);
		done += taken;
		reading->stopped = taken < piece;
	}
	skb_abort_seq_read(&seq);
	desc->count -= done;
	return done;
}

/* Why nothing was read though something was wanted; 0: nothing is there. */
static int why_nothing(struct ccm_socket *socket)
{
	struct sock *sk = socket->sock->sk;
	struct tcp_sock *tp = tcp_sk(sk);
	int error;

	/* tcp_read_sock() never passes it, whatever may come behind. */
	if (tp->urg_data && tp->urg_seq == tp->copied_seq)
		return -EPROTO;
	if (sock_flag(sk, SOCK_DONE))
		return -EPIPE;
	error = error_of(socket);
	if (error)
		return error;
	return sk->sk_state == TCP_CLOSE ? -ECONNRESET : 0;
}

/* Data goes before errors: a reset may follow the peer's last words. */
int ccm_socket_read(struct ccm_socket *socket, size_t budget,
		    size_t (*take)(void *arg, const u8 *bytes, size_t size),
		    void *arg)
{
	struct reading reading = { .take = take, .arg = arg };
	read_descriptor_t desc = {
		.arg.data = &reading,
		.count = min_t(size_t, budget, INT_MAX),
	};
	struct sock *sk = socket->sock->sk;
	int result;

	might_sleep();
	lock_sock(sk);
	result = tcp_read_sock(sk, &desc, read_skb);
	if (!result && !reading.stopped && budget)
		result = why_nothing(socket);
	release_sock(sk);
	return result;
}

void ccm_socket_finish(struct ccm_socket *socket)
{
	might_sleep();
	kernel_sock_shutdown(socket->sock, SHUT_WR);
}

/* Aborts what has not ended at both ends: the peer then reads -ECONNRESET. */
void ccm_socket_close(struct ccm_socket *socket)
{
	might_sleep();
	sock_no_linger(socket->sock->sk);
	sock_release(socket->sock);
	ccm_object_free(socket);
}
