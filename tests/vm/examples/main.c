// SPDX-License-Identifier: GPL-2.0
/*
 * ccm_examples - runs the examples of Documentation/api.rst, one by one, with
 * another node that has loaded this too.
 *
 *	# cat /proc/net/ccm_examples		which there are
 *	# echo bsend 2 >/proc/net/ccm_examples	an error means that it failed
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <net/net_namespace.h>

#include "examples.h"

static const struct chapter *const chapters[] = {
	&attaching,
	&messages,
	&calls,
	&connections,
	&porting,
};

static const struct example *find(const char *name)
{
	const struct example *example;
	int i;

	for (i = 0; i < ARRAY_SIZE(chapters); i++)
		for (example = chapters[i]->examples; example->name; example++)
			if (!strcmp(example->name, name))
				return example;
	return NULL;
}

static int examples_write(struct file *file, char *text, size_t count)
{
	struct net *net = seq_file_single_net(file->private_data);
	const struct example *example;
	char name[32];
	u32 node;
	int err;

	if (sscanf(text, "%31s %u", name, &node) != 2)
		return -EINVAL;
	example = find(name);
	if (!example)
		return -ENOENT;
	err = example->run(net, node);
	if (err)
		pr_err("ccm_examples: %s: %pe\n", name, ERR_PTR(err));
	return err;
}

static int examples_show(struct seq_file *seq, void *unused)
{
	const struct example *example;
	int i;

	for (i = 0; i < ARRAY_SIZE(chapters); i++)
		for (example = chapters[i]->examples; example->name; example++)
			seq_printf(seq, "%s\n", example->name);
	return 0;
}

static int __net_init examples_net_init(struct net *net)
{
	return proc_create_net_single_write("ccm_examples", 0600, net->proc_net,
					    examples_show, examples_write, NULL) ?
		       0 :
		       -ENOMEM;
}

static void __net_exit examples_net_exit(struct net *net)
{
	remove_proc_entry("ccm_examples", net->proc_net);
}

static struct pernet_operations examples_net_ops = {
	.init = examples_net_init,
	.exit = examples_net_exit,
};

static void unregister(int count)
{
	while (count-- > 0)
		if (chapters[count]->ops)
			unregister_pernet_device(chapters[count]->ops);
}

static int __init examples_init(void)
{
	int i, err = 0;

	for (i = 0; i < ARRAY_SIZE(chapters); i++) {
		if (chapters[i]->ops)
			err = register_pernet_device(chapters[i]->ops);
		if (err)
			break;
	}
	if (!err)
		err = register_pernet_device(&examples_net_ops);
	if (err)
		unregister(i);
	return err;
}

static void __exit examples_exit(void)
{
	unregister_pernet_device(&examples_net_ops);
	unregister(ARRAY_SIZE(chapters));
}

module_init(examples_init);
module_exit(examples_exit);
MODULE_DESCRIPTION("The examples of CCM's documentation");
MODULE_LICENSE("GPL");
