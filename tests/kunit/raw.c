// SPDX-License-Identifier: GPL-2.0
/*
 * A plain TCP socket, to play a node that does not keep to the protocol.
 */
#include <linux/in.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <net/inet_hashtables.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "kernel/compat.h"
#include "kernel/kernel.h"
#include "raw.h"

struct ccm_raw {
	struct socket *sock;
};

static struct sockaddr_in address_of(const struct ccm_endpoint *endpoint)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(endpoint->port),
	};

	memcpy(&address.sin_addr, endpoint->address, 4);
	return address;
}

static struct ccm_raw *make(struct net *net)
{
	struct ccm_raw *raw = kzalloc(sizeof(*raw), GFP_KERNEL);

	if (raw && sock_create_kern(net, AF_INET, SOCK_STREAM, IPPROTO_TCP,
				    &raw->sock)) {
		kfree(raw);
		return NULL;
	}
	return raw;
}

struct ccm_raw *ccm_raw_connect(struct net *net, const struct ccm_endpoint *to)
{
	struct sockaddr_in address = address_of(to);
	struct ccm_raw *raw = make(net);

	if (!raw)
		return NULL;
	tcp_sock_set_nodelay(raw->sock->sk);
	raw->sock->sk->sk_sndtimeo = 5 * HZ;
	if (kernel_connect(raw->sock, (struct sockaddr_unsized *)&address,
			   sizeof(address), 0)) {
		ccm_raw_close(raw, true);
		return NULL;
	}
	return raw;
}

struct ccm_raw *ccm_raw_listen(struct net *net, const struct ccm_endpoint *at)
{
	struct sockaddr_in address = address_of(at);
	struct ccm_raw *raw = make(net);

	if (!raw)
		return NULL;
	sock_set_reuseaddr(raw->sock->sk);
	if (kernel_bind(raw->sock, (struct sockaddr_unsized *)&address,
			sizeof(address)) ||
	    kernel_listen(raw->sock, 8)) {
		ccm_raw_close(raw, true);
		return NULL;
	}
	return raw;
}

struct ccm_raw *ccm_raw_accept(struct ccm_raw *listening, int timeout_ms)
{
	struct ccm_raw *raw = kzalloc(sizeof(*raw), GFP_KERNEL);

	if (!raw)
		return NULL;
	listening->sock->sk->sk_rcvtimeo = msecs_to_jiffies(timeout_ms);
	if (kernel_accept(listening->sock, &raw->sock, 0)) {
		kfree(raw);
		return NULL;
	}
	return raw;
}

int ccm_raw_send(struct ccm_raw *raw, const void *data, size_t size,
		 unsigned int flags)
{
	struct kvec part = { .iov_base = (void *)data, .iov_len = size };
	struct msghdr msg = {
		.msg_flags = MSG_NOSIGNAL |
			     (flags & CCM_RAW_URGENT ? MSG_OOB : 0) |
			     (flags & CCM_RAW_MORE ? MSG_MORE : 0),
	};
	int sent;

	raw->sock->sk->sk_sndtimeo = 5 * HZ;
	sent = kernel_sendmsg(raw->sock, &msg, &part, 1, size);
	if (sent < 0)
		return sent;
	return sent == size ? 0 : -EAGAIN;
}

int ccm_raw_receive(struct ccm_raw *raw, void *data, size_t size, int timeout_ms)
{
	struct kvec part = { .iov_base = data, .iov_len = size };
	struct msghdr msg = {};

	raw->sock->sk->sk_rcvtimeo = msecs_to_jiffies(timeout_ms);
	return kernel_recvmsg(raw->sock, &msg, &part, 1, size, 0);
}

static int is_ours(const void *function)
{
	return within_module((unsigned long)function, THIS_MODULE);
}

int ccm_raw_callbacks(struct ccm_raw *raw, struct net *far, bool listens)
{
	const struct inet_sock *near = inet_sk(raw->sock->sk);
	/* Nobody has a connection from port 0. */
	struct sock *sk = inet_lookup(far, far->ipv4.tcp_death_row.hashinfo, NULL, 0,
				      near->inet_saddr,
				      listens ? 0 : near->inet_sport,
				      near->inet_daddr, near->inet_dport, 0);
	bool is_listening;
	int count;

	if (!sk)
		return -ENOENT;
	is_listening = sk->sk_state == TCP_LISTEN;
	if (is_listening != listens) {
		sock_put(sk);
		return -ENOENT;
	}
	count = is_ours(sk->sk_data_ready) + is_ours(sk->sk_write_space) +
		is_ours(sk->sk_state_change) + is_ours(sk->sk_error_report) +
		is_ours(sk->sk_backlog_rcv) + is_ours(sk->sk_destruct);
	sock_put(sk);
	return count;
}

void ccm_raw_close(struct ccm_raw *raw, bool reset)
{
	if (reset)
		sock_no_linger(raw->sock->sk);
	sock_release(raw->sock);
	kfree(raw);
}
