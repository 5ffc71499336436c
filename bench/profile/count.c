// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin of QEMU: how often the guest executes each instruction between the
 * marks of bench/kernel/load.c. When the guest ends it writes to the file that
 * out= names how many runs were marked, then a line each: address, times.
 *
 * Debian has no package with qemu-plugin.h; what is used of it stands here.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, void (*translated)(uint64_t id, struct qemu_plugin_tb *block));
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int op, void *to, uint64_t value);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*executed)(unsigned int cpu, void *data), int flags, void *data);
void qemu_plugin_register_atexit_cb(uint64_t id, void (*at_exit)(uint64_t id, void *data), void *data);

enum { ADD = 0, NO_REGISTERS = 0 };

#define EXPORTED __attribute__((visibility("default")))
EXPORTED int qemu_plugin_version = 1;

#define SLOTS ((size_t)1 << 22) /* a kernel and its modules have a tenth of that */

static struct slot {
	uint64_t address; /* 0: free */
	uint64_t times; /* since the guest began */
	uint64_t marked; /* of those, between marks */
} *slots;
static bool between_marks;
static uint64_t runs;
static const char *out = "counts";

static struct slot *slot_of(uint64_t address)
{
	size_t at = (address * 0x9e3779b97f4a7c15) >> 42;

	while (slots[at].address && slots[at].address != address)
		at = (at + 1) % SLOTS;
	slots[at].address = address;
	return &slots[at];
}

/* What was executed before does not count; wraps around in between. */
static void begin(unsigned int cpu, void *unused)
{
	for (size_t i = 0; i < SLOTS && !between_marks; i++)
		slots[i].marked -= slots[i].times;
	runs += !between_marks;
	between_marks = true;
}

static void end(unsigned int cpu, void *unused)
{
	for (size_t i = 0; i < SLOTS && between_marks; i++)
		slots[i].marked += slots[i].times;
	between_marks = false;
}

static bool is(const struct qemu_plugin_insn *insn, const char *bytes)
{
	return qemu_plugin_insn_size(insn) == strlen(bytes) &&
	       memcmp(qemu_plugin_insn_data(insn), bytes, strlen(bytes)) == 0;
}

static void translated(uint64_t id, struct qemu_plugin_tb *block)
{
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(block, i);
		struct slot *slot = slot_of(qemu_plugin_insn_vaddr(insn));

		qemu_plugin_register_vcpu_insn_exec_inline(insn, ADD, &slot->times, 1);
		if (is(insn, "\x66\x87\xdb")) /* xchg %bx, %bx */
			qemu_plugin_register_vcpu_insn_exec_cb(insn, begin, NO_REGISTERS, NULL);
		if (is(insn, "\x66\x87\xc9")) /* xchg %cx, %cx */
			qemu_plugin_register_vcpu_insn_exec_cb(insn, end, NO_REGISTERS, NULL);
	}
}

static void write_counts(uint64_t id, void *unused)
{
	FILE *file = fopen(out, "w");

	if (!file) {
		perror(out);
		return;
	}
	fprintf(file, "%" PRIu64 "\n", runs);
	for (size_t i = 0; i < SLOTS; i++)
		if (slots[i].marked)
			fprintf(file, "%" PRIx64 " %" PRIu64 "\n", slots[i].address, slots[i].marked);
	fclose(file);
}

EXPORTED int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	if (argc > 0 && strncmp(argv[0], "out=", 4) == 0)
		out = strdup(argv[0] + 4);
	slots = calloc(SLOTS, sizeof(*slots));
	if (!slots)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, write_counts, NULL);
	return 0;
}
