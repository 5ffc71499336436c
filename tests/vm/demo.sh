#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# demo.sh [ARCH...]: three virtual machines are a cluster: what `make demo` shows. Exit status 0 only if all of it was
# seen. The machines have these architectures in turn (x86_64, arm64, s390x); x86_64 if none is named.
source "$(dirname "$0")/lib.sh"
source "$vm/cluster.sh"

nodes=(node1 node2 node3)
[ $# -gt 0 ] || set -- x86_64
arches=("$@")
file_of_cluster=/etc/ccm/cluster.toml
manage="ccmctl manage $file_of_cluster 2>/tmp/manager.log &"
# A manager tries to connect whoever is down.
lost='down|connecting'
some_processes="grep -E 'NODE|init|ccm| - ' /proc/net/ccm_ps"

# One empty line, and never two.
air() {
	[ -n "${aired:-}" ] || printf '\n'
	aired=yes
}

title() {
	air
	if [ -t 1 ]; then printf '\033[1m%s\033[0m\n' "$*"; else printf '== %s\n' "$*"; fi
	aired=
}

tell() {
	air
	printf '%s\n' "$@"
	aired=
}

# shown NODE COMMAND: runs it in the guest as a reader would, and shows both.
shown() {
	local status=0
	printf '  %s# %s\n' "$1" "$2"
	aired=
	on "$1" "$2" >"$cluster/said" || status=$?
	if [ -s "$cluster/said" ]; then
		sed 's/^/  /' "$cluster/said"
		air
	fi
	return $status
}

# state_on NODE PEER: what `ccmctl show` calls the peer there.
state_on() { on "$1" 'ccmctl show' | awk -v peer="$2" '$1 == peer { print $2 }'; }

# becomes NODE PEER STATE SECONDS: waits until NODE shows it, or one of several, with | between.
becomes() {
	local start=$SECONDS
	until [[ $(state_on "$1" "$2") =~ ^($3)$ ]]; do
		[ $((SECONDS - start)) -lt "$4" ] || die "$1 does not show node $2 as $3 within $4 s: see $cluster"
		sleep 0.2
	done
}

# saw TEXT: what was shown last says so.
saw() { grep -q "$1" "$cluster/said" || die "node 1 does not say \"$1\""; }

# The file that travels: the compiler proper is a good 30 MiB, and everyone who builds a module has it.
pick_file() {
	file=$(gcc-12 -print-prog-name=cc1)
	[ "$(stat -Lc %s "$file")" -ge $((16 << 20)) ] || die "$file is smaller than 16 MiB"
}

# The cluster's file.
describe() {
	cat <<-END
		cluster = "demo"
		key = "/etc/ccm/demo.key"

		[heartbeat]
		interval = 1.0   # seconds
		limit = 4        # so many without a sign of life, and a node is down
	END
	local names=(alpha beta gamma) n
	for n in 1 2 3; do
		printf '\n[[node]]\nnumber = %s\nname = "%s"\naddress = "10.77.0.%s"\n' $n "${names[n - 1]}" $n
	done
}

set_up() {
	title "Setting up (downloads and builds are kept in $cache)"
	local arch n node stocks=() releases=()
	for arch in "${arches[@]}"; do debian_name "$arch" >/dev/null; done
	"$vm/packages.sh" build machines "${arches[@]}"
	for n in 0 1 2; do
		arch=${arches[n % ${#arches[@]}]}
		stocks+=("$(default_stock "$arch")")
		releases+=("$(cat "${stocks[n]}/release")")
	done
	for n in 0 1 2; do
		say "==> building kccm.ko and its samples for ${releases[n]}, and ccmctl"
		make_for "${stocks[n]}" samples
		make_program_for "$(arch_of "${stocks[n]}")" "$top/tools/ccmctl"
	done
	pick_file
	cluster_begin "$top/build/vm/demo"
	describe >"$cluster/cluster.toml"
	hub 3
	say "==> starting three machines with Debian's kernels ${releases[*]}"
	guest node1 "${stocks[0]}" "$cluster/cluster.toml:$file_of_cluster" "$file:cc1"
	guest node2 "${stocks[1]}" "$cluster/cluster.toml:$file_of_cluster"
	guest node3 "${stocks[2]}" "$cluster/cluster.toml:$file_of_cluster"
	for node in "${nodes[@]}"; do guest_ready "$node"; done
}

load() {
	title "1. Every machine loads CCM, and three modules that use it"
	printf "%s\n" "ccm_xfer carries files from node to node, ccm_ping answers whoever asks, ccm_ps lists the processes of all" \
		"nodes: samples/ has their sources."
	local node
	for node in "${nodes[@]}"; do
		shown "$node" 'cd /modules && insmod kccm.ko && insmod ccm_xfer.ko && insmod ccm_ping.ko && insmod ccm_ps.ko'
	done
}

configure() {
	title "2. One file describes the cluster, and who knows its key belongs to it"
	shown node1 "cat $file_of_cluster"
	shown node1 "ccmctl genkey /etc/ccm/demo.key"
	local key node
	key=$(on node1 'cat /etc/ccm/demo.key')
	for node in node2 node3; do on $node "umask 077; echo $key >/etc/ccm/demo.key"; done
	tell "Both are the same on all nodes; they have been copied there. Node 1 looks for mistakes in them:"
	shown node1 "ccmctl check $file_of_cluster --node auto"
}

# joined NODE PEER...: waits until both sides say so.
joined() {
	local node=$1 peer
	shift
	for peer; do
		becomes "node$node" "$peer" up 20
		becomes "node$peer" "$node" up 20
	done
}

join() {
	title "3. On each node a manager connects it with all others, and again whenever it has to"
	shown node1 "$manage"
	shown node2 "$manage"
	joined 1 2
	shown node1 'ccmctl show'
	tell "Node 3 starts late:"
	local start
	start=$(host_ms)
	shown node3 "$manage"
	joined 3 1 2
	tell "It was joined $(($(host_ms) - start)) ms later."
	shown node3 'ccmctl show'
}

transfer() {
	title "4. A file goes from node 1 to node 3, while all of them exchange small messages"
	tell "The file is $(basename "$file"), $(($(stat -Lc %s "$file") >> 20)) MiB. Node 3 writes what arrives:"
	shown node3 'cat /proc/net/ccm_xfer/1 >/tmp/received &'
	# shellcheck disable=SC2016
	on node3 'receiver=$!'
	tell "Each asks another one, again and again, and waits for each answer:"
	shown node1 'echo 2 100 >/proc/net/ccm_ping &'
	shown node2 'echo 3 100 >/proc/net/ccm_ping &'
	shown node3 'echo 1 100 >/proc/net/ccm_ping &'
	tell "And node 1 sends:"
	shown node1 'time cat /cc1 >/proc/net/ccm_xfer/3'
	local sent received n
	# shellcheck disable=SC2016
	on node3 'wait $receiver' || die "node 3 did not receive the file"
	shown node1 'sha256sum /cc1'
	sent=$(cut -d' ' -f1 "$cluster/said")
	shown node3 'sha256sum /tmp/received'
	received=$(cut -d' ' -f1 "$cluster/said")
	[ "$sent" = "$received" ] || die "the file is not the same"
	tell "The same."
	for n in 1 2 3; do
		on "node$n" 'wait_for 60 grep -q "answered 100 of 100" /proc/net/ccm_ping' >/dev/null || die "node$n has no answers"
		shown "node$n" 'cat /proc/net/ccm_ping'
	done
	tell "What node 1 counted for node 3:"
	shown node1 'ccmctl stats 3'
}

processes() {
	title "5. Node 1 lists the processes of all nodes: it calls a function on each"
	shown node1 'wc -l </proc/net/ccm_ps'
	tell "Some of them:"
	shown node1 "$some_processes"
	local n
	for n in 1 2 3; do saw " $n  *1 . init"; done
}

cut_link() {
	title "6. Node 2 loses its link, and gets it back"
	local start seen
	start=$(host_ms)
	shown node2 'ip link set eth0 down'
	becomes node1 2 "$lost" 15
	seen=$(($(host_ms) - start))
	tell "Node 1 knew after $seen ms. What its manager says:"
	shown node1 'grep beta /tmp/manager.log'
	saw 'no sign of life'
	tell "The link is mended:"
	start=$(host_ms)
	shown node2 'ip link set eth0 up'
	joined 2 1 3
	tell "All were joined again $(($(host_ms) - start)) ms later."
	shown node1 'ccmctl ping 2 -c 3 -i 0.2'
}

goodbye() {
	title "7. Node 2 is taken down properly: it says goodbye"
	shown node2 'killall ccmctl; ccmctl node delete'
	becomes node1 2 "$lost" 5
	shown node1 'grep beta /tmp/manager.log | tail -n 3'
	saw "goodbye"
}

cut_off() {
	title "8. Node 3 is cut off without a word: its machine is killed"
	tell "(kill -9 of its QEMU)"
	guest_kill node3
	local start=$SECONDS
	tell "Until node 1 knows, a call waits for its answer, but not longer than it was told to:"
	shown node1 "$some_processes"
	saw ' 3 .* late'
	becomes node1 3 "$lost" 15
	tell "It knew after $((SECONDS - start)) s. From then on:"
	shown node1 "$some_processes"
	saw ' 3 .* down'
}

unload() {
	title "9. What is left unloads"
	shown node1 'killall ccmctl; rmmod ccm_ps ccm_ping ccm_xfer kccm'
	shown node2 'rmmod ccm_ps ccm_ping ccm_xfer kccm'
	local node
	for node in node1 node2; do on $node nothing_left || die "CCM left something behind on $node"; done
	for node in "${nodes[@]}"; do "$vm/judge.sh" "$cluster/$node/console.log" console >"$cluster/said" ||
		die "a kernel complained"; done
}

set_up
began=$SECONDS
load
configure
join
transfer
processes
cut_link
goodbye
cut_off
unload
title "All of it was seen ($((SECONDS - began)) s, and $began s to set up). README.md says how to go on."
