#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# crowd.sh [COUNT [DELAY_MS [GOAL_MS]]]: many nodes that join one at the same time, over a path with latency, each in a network
# namespace of one guest with one processor, whose clock goes by instructions. On the stock kernel 6.12. Prints a line
# "ok NAME" or "not ok NAME" a case; the time and its goal go to standard error.
source "$(dirname "$0")/managed.sh"

count=${1:-128} delay=${2:-100} goal=${3:-1000}
suite=crowd

cluster_begin "$top/build/vm/$suite"
counted_kernel 6.12
say "==> $suite: $count nodes join one, $delay ms away, on $(cat "$kernel/release")"
make -s -C "$top" ccmctl >&2
make_program_for x86_64 "$vm/crowd"
guest node1 "$kernel" "$vm/guest/crowd.sh:lib/ccm/crowd.sh" "$top/build/crowd:usr/bin/crowd" "$(tool tc):usr/lib/iproute2/tc"
guest_ready node1
on node1 '. /lib/ccm/crowd.sh'
check members "members $count $delay"
on node1 'insmod /modules/kccm.ko'
check "join_${count}_at_${delay}_ms" "crowd $count $goal"
check end members_end
check unload 'rmmod kccm && nothing_left'
"$vm/judge.sh" "$cluster/node1/console.log" "$suite: console_is_clean" || failed=1
cluster_end
exit $failed
