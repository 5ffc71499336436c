// SPDX-License-Identifier: GPL-2.0
// How many instructions something takes, whatever else the machine does.
#pragma once

namespace bench {

// Run it in a process of its own, which says when it begins and ends to be counted by
// mark(). -1 if that cannot be. (The kernel stops the process after each instruction.)
long count_instructions(void (*run)(void *arg), void *arg);
void mark();

} // namespace bench
