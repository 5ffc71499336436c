// SPDX-License-Identifier: GPL-2.0
/*
 * Raw kernel sockets, as somebody would use them who has no CCM: a header of
 * the same length before the data, both in one send and read by one receive.
 */
#include <linux/in.h>
#include <linux/jiffies.h>
#include <linux/net.h>
#include <linux/socket.h>
#include <linux/tcp.h>
#include <linux/uio.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "compat.h"
#include "transport.h"

#define PORT 7001

struct header {
	__be32 size;
	__be32 seqn;
	u8 rest[40]; /* CCM's has 48 bytes: Documentation/protocol.rst */
};

static_assert(sizeof(struct header) == 48);

static struct socket *near, *far;
static u32 seqn;

static int put(struct socket *socket, u32 number, const void *data, size_t size)
{
	struct header header = { .size = htonl(size), .seqn = htonl(number) };
	struct kvec vec[] = { { &header, sizeof(header) },
			      { (void *)data, size } };
	size_t total = sizeof(header) + size;
	struct msghdr msg = {};
	int sent = kernel_sendmsg(socket, &msg, vec, size ? 2 : 1, total);

	return sent < 0 ? sent : sent == total ? 0 : -EPIPE;
}

static int get(struct socket *socket, u32 *number, void *data, size_t size)
{
	struct header header;
	struct kvec vec[] = { { &header, sizeof(header) }, { data, size } };
	size_t total = sizeof(header) + size;
	struct msghdr msg = {};
	int got = kernel_recvmsg(socket, &msg, vec, size ? 2 : 1, total,
				 MSG_WAITALL);

	if (got < 0)
		return got;
	if (got != total || ntohl(header.size) != size)
		return -EBADMSG;
	*number = ntohl(header.seqn);
	return 0;
}

static int near_get(void *data, size_t size)
{
	u32 number;
	int err = get(near, &number, data, size);

	return err ?: number == seqn ? 0 : -EBADMSG;
}

static int near_send(const void *data, void *echo, size_t size)
{
	return put(near, ++seqn, data, size);
}

static int near_ping(const void *data, void *echo, size_t size)
{
	return near_send(data, echo, size) ?: near_get(echo, size);
}

static int near_call(const void *data, void *echo, size_t size)
{
	return near_send(data, echo, size) ?: near_get(NULL, 0);
}

static int far_take(void *room, size_t size, u32 *number)
{
	int err = get(far, number, room, size);

	if (!err)
		bench_arrived(room, size);
	return err;
}

static int far_receive(void *room, size_t size)
{
	u32 number;

	return far_take(room, size, &number);
}

static int far_echo(void *room, size_t size)
{
	u32 number;

	return far_take(room, size, &number) ?: put(far, number, room, size);
}

static int far_answer(void *room, size_t size)
{
	u32 number;

	return far_take(room, size, &number) ?: put(far, number, NULL, 0);
}

static const struct way ways[] = {
	{ PING_PONG, "kernel_sendmsg", near_ping, far_echo },
	{ ONE_WAY, "kernel_sendmsg", near_send, far_receive },
	{ CALL_ANSWER, "kernel_sendmsg", near_call, far_answer },
	{ BULK, "kernel_sendmsg", near_send, far_receive },
	{}
};

static void tune(struct socket *socket)
{
	tcp_sock_set_nodelay(socket->sk);
	socket->sk->sk_rcvtimeo = msecs_to_jiffies(BENCH_MS);
	socket->sk->sk_sndtimeo = msecs_to_jiffies(BENCH_MS);
}

static void close(void)
{
	if (near)
		sock_release(near);
	if (far)
		sock_release(far);
	near = NULL;
	far = NULL;
}

static int connect_both(struct socket *listening, struct net *near_net)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
		.sin_addr.s_addr = htonl(BENCH_FAR_ADDRESS),
	};
	struct sockaddr_unsized *address = (struct sockaddr_unsized *)&to;

	return kernel_bind(listening, address, sizeof(to)) ?:
	       kernel_listen(listening, 1) ?:
	       sock_create_kern(near_net, PF_INET, SOCK_STREAM, IPPROTO_TCP,
				&near) ?:
	       kernel_connect(near, address, sizeof(to), 0) ?:
	       kernel_accept(listening, &far, 0);
}

static int open(struct net *near_net, struct net *far_net)
{
	struct socket *listening;
	int err = sock_create_kern(far_net, PF_INET, SOCK_STREAM, IPPROTO_TCP,
				   &listening);

	if (err)
		return err;
	err = connect_both(listening, near_net);
	sock_release(listening);
	if (err) {
		close();
		return err;
	}
	tune(near);
	tune(far);
	return 0;
}

const struct transport bench_socket = {
	.name = "socket",
	.open = open,
	.close = close,
	.ways = ways,
};
