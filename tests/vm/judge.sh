#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# judge.sh CONSOLE.log NAME: "ok NAME" when the kernel complained of nothing in it since its init ran, else "not ok NAME"
# and what it said. On a busy host a kernel may stall in its own boot, which is no fault of ours.
source "$(dirname "$0")/lib.sh"
source "$vm/machine.sh"

[ $# = 2 ] || usage
complaints='WARNING:|BUG:|KASAN:|UBSAN:|KCSAN:|ODEBUG:|INFO: (task|rcu|possible|trying)|rcu: INFO|Oops|Call [Tt]race:'
complaints+='|general protection|Unable to handle kernel|Kernel panic|unreferenced object'
complaints+='|possible (recursive|circular|irq lock)|inconsistent lock'
complaints+='|suspicious RCU|scheduling while atomic|sleeping function|refcount_t:|soft lockup|hung task|memory leaks'
complaints+='|held lock|DEBUG_LOCKS|Modules linked in|not leaked at|has not been freed|still has locks|bad unlock|leaked reference'

if ! reached_init "$1"; then
	say "--- its init never ran ($1):"
	tail -n 40 "$1" >&2
	echo "not ok $2"
	exit 1
fi
since_init=$(sed -n "/$init_runs/,\$p" "$1")
if grep -E "$complaints" <<<"$since_init" >&2; then
	say "--- the console around the first complaint ($1):"
	grep -m1 -B3 -A40 -E "$complaints" <<<"$since_init" >&2
	echo "not ok $2"
	exit 1
fi
echo "ok $2"
