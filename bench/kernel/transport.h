/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a transport is to the bench. Each has a file of its own and is listed in
 * bench.c; nothing else knows it.
 */
#ifndef CCM_BENCH_TRANSPORT_H
#define CCM_BENCH_TRANSPORT_H

#include <linux/types.h>

struct net;

/* How long an operation may take. By the guest's clock, so this is 10^10 instructions. */
#define BENCH_MS 10000

/* Node 2's address; node 1's is what it routes from. */
#define BENCH_FAR_ADDRESS 0x0a4d0002 /* 10.77.0.2 */

enum work {
	PING_PONG, /* a message there, the same one back */
	ONE_WAY, /* a message there */
	CALL_ANSWER, /* a message there, an answer without data back */
	BULK, /* as ONE_WAY, large */
};

/**
 * struct way - how a transport does one kind of work
 * @work: which
 * @by: the calls it is done by, without blanks
 * @near: node 1's half of one operation: sends @data; an echo goes to @echo.
 *	Returns 0 or a negative errno, also if what came back is not right
 * @far: node 2's half, on a thread of the bench's, with room for a message at
 *	@room; NULL if the transport has a thread of its own for that
 *
 * Node 2's half says bench_arrived() once an operation.
 */
struct way {
	enum work work;
	const char *by;
	int (*near)(const void *data, void *echo, size_t size);
	int (*far)(void *room, size_t size);
};

/**
 * struct transport - something that carries messages from node to node
 * @name: as in the results
 * @open: get ready in both namespaces
 * @close: undo that
 * @ways: ends with one that has no @near
 */
struct transport {
	const char *name;
	int (*open)(struct net *near, struct net *far);
	void (*close)(void);
	const struct way *ways;
};

extern const struct transport bench_ccm, bench_socket, bench_sunrpc;

/* Whether contents are being compared now, and nothing counted. */
extern bool bench_checking;

void bench_arrived(const void *data, size_t size);

#endif /* CCM_BENCH_TRANSPORT_H */
