#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# faults_vms.sh [TIMES]: three machines on one Ethernet, each kept in the cluster by `ccmctl manage`; one is killed and
# starts again, one is stopped for a while, as often as told. How long it takes until the others notice, and until all are
# joined again, by the host's clock. Prints a line "ok NAME" or "not ok NAME" a case; the times and their goals go to
# standard error.
# shellcheck disable=SC2016,SC2317  # what stands in single quotes is for a guest's shell; `attempt` calls functions
source "$(dirname "$0")/managed.sh"

# Goals in milliseconds, with a heartbeat a second and three that may be missed.
silence=3600 healed=2000

# machine N: starts it.
machine() { guest "node$1" "$stock" "${for_managers[@]}" "$cluster/key:key"; }

# becomes_node N: once it runs. Its namespace is the machine's own.
becomes_node() {
	guest_ready "node$1"
	on "node$1" '. /lib/ccm/manager.sh; . /lib/ccm/faults.sh; in_node() { shift; "$@"; }; count=3'
	on "node$1" "interval=1; file 1 3 >/tmp/cluster.toml; cp -p /key /tmp/key; insmod /modules/kccm.ko"
	on "node$1" "ccmctl -j monitor >>/tmp/events$1 & forget"
}

manage() { on "node$1" 'ccmctl manage /tmp/cluster.toml >/tmp/log 2>&1 &'; }

# mark_time: what is told from here on counts, and time begins now. Each guest has a clock of its own.
mark_time() {
	local n
	for n in "$@"; do on "node$n" 'since=$(now)'; done
	began=$(host_ms)
}

# told_within MS STATE N M [N M]...: each node N tells so of its peer M, the last one no later than that.
told_within() {
	local goal=$1 state=$2 took
	shift 2
	while [ $# -gt 0 ]; do
		on "node$1" "await $state \$since $1 $2" || return 1
		shift 2
	done
	took=$(($(host_ms) - began))
	echo "# ms until $state: $took (goal: at most $goal)"
	[ "$took" -le "$goal" ]
}

set_up() {
	local n
	suite=faults-vms
	stock=$("$vm/stock.sh" 6.12)
	say "==> $suite: three machines with Debian's $(cat "$stock/release")"
	make_for "$stock" samples
	make -s -C "$top" ccmctl >&2
	cluster_begin "$top/build/vm/$suite"
	"$top/build/ccmctl" genkey "$cluster/key"
	hub 3
	for n in 1 2 3; do machine $n; done
	for n in 1 2 3; do becomes_node $n; done
	mark_time 1 2 3
	for n in 1 2 3; do manage $n; done
	attempt joined told_within $healed up 1 2 1 3 2 1 2 3 3 1 3 2
}

judged() { "$vm/judge.sh" "$cluster/node$1/console.log" "$suite: $2" || failed=1; }

killed() {
	attempt killed_before on node1 'old=$(life_of 3 1); [ -n "$old" ]'
	mark_time 1 2
	guest_kill node3
	attempt killed_seen told_within $silence down 1 3 2 3
	judged 3 killed_console_is_clean
	machine 3
	becomes_node 3
	mark_time 1 2 3
	manage 3
	attempt killed_joined_again told_within $healed up 1 3 2 3 3 1 3 2
	attempt killed_new_life on node1 'new=$(life_of 3 1); echo "$old, then $new"; [ -n "$new" ] && [ "$new" != "$old" ]'
}

stopped() {
	attempt stopped_before on node1 'old=$(life_of 3 1); lives=$(life_of 2 1); forget'
	on node3 forget
	mark_time 1 2
	kill -STOP "${guest_pid[node3]}"
	attempt stopped_seen told_within $silence down 1 3 2 3
	sleep 5
	# Of node 3 too, which is not there to be asked, what it tells from here on counts.
	mark_time 1 2
	kill -CONT "${guest_pid[node3]}"
	on node3 'since=0'
	attempt stopped_back told_within $healed up 1 3 2 3 3 1 3 2
	attempt stopped_same_life on node1 '[ "$(life_of 3 1)" = "$old" ] && [ "$(life_of 2 1)" = "$lives" ]'
	attempt stopped_others_calm on node1 'none_told down 0 1 2'
}

set_up
for _ in $(seq "${1:-1}"); do
	killed
	stopped
done
for n in 1 2 3; do
	attempt "node${n}_unloads" on "node$n" 'killall ccmctl; wait_for 5 rmmod kccm && nothing_left'
	judged $n "node${n}_console_is_clean"
done
cluster_end
exit $failed
