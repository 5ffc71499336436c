#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# sockets.sh [KERNEL [PART...]]: what may happen to CCM's sockets besides a broken link: BPF programs that take them over, filter
# what comes, or lie about who is there; addresses that nobody can listen at; a path that loses large packets; a window that stays shut. Two nodes in one guest, on the stock kernels 6.1 and 6.12, or on one of them. Prints a line "ok NAME"
# or "not ok NAME" a case.
# shellcheck disable=SC2016,SC2317  # what stands in single quotes is for the guest's shell; some are called by name
source "$(dirname "$0")/managed.sh"

# --- BPF ------------------------------------------------------------------------------------------------------------

# The cgroup of an administrator is one below the root, which is everybody's.
for_bpf='mkdir -p /cg /bpf && mount -t cgroup2 none /cg && mount -t bpf none /bpf && mkdir /cg/admin && mount -t tracefs none /sys/kernel/tracing'

# configure PREFIX: node 2, which listens, by commands that PREFIX runs; node 1 from init's cgroup.
configure() {
	echo "in_node 1 ccmctl node set 1 --address 10.77.0.1 --insecure && in_node 1 ccmctl peer add 2 --address 10.77.0.2 &&
		$1 in_node 2 ccmctl node set 2 --address 10.77.0.2 --insecure &&
		in_node 2 ccmctl peer add 1 --address 10.77.0.1 && in_node 2 ccmctl listen 1" | tr -d '\n'
}

joins='in_node 1 ccmctl connect 2 --wait 5 && in_node 1 sh -c "echo 2 20 >/proc/net/ccm_ping; grep \"answered 20 of 20\" /proc/net/ccm_ping"'
ends='in_node 1 ccmctl node delete; in_node 2 ccmctl node delete; true'

# A program that governs what an administrator does must not govern the node.
administrator() {
	local what
	for what in ingress bind; do
		check "${what}_of_the_administrator" "bpf attach $what /cg/admin; $(configure as_admin) && $joins"
		on node1 "bpf detach $what /cg/admin; $ends"
	done
}

# It says that everybody comes from elsewhere.
liar() {
	check getpeername_lies "bpf attach getpeername /cg; $(configure '') && $joins"
	on node1 "bpf detach getpeername /cg; $ends"
}

# What a map of sockets finds at each socket that it takes, and saves. Kernels before 6.12 cannot tell by a field's name.
tracing=/sys/kernel/tracing
saved_begin='echo "p:taken sk_psock_init ready=sk->sk_data_ready:symbol" >'$tracing'/kprobe_events && echo 1 >'$tracing'/events/kprobes/taken/enable'
saved='grep taken: '$tracing'/trace; [ $(grep -c "taken: .*ready=sock_def_readable" '$tracing'/trace) = 5 ] && ! grep kccm '$tracing'/trace'
saved_end='echo 0 >'$tracing'/events/kprobes/taken/enable; echo >'$tracing'/kprobe_events; echo >'$tracing'/trace'

# Connections that are taken over before they are accepted.
mesh() {
	local map=$1
	[ "$kernel_name" = 6.1 ] || check "${map}_is_watched" "$saved_begin"
	check "$map" "bpf attach $map-passive /cg /bpf/counts && $(configure '')"
	on node1 '$IP netns exec node2 ccmctl -j monitor >/tmp/events & watcher=$!; sleep 1'
	check "${map}_keeps_out" \
		'(for n in 1 2 3 4 5; do ! in_node 1 ccmctl connect 2 --wait 3 || exit 1; done)'
	# Each was in the map, and each is told of.
	check "${map}_is_named" \
		'cat /tmp/events; wait_for 5 taken_are_told 5 && bpf counts /bpf/counts | grep "taken 5 refused 0"'
	[ "$kernel_name" = 6.1 ] || {
		check "${map}_saves_nothing_of_ours" "$saved"
		on node1 "$saved_end"
	}
	check "${map}_gone" "bpf detach $map-passive /cg; $joins"
	on node1 "kill \$watcher; rm /bpf/counts; $ends"
}

# Our own, from the beginning: nobody can take them.
kept() {
	local when
	for when in active listen; do
		check "kept_$when" "bpf attach sockmap-$when /cg /bpf/counts; $(configure '') && $joins"
		check "kept_${when}_all" 'bpf counts /bpf/counts; bpf counts /bpf/counts | grep "taken 0 refused [1-9]"'
		on node1 "bpf detach sockmap-$when /cg; rm /bpf/counts; $ends"
	done
}

# --- addresses ------------------------------------------------------------------------------------------------------

# The listener binds, and who asked is told at once what came of it: the kernel's own error, and what may be the matter.
refuses='refuses() { said=$(in_node 2 ccmctl node set 2 --address $1 --insecure 2>&1) && return 1; echo "$said"; for words in "Cannot assign" "$2"; do echo "$said" | grep -q "$words" || return 1; done; }'
takes='takes() { in_node 2 ccmctl node set 2 --address $1 --insecure && in_node 2 ccmctl node delete; }'
mended='link_commands to1 2 1 | $IP -force -n node2 -batch - 2>/dev/null; true'

addresses() {
	on node1 "$refuses"
	on node1 "$takes"
	check bind_fails 'refuses 10.77.0.99 "no interface here has it"'
	check bind_again "$(configure '') && in_node 1 ccmctl show && ! in_node 2 ccmctl node set 2 --address 10.77.0.2 --insecure && $joins"
	on node1 "$ends"
	# For three seconds it asks whether another machine has this address.
	check tentative 'in_node 2 sh -c "echo 3 >/proc/sys/net/ipv6/conf/to1/dad_transmits" && $IP -n node2 addr add fd77::99/128 dev to1 && refuses fd77::99 "tentative still"'
	check tentative_no_more 'wait_for 10 takes fd77::99'
	check ipv6_off 'takes fd77::2 && in_node 2 sh -c "echo 1 >/proc/sys/net/ipv6/conf/to1/disable_ipv6" && refuses fd77::2 "IPv6 is off on its interface"'
	check ipv6_on "in_node 2 sh -c 'echo 0 >/proc/sys/net/ipv6/conf/to1/disable_ipv6'; $mended; takes fd77::2"
	check vrf '$IP -n node2 link add red type vrf table 10 && $IP -n node2 link set red up && $IP -n node2 link set to1 master red && refuses 10.77.0.2 "belongs to a VRF"'
	check vrf_no_more "\$IP -n node2 link del red && $mended; takes 10.77.0.2 && $(configure '') && $joins"
	on node1 "$ends"
}

# --- paths ----------------------------------------------------------------------------------------------------------

# watched INTERVAL LIMIT: the two are joined, with heartbeats, and what they tell is noted.
watched() {
	echo "$(configure '') && $joins && in_node 1 ccmctl peer set 2 --interval $1 --limit $2 &&
		in_node 2 ccmctl peer set 1 --interval $1 --limit $2 && watch_begin && sleep 2" | tr -d '\n'
}

told_why='why() { changes 2; changes 1 | awk -v why="$1" "{ print } \$3 == \"down\" { last = \$4 } END { exit last != why }"; }'

# Somewhere on the way from node 1 to node 2 is a switch without jumbo frames, as it were: packets of more than 1000 bytes
# are lost, and nobody says so. Heartbeats are small.
path() {
	local shrinks='qdisc add dev to1 clsact && $TC -n node2 filter add dev to1 ingress matchall action police'
	shrinks+=' rate 10gbit burst 10m mtu 1000 conform-exceed drop/pass'
	local sends='head -c 300000 /dev/zero | in_node 1 tee /proc/net/ccm_xfer/2 >/dev/null'
	# What the sender hands to its link is no larger than what would be on a wire.
	check path_joins '$IP -n node1 link set to2 gso_max_segs 1; '"$(watched 1000 3)"
	check path_shrinks "\$TC -n node2 $shrinks; sleep 10; none_told down 0 1 2 2 1"
	check path_loses "fault=\$(now); { $sends; } & sleep 1"
	# Three seconds from the first look that finds it, which may be an interval away; then there are four of them in each.
	check path_seen 'told_within 4300 down $fault 1 2 && why path'
	check path_seen_there 'told_within 4400 down $fault 2 1'
	check path_in_words 'in_node 1 ccmctl show 2 | grep MTU'
	on node1 '$TC -n node2 qdisc del dev to1 clsact'
	check path_mended 'wait_for 5 in_node 1 ccmctl connect 2 --wait 5'
	on node1 'in_node 2 head -c 300000 /proc/net/ccm_xfer/1 >/tmp/got & reader=$!'
	check path_passes "$sends && wait \$reader && [ \$(wc -c </tmp/got) = 300000 ]"
	on node1 "watch_end; $ends"
}

# Node 2's listener reads nothing, so that its window shuts, for a good while; then its machine is gone.
large='in_node 1 sh -c "cat /dev/zero >/proc/net/ccm_xfer/2" & sleep 2'
small='in_node 1 sh -c "for i in \$(seq 4000); do echo call 2; done >/proc/net/ccm_hold"'

# window NAME FILL INTERVAL LIMIT SECONDS
window() {
	local name=$1
	check "${name}_joins" "insmod /modules/ccm_hold.ko; $(watched "$3" "$4")"
	check "${name}_fills" "in_node 1 sh -c 'echo stall 2 >/proc/net/ccm_hold'; $2; sleep $5"
	check "${name}_is_no_fault" 'in_node 1 ccmctl -j show 2 | grep "\"state\": \"stalled\"" && none_told down 0 1 2'
	check "${name}_dies" 'fault=$(now); part 1 2; sleep '$(($3 * $4 / 1000 + 2))
	check "${name}_seen" "told_within $(($3 * $4 + 1000)) down \$fault 1 2 && why silent"
	check "${name}_mended" 'join 1 2; in_node 2 sh -c "echo let_go 0 >/proc/net/ccm_hold"; wait_for 10 in_node 1 ccmctl connect 2 --wait 5'
	on node1 "watch_end; $ends; rmmod ccm_hold"
}

# --------------------------------------------------------------------------------------------------------------------

bpf() {
	local map
	check bpf "$for_bpf"
	administrator
	liar
	for map in sockmap sockhash verdict; do mesh "$map"; done
	kept
}

windows() {
	window shut_large "$large" 1000 3 100
	window shut_small "$small" 100 3 30
	window shut_seldom "$large" 10000 2 60
}

all() { bpf; addresses; path; windows; }

# one_kernel KERNEL PART...
one_kernel() {
	local kernel part kernel_name=$1
	suite=sockets-$1
	shift
	cluster_begin "$top/build/vm/$suite"
	counted_kernel "${suite#*-}"
	guest_drivers+=(sch_ingress cls_matchall act_police vrf)
	say "==> $suite: sockets and their neighbours on $(cat "$kernel/release")"
	make -s -C "$top" ccmctl >&2
	make_program_for x86_64 "$vm/bpf"
	guest node1 "$kernel" "${for_managers[@]}" "$top/build/bpf:usr/bin/bpf" "$(tool tc):usr/lib/iproute2/tc" \
		"$top/build/$(cat "$kernel/release")/consumers/tests/vm/consumer/ccm_hold.ko:modules/ccm_hold.ko"
	guest_ready node1
	on node1 'nodes 2; . /lib/ccm/manager.sh; . /lib/ccm/faults.sh'
	on node1 "$told_why"
	on node1 'for m in kccm ccm_ping ccm_xfer; do insmod /modules/$m.ko; done'
	on node1 'taken_are_told() { [ "$(grep -c "\"reason\":\"taken\"" /tmp/events)" = "$1" ]; }'
	on node1 'as_admin() { (echo 0 >/cg/admin/cgroup.procs; "$@"); }'
	for part; do "$part"; done
	check end nodes_end
	check unload 'rmmod ccm_xfer ccm_ping kccm && nothing_left'
	"$vm/judge.sh" "$cluster/node1/console.log" "$suite: console_is_clean" || failed=1
	cluster_end
}

patience=200
series=(6.1 6.12)
[ $# = 0 ] || series=("$1")
shift $(($# > 0))
for one in "${series[@]}"; do one_kernel "$one" "${@:-all}"; done
exit $failed
