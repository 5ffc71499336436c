/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The examples of Documentation/api.rst, compiled and run. Each is a file NAME.inc
 * that examples.sh has taken out of there, and is included in one place.
 */
#ifndef EXAMPLES_H
#define EXAMPLES_H

#include <linux/printk.h>
#include <linux/types.h>

#include <ccm/ccm.h>

struct net;
struct pernet_operations;

#define SOON 10000 /* ms */

/* An error, and which one in the log. */
#define EXPECT(condition)						\
do {									\
	if (!(condition)) {						\
		pr_err("ccm_examples: %s: not %s\n", __func__,		\
		       #condition);					\
		return -EPROTO;						\
	}								\
} while (0)

/* Runs an example with another node, and sees that it does what it says. */
struct example {
	const char *name;
	int (*run)(struct net *net, u32 node);
};

/* A file's examples, up to one without a name; and what they need in each namespace. */
struct chapter {
	struct pernet_operations *ops;
	const struct example *examples;
};

extern const struct chapter attaching, messages, calls, connections, porting;

#endif /* EXAMPLES_H */
