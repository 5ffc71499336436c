// SPDX-License-Identifier: GPL-2.0
/*
 * ccm_ping - every node answers, any node may ask.
 *
 *	echo 3 100 > /proc/net/ccm_ping		asks node 3 a hundred times
 *	cat /proc/net/ccm_ping			says how that went
 *
 * Shows a kernel thread that serves whichever node asks (CCM_ANY_NODE,
 * CCM_NOSEQ), how it ends, and how an answer finds the one who asked: by its
 * type and sequence number.
 */
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include <ccm/ccm.h>

#define PING_MODULE 11 /* our module number, the same on every node */
#define PING_MS 5000   /* how long we wait for an answer */

enum ping_type { PING = 1, PONG = 2 };

struct ping_net {
	struct task_struct *thread;
	struct mutex lock; /* protects the rest: one question at a time */
	u32 node, asked, answered, seqn;
	u64 ns;
};

static unsigned int ping_net_id;

/* Answers every PING with a PONG of the same sequence number and content. */
static int ping_serve(void *arg)
{
	struct net *net = arg;
	char text[64];

	while (!kthread_should_stop()) {
		struct ccm_msg msg = {
			.node = CCM_ANY_NODE,
			.module = PING_MODULE,
			.type = PING,
			.size = sizeof(text),
			.data = text,
		};
		/* kthread_stop() ends the wait; who sent how much is in msg then. */
		if (CCM_brecv(net, &msg, CCM_NOSEQ, CCM_FOREVER) < 0) {
			schedule_timeout_interruptible(HZ / 10);
			continue;
		}
		msg.type = PONG;
		CCM_bsend(net, &msg, 0, PING_MS);
	}
	return 0;
}

static int ping_once(struct net *net, u32 node, u32 seqn)
{
	char text[] = "are you there?";
	struct ccm_msg msg = {
		.node = node,
		.module = PING_MODULE,
		.type = PING,
		.seqn = seqn,
		.size = sizeof(text),
		.data = text,
	};
	int err = CCM_bsend(net, &msg, 0, PING_MS);

	if (err)
		return err;
	msg.type = PONG;
	err = CCM_brecv(net, &msg, 0, PING_MS);
	return err < 0 ? err : 0;
}

static int ping_many(struct net *net, u32 node, u32 count)
{
	struct ping_net *pn = net_generic(net, ping_net_id);
	u64 start = ktime_get_ns();
	int err = 0;

	pn->node = node;
	pn->asked = count;
	for (pn->answered = 0; pn->answered < count; pn->answered++) {
		err = ping_once(net, node, pn->seqn++);
		if (err)
			break;
	}
	pn->ns = ktime_get_ns() - start;
	return err;
}

static int ping_write(struct file *file, char *text, size_t count)
{
	struct net *net = seq_file_single_net(file->private_data);
	struct ping_net *pn = net_generic(net, ping_net_id);
	u32 node, times;
	int err;

	if (sscanf(text, "%u %u", &node, &times) != 2 || !times)
		return -EINVAL;
	mutex_lock(&pn->lock);
	err = ping_many(net, node, times);
	mutex_unlock(&pn->lock);
	return err;
}

static int ping_show(struct seq_file *seq, void *unused)
{
	struct ping_net *pn = net_generic(seq_file_single_net(seq), ping_net_id);

	mutex_lock(&pn->lock);
	seq_printf(seq, "node %u answered %u of %u, %llu us each\n", pn->node,
		   pn->answered, pn->asked,
		   div_u64(pn->ns, max(pn->answered, 1u) * NSEC_PER_USEC));
	mutex_unlock(&pn->lock);
	return 0;
}

static int __net_init ping_net_init(struct net *net)
{
	struct ping_net *pn = net_generic(net, ping_net_id);
	int err;

	mutex_init(&pn->lock);
	err = CCM_attach(net, PING_MODULE, NULL);
	if (err)
		return err;
	pn->thread = kthread_run(ping_serve, net, "ccm_ping");
	if (IS_ERR(pn->thread)) {
		err = PTR_ERR(pn->thread);
		goto detach;
	}
	if (!proc_create_net_single_write("ccm_ping", 0600, net->proc_net,
					  ping_show, ping_write, NULL)) {
		err = -ENOMEM;
		goto stop;
	}
	return 0;

stop:
	kthread_stop(pn->thread);
detach:
	CCM_detach(net, PING_MODULE);
	return err;
}

/* Detaching wakes whoever waits for an answer; removing the file waits for them. */
static void __net_exit ping_net_exit(struct net *net)
{
	struct ping_net *pn = net_generic(net, ping_net_id);

	kthread_stop(pn->thread);
	CCM_detach(net, PING_MODULE);
	remove_proc_entry("ccm_ping", net->proc_net);
}

static struct pernet_operations ping_net_ops = {
	.init = ping_net_init,
	.exit = ping_net_exit,
	.id = &ping_net_id,
	.size = sizeof(struct ping_net),
};

static int __init ping_init(void)
{
	return register_pernet_device(&ping_net_ops);
}

static void __exit ping_exit(void)
{
	unregister_pernet_device(&ping_net_ops);
}

module_init(ping_init);
module_exit(ping_exit);
MODULE_DESCRIPTION("CCM sample: every node answers, any node may ask");
MODULE_LICENSE("GPL");
