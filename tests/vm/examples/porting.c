// SPDX-License-Identifier: GPL-2.0
#include <linux/net.h>
#include <linux/socket.h>
#include <linux/string.h>
#include <linux/uio.h>
#include <net/net_namespace.h>

#include "examples.h"

enum { MY_READ = 3 };

struct my_header {
	__be32 op, number, size;
};

#include "port-before.inc"

/* The answer stands in the socket when the question is asked. */
static int ask_over(struct socket *mine, struct socket *other)
{
	struct {
		struct my_header head;
		char block[16];
	} said = { { .size = cpu_to_be32(16) }, "what is in there" };
	struct my_header asked;
	struct kvec out = { &said, sizeof(said) }, in = { &asked, sizeof(asked) };
	struct msghdr msg = {};
	char block[16];

	EXPECT(kernel_sendmsg(other, &msg, &out, 1, sizeof(said)) == sizeof(said));
	EXPECT(my_ask_before(mine, 42, block, sizeof(block)) == sizeof(block));
	EXPECT(!memcmp(block, said.block, sizeof(block)));
	EXPECT(kernel_recvmsg(other, &msg, &in, 1, sizeof(asked), MSG_WAITALL) == sizeof(asked));
	EXPECT(asked.op == cpu_to_be32(MY_READ) && asked.number == cpu_to_be32(42));
	return 0;
}

static int run_port_before(struct net *net, u32 node)
{
	struct socket *mine, *other;
	int err = sock_create_kern(net, AF_UNIX, SOCK_STREAM, 0, &mine);

	if (err)
		return err;
	err = sock_create_kern(net, AF_UNIX, SOCK_STREAM, 0, &other);
	if (!err) {
		err = mine->ops->socketpair(mine, other) ?: ask_over(mine, other);
		sock_release(other);
	}
	sock_release(mine);
	return err;
}

const struct chapter porting = {
	.examples = (const struct example[]){
		{ "port-before", run_port_before },
		{}
	},
};
