// SPDX-License-Identifier: GPL-2.0
// The runner counts what the core has allocated. Here is no core; the address
// sanitizer finds leaks.
extern "C" {
#include "kernel/memory.h"

long ccm_memory_count(void)
{
	return 0;
}

long ccm_memory_live(void)
{
	return 0;
}

void ccm_memory_fail(int /*nth*/)
{
}
}
