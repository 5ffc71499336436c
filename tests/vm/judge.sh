#!/usr/bin/env bash
# judge.sh CONSOLE.log NAME: "ok NAME" when the kernel complained of nothing in it, else "not ok NAME" and what it said.
source "$(dirname "$0")/lib.sh"

[ $# = 2 ] || usage
complaints='WARNING:|BUG:|KASAN:|UBSAN:|KCSAN:|ODEBUG:|INFO: (task|rcu|possible|trying)|rcu: INFO|Oops|Call [Tt]race:'
complaints+='|general protection|Unable to handle kernel|Kernel panic|unreferenced object'
complaints+='|possible (recursive|circular|irq lock)|inconsistent lock'
complaints+='|suspicious RCU|scheduling while atomic|sleeping function|refcount_t:|soft lockup|hung task|memory leaks'
complaints+='|held lock|DEBUG_LOCKS|Modules linked in|not leaked at|has not been freed|still has locks|bad unlock|leaked reference'

if grep -nE "$complaints" "$1" >&2; then
	say "--- the console around the first complaint ($1):"
	grep -m1 -B3 -A40 -E "$complaints" "$1" >&2
	echo "not ok $2"
	exit 1
else
	echo "ok $2"
fi
