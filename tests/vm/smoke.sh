#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# smoke.sh [newest|ARCH...]: the plain build on stock kernels: load, two nodes, traffic, each call of the paper's Table 1 by
# the module in consumer/, the examples of the documentation, what an administrator sees, unload, on 6.1 and on 6.12;
# then a machine with 6.1 talks with one with 6.12. With "newest" on the newest kernels that Debian offers, and on
# PREEMPT_RT. With architectures (x86_64, arm64, s390x) a cluster of them instead,
# in which each talks with each. Prints a line "ok NAME" or "not ok NAME" a case.
source "$(dirname "$0")/lib.sh"
source "$vm/cluster.sh"
source "$vm/watch.sh"
source "$vm/unload.sh"

failed=0

# check CASE COMMAND...: one case. What the command printed is shown when it fails.
check() {
	local name="smoke-$run: $1"
	shift
	if "$@" >"$cluster/last" 2>&1; then
		echo "ok $name"
	else
		failed=1
		echo "not ok $name"
		say "not ok $name"
		sed 's/^/    /' "$cluster/last" >&2
	fi
}

# netlink GUEST NAME WHERE COMMAND: the cases of bad_requests for a guest that is WHERE (see there); COMMAND runs it.
netlink() {
	check "$2" on "$1" "$4 bad_requests $3"
	sed -nE "s/^(not )?ok /&smoke-$run: $2./p" "$cluster/last"
}

# A complaint of the compiler about an example is a failure too.
# shellcheck disable=SC2317  # `check` calls this
build() { make_for "$1" samples test-consumer examples; }

# From nothing, and without a word.
# shellcheck disable=SC2317  # `check` calls this
builds_cleanly() {
	rm -rf "${top:?}/build/$(cat "$1/release")"
	build "$1" >"$cluster/make.log" 2>&1 && ! grep . "$cluster/make.log"
}

ping_command() { echo "sh -c 'echo $1 100 >/proc/net/ccm_ping; grep \"answered 100 of 100\" /proc/net/ccm_ping'"; }

# lists_nodes PREFIX NODES: each node has a first process.
lists_nodes() {
	echo "$1 cat /proc/net/ccm_ps >/tmp/ps; [ \"\$(awk '\$2 == 1 { print \$1 }' /tmp/ps | xargs)\" = '$2' ]"
}

# start NAME STOCK: a guest that has the test's own consumers too.
start() {
	local file own=()
	for file in "$top/build/$(cat "$2/release")"/consumers/tests/vm/*/*.ko; do
		own+=("$file:modules/${file##*/}")
	done
	guest "$1" "$2" "${own[@]}" "${@:3}"
}

# The cases of ccm_table in consumer/: from one node to another, and within one.
to_others=(short long arecv answer async call_back long_call messages no_handler)
within=(regist send_self)

# each CONSUMER GUEST PREFIX FROM TO CASE...: what the consumer does from one node with another.
each() {
	local consumer=$1 guest=$2 prefix=$3 from=$4 to=$5 name
	shift 5
	for name; do
		check "$from-$to.${consumer#ccm_}.$name" on "$guest" \
			"$prefix sh -c 'echo $name $to >/proc/net/$consumer' || { dmesg | tail -n 3; false; }"
	done
}

# The examples of api.rst, in both directions. Of two nodes the lower one connects, so only that can close.
examples() {
	local guest_a=$1 guest_b=$2 a=$3 b=$4 names
	mapfile -t names < <(on "$guest_a" "$a cat /proc/net/ccm_examples")
	check examples_are_there test "${#names[@]}" -gt 10
	each ccm_examples "$guest_a" "$a" 1 2 "${names[@]}"
	each ccm_examples "$guest_b" "$b" 2 1 "${names[@]/#close/connect}"
}

# transfer GUEST_A GUEST_B FROM TO PREFIX_A PREFIX_B: a file, between these two nodes.
# shellcheck disable=SC2016  # $receiver is the guest's
transfer() {
	local guest_a=$1 guest_b=$2 from=$3 to=$4 a=$5 b=$6
	on "$guest_b" "$b cat /proc/net/ccm_xfer/$from >/tmp/received & receiver=\$!"
	on "$guest_a" "head -c 4000000 /dev/urandom >/tmp/sent"
	check "$from-$to.send" on "$guest_a" "$a cp /tmp/sent /proc/net/ccm_xfer/$to"
	check "$from-$to.receive" on "$guest_b" 'wait $receiver'
	check "$from-$to.same" test "$(on "$guest_a" 'sha256sum </tmp/sent')" = \
		"$(on "$guest_b" 'sha256sum </tmp/received')"
}

# For either half: $a and $b are what precedes a command on node 1 and node 2; both guests may be one.
traffic() {
	local guest_a=$1 guest_b=$2 a=$3 b=$4
	check configure on "$guest_a" \
		"$a ccmctl node set 1 --address 10.77.0.1 --cluster smoke --insecure && $a ccmctl peer add 2 --address 10.77.0.2"
	check configure_other on "$guest_b" \
		"$b ccmctl node set 2 --address 10.77.0.2 --cluster smoke --insecure && $b ccmctl peer add 1 --address 10.77.0.1"
	check listen on "$guest_b" "$b ccmctl listen 1"
	check connect on "$guest_a" "$a ccmctl connect 2 --wait 30"
	check ping on "$guest_a" "$a $(ping_command 2)"
	check ping_back on "$guest_b" "$b $(ping_command 1)"
	transfer "$guest_a" "$guest_b" 1 2 "$a" "$b"
	each ccm_table "$guest_a" "$a" 1 2 "${to_others[@]}" "${within[@]}"
	each ccm_table "$guest_b" "$b" 2 1 "${to_others[@]}" "${within[@]}" listen_to
	each ccm_table "$guest_a" "$a" 1 2 connect_to
	examples "$@"
}

# ccm_ps serves a machine's own namespace, and no other that is a node.
processes() {
	check processes on node1 "$(lists_nodes "" '1 2')"
	check processes_back on node2 "$(lists_nodes "" '1 2')"
}

# shellcheck disable=SC2317  # `check` calls this
no_processes() {
	on node1 "[ -e /proc/net/ccm_ps ]" &&
		on node1 "in_node $1 sh -c '! [ -e /proc/net/ccm_ps ]'" &&
		json "in_node $1 ccmctl -j consumers" 'all(.[]; .module != 12 or (.attached | not))' &&
		json "in_node $1 ccmctl -j calls" 'all(.handlers[]; .module != 12)'
}

# shellcheck disable=SC2016,SC2317  # $m is the guest's; `check` calls this
load() {
	on "$1" '(for m in kccm ccm_xfer ccm_ping ccm_ps ccm_table ccm_examples; do insmod /modules/$m.ko || exit 1; done)'
}

# Installed, nobody has to load it: who asks for the netlink family has the kernel do it.
# shellcheck disable=SC2016,SC2317  # the guest's; `check` calls this
loads_itself() {
	on node1 'mkdir -p /lib/modules/$(uname -r) && cp /modules/kccm.ko /lib/modules/$(uname -r)/ && depmod' &&
		on node1 'ccmctl show; grep "^kccm " /proc/modules' && on node1 'rmmod kccm && rm -r /lib/modules'
}

unload() {
	check "$1_unload" on "$1" 'rmmod ccm_examples ccm_table ccm_ps ccm_ping ccm_xfer kccm'
	check "$1_all_detached" on "$1" '! dmesg | grep "without detaching"'
	check "$1_nothing_left" on "$1" nothing_left
}

# watches GUEST: from now on somebody hears of its events.
# shellcheck disable=SC2016,SC2317  # the guest's; `check` calls this
watches() {
	# By a name that nothing_left() does not take for a thread of the module's.
	on "$1" 'ln -s "$(which ccmctl)" /tmp/listens && /tmp/listens monitor >/tmp/end &' &&
		on "$1" 'wait_for 20 sh -c "ccmctl peer add 9 --address 10.77.0.9; ccmctl peer delete 9; [ -s /tmp/end ]"'
}

# heard_the_end GUEST: the last that he has heard. The module has gone since.
# shellcheck disable=SC2317  # `check` calls this
heard_the_end() {
	on "$1" 'killall listens; cat /tmp/end; tail -n 1 /tmp/end | grep "this node is no longer configured"'
}

# A node in a user namespace of its own, once the administrator allows it.
userns=/sys/module/kccm/parameters/userns
# shellcheck disable=SC2016  # $IP is the guest's
allowed='unshare -U -r -n sh -c "$IP link set lo up && ccmctl node set 1 --address 127.0.0.1 --insecure"'

# Two nodes in two namespaces of one kernel.
one_kernel() {
	local stock
	stock=$("$vm/stock.sh" "$1")
	run=$1
	say "==> smoke test: two nodes on Debian's $(cat "$stock/release")"
	cluster_begin "$top/build/vm/smoke-$1"
	check builds build "$stock"
	[ "$1" = 6.1 ] || check bench_builds make_for "$stock" bench-module
	start node1 "$stock" "$top/build/bad_requests:usr/bin/bad_requests"
	guest_ready node1
	on node1 'nodes 2'
	check loads_itself loads_itself
	check load load node1
	netlink node1 netlink_unconfigured unconfigured "in_node 1"
	traffic node1 node1 "in_node 1" "in_node 2"
	check no_processes_in_a_namespace no_processes 1
	netlink node1 netlink_configured configured "in_node 1"
	netlink node1 netlink_nobody nobody "in_node 1"
	netlink node1 netlink_userns userns "unshare -U -r -n"
	on node1 "echo 1 >$userns"
	check userns_allowed on node1 "$allowed"
	on node1 "echo 0 >$userns"
	watch_all
	unload_in_use
	# Connected nodes, with consumers, vanish with their namespaces; those of two_kernels go by rmmod.
	check namespaces_end_in_use on node1 nodes_end
	unload node1
	"$vm/judge.sh" "$cluster/node1/console.log" "smoke-$run: console_is_clean" || failed=1
	cluster_end
}

# Two kernels.
two_kernels() {
	local old new node
	old=$("$vm/stock.sh" "$1")
	new=$("$vm/stock.sh" "$2")
	run=$1-with-$2
	say "==> smoke test: a machine with $1 and a machine with $2"
	cluster_begin "$top/build/vm/smoke-$run"
	hub 2
	start node1 "$old"
	start node2 "$new"
	for node in node1 node2; do
		guest_ready $node
		check "${node}_load" load $node
	done
	traffic node1 node2 "" ""
	processes
	for node in node1 node2; do
		check "${node}_is_watched" watches $node
		unload $node
		check "${node}_end_is_told" heard_the_end $node
		"$vm/judge.sh" "$cluster/$node/console.log" "smoke-$run: ${node}_console_is_clean" || failed=1
	done
	cluster_end
}

# programs ARCH: what guests need besides the modules.
programs() { make_program_for "$1" "$top/tools/ccmctl" && make_program_for "$1" "$vm/netlink"; }

# Node N has the Nth architecture; its guest is nodeN.
architectures() {
	local arches=("$@") n m numbers
	mapfile -t numbers < <(seq $#)
	run=$(IFS=-; echo "$*")
	say "==> smoke test: a cluster of $*"
	cluster_begin "$top/build/vm/smoke-arch"
	hub $#
	for n in "${numbers[@]}"; do machine_of "$n" "${arches[n - 1]}"; done
	for n in "${numbers[@]}"; do
		guest_ready "node$n"
		check "node${n}_load" load "node$n"
		netlink "node$n" "node${n}_netlink_unconfigured" unconfigured ""
		check "node${n}_configure" on "node$n" "ccmctl node set $n --address 10.77.0.$n --insecure"
	done
	for n in "${numbers[@]}"; do
		for m in $(seq $((n - 1))); do check "$m-$n.connect" connected "$m" "$n"; done
	done
	for n in "${numbers[@]}"; do
		for m in "${numbers[@]}"; do [ "$n" = "$m" ] || one_way "$n" "$m"; done
		each ccm_table "node$n" "" "$n" "$n" "${within[@]}"
		check "node${n}_processes" on "node$n" "$(lists_nodes "" "${numbers[*]}")"
		netlink "node$n" "node${n}_netlink_nobody" nobody ""
	done
	for n in "${numbers[@]}"; do
		unload "node$n"
		"$vm/judge.sh" "$cluster/node$n/console.log" "smoke-$run: node${n}_console_is_clean" || failed=1
	done
	cluster_end
}

# machine_of N ARCH
machine_of() {
	local stock
	stock=$(default_stock "$2")
	check "builds_for_$2" builds_cleanly "$stock"
	programs "$2"
	start "node$1" "$stock" "$(programs_of "$2")/bad_requests:usr/bin/bad_requests"
}

# connected LOWER HIGHER
# shellcheck disable=SC2317  # `check` calls this
connected() {
	on "node$2" "ccmctl peer add $1 --address 10.77.0.$1 && ccmctl listen $1" &&
		on "node$1" "ccmctl peer add $2 --address 10.77.0.$2 && ccmctl connect $2 --wait 30"
}

# one_way FROM TO
one_way() {
	each ccm_table "node$1" "" "$1" "$2" "${to_others[@]}"
	check "$1-$2.ping" on "node$1" "$(ping_command "$2")"
	transfer "node$1" "node$2" "$1" "$2" "" ""
}

if [ "$*" = newest ]; then
	programs x86_64
	one_kernel newest
	one_kernel newest-rt
	one_kernel 6.12-rt
elif [ $# -gt 0 ]; then
	architectures "$@"
else
	programs x86_64
	one_kernel 6.1
	one_kernel 6.12
	two_kernels 6.1 6.12
fi
exit $failed
