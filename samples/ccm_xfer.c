// SPDX-License-Identifier: GPL-2.0
/*
 * ccm_xfer - a pipe from node to node: the smallest useful consumer of CCM.
 *
 * /proc/net/ccm_xfer/N is the pipe to and from node N. On node 1:
 *
 *	cat picture.jpg > /proc/net/ccm_xfer/3
 *
 * and on node 3:
 *
 *	cat /proc/net/ccm_xfer/1 > picture.jpg
 *
 * Each write becomes messages of at most 64 KiB, numbered 0, 1, 2 ... by their
 * sequence number. The reader asks for exactly the number it wants next. A
 * message of no bytes ends the file. That is the whole protocol: CCM keeps the
 * bytes, the order, the receiver's memory and the waiting of both ends.
 *
 * It is a sample: one transfer at a time from node to node, and what a reader
 * left unread when it was stopped is in the way of the next one.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/uaccess.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include <ccm/ccm.h>

#define XFER_MODULE 10 /* our module number, the same on every node */
#define XFER_DATA 1    /* the one type of message we have */
#define XFER_CHUNK (64 * 1024)
#define XFER_NODES 8 /* pipes we offer: to nodes 1 to 8 */
#define XFER_SLICE 500 /* ms until a writer that waits looks around */
#define XFER_LAST 5000 /* ms that a close may wait */

/* What lies behind /proc/net/ccm_xfer/N in one network namespace. */
struct xfer_pipe {
	struct net *net;
	u32 node;
};

struct xfer_net {
	struct proc_dir_entry *dir;
	bool going; /* nobody shall wait any more */
	struct xfer_pipe pipes[XFER_NODES];
};

/* One open file: a transfer, sending or receiving. */
struct xfer {
	struct xfer_pipe *pipe;
	u32 seqn;            /* of the next message */
	struct ccm_msg msg;  /* received, and read as far as @used */
	size_t used;
	bool failed, ended;
	void *buffer;        /* for sending */
};

static unsigned int xfer_net_id;

static int xfer_send(struct xfer *xfer, void *data, size_t size, int timeout_ms)
{
	struct ccm_msg msg = {
		.node = xfer->pipe->node,
		.module = XFER_MODULE,
		.type = XFER_DATA,
		.seqn = xfer->seqn,
		.size = size,
		.data = data,
	};
	/* Waits while the receiver has no room; a signal ends the wait. */
	int err = CCM_bsend(xfer->pipe->net, &msg, 0, timeout_ms);

	if (!err)
		xfer->seqn++;
	return err;
}

/*
 * As long as it takes, but not longer than we are there: proc_remove() waits
 * for us, and nothing else would wake a sender whose receiver does not read.
 */
static int xfer_send_patiently(struct xfer *xfer, void *data, size_t size)
{
	struct xfer_net *xn = net_generic(xfer->pipe->net, xfer_net_id);
	int err;

	do {
		if (READ_ONCE(xn->going))
			return -ESHUTDOWN;
		err = xfer_send(xfer, data, size, XFER_SLICE);
	} while (err == -ETIMEDOUT);
	return err;
}

static ssize_t xfer_write(struct file *file, const char __user *from,
			  size_t count, loff_t *pos)
{
	struct xfer *xfer = file->private_data;
	size_t size = min_t(size_t, count, XFER_CHUNK);
	int err;

	if (!size)
		return 0;
	if (copy_from_user(xfer->buffer, from, size))
		return -EFAULT;
	err = xfer_send_patiently(xfer, xfer->buffer, size);
	if (err)
		xfer->failed = true;
	return err ? err : size;
}

/* Waits for the next message; CCM hands over its own buffer, nothing is copied. */
static int xfer_receive(struct xfer *xfer)
{
	int size;

	xfer->msg = (struct ccm_msg){
		.node = xfer->pipe->node,
		.module = XFER_MODULE,
		.type = XFER_DATA,
		.seqn = xfer->seqn,
	};
	size = CCM_brecv(xfer->pipe->net, &xfer->msg, CCM_HANDOVER, CCM_FOREVER);
	if (size < 0) {
		xfer->msg.data = NULL;
		return size;
	}
	xfer->seqn++;
	xfer->used = 0;
	xfer->ended = size == 0;
	return 0;
}

static ssize_t xfer_read(struct file *file, char __user *to, size_t count,
			 loff_t *pos)
{
	struct xfer *xfer = file->private_data;
	size_t size;
	int err;

	if (xfer->ended)
		return 0;
	if (!xfer->msg.data) {
		err = xfer_receive(xfer);
		if (err)
			return err;
	}
	size = min(count, xfer->msg.size - xfer->used);
	if (copy_to_user(to, xfer->msg.data + xfer->used, size))
		return -EFAULT;
	xfer->used += size;
	if (xfer->used == xfer->msg.size)
		CCM_free(&xfer->msg);
	return size;
}

static int xfer_open(struct inode *inode, struct file *file)
{
	struct xfer *xfer = kzalloc(sizeof(*xfer), GFP_KERNEL);

	if (!xfer)
		return -ENOMEM;
	xfer->pipe = pde_data(inode);
	if (file->f_mode & FMODE_WRITE) {
		xfer->buffer = kvmalloc(XFER_CHUNK, GFP_KERNEL);
		if (!xfer->buffer) {
			kfree(xfer);
			return -ENOMEM;
		}
	}
	file->private_data = xfer;
	return nonseekable_open(inode, file);
}

/*
 * The end of the file is sent for some seconds at most: a task that is being
 * killed closes its files too, and no signal would end its waiting.
 */
static int xfer_release(struct inode *inode, struct file *file)
{
	struct xfer *xfer = file->private_data;

	if (file->f_mode & FMODE_WRITE && !xfer->failed)
		xfer_send(xfer, NULL, 0, XFER_LAST);
	CCM_free(&xfer->msg);
	kvfree(xfer->buffer);
	kfree(xfer);
	return 0;
}

static const struct proc_ops xfer_ops = {
	.proc_open = xfer_open,
	.proc_read = xfer_read,
	.proc_write = xfer_write,
	.proc_release = xfer_release,
};

/* A node is a network namespace: be its consumer, and offer its pipes. */
static int __net_init xfer_net_init(struct net *net)
{
	struct xfer_net *xn = net_generic(net, xfer_net_id);
	char name[8];
	int i, err;

	err = CCM_attach(net, XFER_MODULE, NULL);
	if (err)
		return err;
	xn->dir = proc_mkdir("ccm_xfer", net->proc_net);
	if (!xn->dir)
		goto detach;
	for (i = 0; i < XFER_NODES; i++) {
		xn->pipes[i] = (struct xfer_pipe){ .net = net, .node = i + 1 };
		snprintf(name, sizeof(name), "%u", i + 1);
		if (!proc_create_data(name, 0600, xn->dir, &xfer_ops, &xn->pipes[i]))
			goto remove;
	}
	return 0;

remove:
	proc_remove(xn->dir);
detach:
	CCM_detach(net, XFER_MODULE);
	return -ENOMEM;
}

/*
 * proc_remove() waits for all who read and write, then closes the files that
 * are still open. So first let those end: detaching wakes who sleeps in
 * CCM_brecv(), and who sends sees that we go.
 */
static void __net_exit xfer_net_exit(struct net *net)
{
	struct xfer_net *xn = net_generic(net, xfer_net_id);

	WRITE_ONCE(xn->going, true);
	CCM_detach(net, XFER_MODULE);
	proc_remove(xn->dir);
}

static struct pernet_operations xfer_net_ops = {
	.init = xfer_net_init,
	.exit = xfer_net_exit,
	.id = &xfer_net_id,
	.size = sizeof(struct xfer_net),
};

static int __init xfer_init(void)
{
	return register_pernet_device(&xfer_net_ops);
}

static void __exit xfer_exit(void)
{
	unregister_pernet_device(&xfer_net_ops);
}

module_init(xfer_init);
module_exit(xfer_exit);
MODULE_DESCRIPTION("CCM sample: a pipe from node to node");
MODULE_LICENSE("GPL");
