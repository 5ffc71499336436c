#!/usr/bin/env bash
# sockets.sh [KERNEL...]: who else has a hand in CCM's sockets: BPF programs that take them over, filter what comes, or
# lie about who is there. Two nodes in one guest, on the stock kernels 6.1 and 6.12, or on these. Prints a line "ok NAME"
# or "not ok NAME" a case.
# shellcheck disable=SC2016,SC2317  # what stands in single quotes is for the guest's shell; some are called by name
source "$(dirname "$0")/managed.sh"

# --- BPF ------------------------------------------------------------------------------------------------------------

# The cgroup of an administrator is one below the root, which is everybody's.
for_bpf='mkdir -p /cg /bpf && mount -t cgroup2 none /cg && mount -t bpf none /bpf && mkdir /cg/admin'

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

# The listener binds, and who asked is told at once what came of it.
bind_errors() {
	check bind_fails "in_node 2 ccmctl node set 2 --address 10.77.0.99 --insecure 2>&1 | grep 'cannot listen at this address'"
	check bind_again "$(configure '') && in_node 1 ccmctl show && ! in_node 2 ccmctl node set 2 --address 10.77.0.2 --insecure && $joins"
	on node1 "$ends"
}

# It says that everybody comes from elsewhere.
liar() {
	check getpeername_lies "bpf attach getpeername /cg; $(configure '') && $joins"
	on node1 "bpf detach getpeername /cg; $ends"
}

# Connections that are taken over before they are accepted.
mesh() {
	local map=$1
	check "$map" "bpf attach $map-passive /cg /bpf/counts && $(configure '')"
	on node1 '$IP netns exec node2 ccmctl -j monitor >/tmp/events & watcher=$!; sleep 1'
	check "${map}_keeps_out" \
		'(for n in 1 2 3 4 5; do ! in_node 1 ccmctl connect 2 --wait 3 || exit 1; done)'
	# Each was in the map, and each is told of.
	check "${map}_is_named" \
		'cat /tmp/events; wait_for 5 taken_are_told 5 && bpf counts /bpf/counts | grep "taken 5 refused 0"'
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

# --------------------------------------------------------------------------------------------------------------------

one_kernel() {
	local kernel map
	suite=sockets-$1
	cluster_begin "$top/build/vm/$suite"
	counted_kernel "$1"
	say "==> $suite: sockets and their neighbours on $(cat "$kernel/release")"
	make -s -C "$top" ccmctl >&2
	make_program_for x86_64 "$vm/bpf"
	guest node1 "$kernel" "$top/build/bpf:usr/bin/bpf"
	guest_ready node1
	on node1 'nodes 2; insmod /modules/kccm.ko && insmod /modules/ccm_ping.ko'
	on node1 'taken_are_told() { [ "$(grep -c "\"reason\":\"taken\"" /tmp/events)" = "$1" ]; }'
	on node1 'as_admin() { (echo 0 >/cg/admin/cgroup.procs; "$@"); }'
	check bpf "$for_bpf"
	administrator
	bind_errors
	liar
	for map in sockmap sockhash verdict; do mesh "$map"; done
	kept
	check end nodes_end
	check unload 'rmmod ccm_ping kccm && nothing_left'
	"$vm/judge.sh" "$cluster/node1/console.log" "$suite: console_is_clean" || failed=1
	cluster_end
}

[ $# -gt 0 ] || set -- 6.1 6.12
for one; do one_kernel "$one"; done
exit $failed
