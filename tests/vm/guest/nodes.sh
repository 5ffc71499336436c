# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Several nodes in one kernel: a network namespace each, and a veth pair between each two.
#
#        node1 to2 ------ to1 node2         In node N the link to node M is called toM. N has the addresses
#            \to3        /to3               10.77.0.N and fd77::N on all its links, and a route to each other
#             \         /                   node through the link to it.
#              to1 - to2
#                node3                      Init's namespace holds "witnessN", whose other end is in node N: it
#                                           vanishes when the namespace does.

# nodes COUNT: makes them and sets $pids, the process that holds each one, separated by commas.
nodes() {
	count=$1
	pids=
	for n in $(seq "$count"); do
		$IP netns add "node$n"
		$IP netns exec "node$n" sleep 1000000 >/dev/null 2>&1 3>&- &
		pids=$pids${pids:+,}$!
		{
			echo "link set lo up"
			for m in $(seq $((n - 1))); do
				echo "link add to$m type veth peer name to$n netns node$m"
			done
			echo "link add witness type veth peer name witness$n netns 1"
		} | $IP -n "node$n" -batch -
	done
	for n in $(seq "$count"); do
		for m in $(seq "$count"); do
			[ "$n" != "$m" ] || continue
			link_commands "to$m" "$n" "$m"
		done | $IP -n "node$n" -batch -
	done
}

# link_commands LINK N M: what `ip -batch` does on node N for its link to node M.
link_commands() {
	echo "addr add 10.77.0.$2/32 dev $1"
	echo "addr add fd77::$2/128 dev $1 nodad"
	echo "link set $1 up"
	echo "route add 10.77.0.$3/32 dev $1 src 10.77.0.$2"
	echo "route add fd77::$3/128 dev $1 src fd77::$2"
}

# in_node N COMMAND...: in the namespace of a node that nodes() made.
in_node() {
	namespace=node$1
	shift
	$IP netns exec "$namespace" "$@"
}

# No connection may be left in any node (06 is TIME_WAIT, which is TCP's own).
no_sockets_left() {
	for pid in $(echo "$pids" | tr , ' '); do
		if cat "/proc/$pid/net/tcp" "/proc/$pid/net/tcp6" | awk '$1 != "sl" && $4 != "06" { print; n = 1 } END { exit !n }'; then
			echo "sockets are left in the namespace of process $pid"
			return 1
		fi
	done
}

# The namespaces end once the last reference to them is gone.
nodes_end() {
	for n in $(seq "$count"); do $IP netns del "node$n"; done
	for pid in $(echo "$pids" | tr , ' '); do kill "$pid"; done
	tries=0
	while $IP -br link | grep -q '^witness'; do
		[ $tries -lt 100 ] || { echo "a namespace does not end"; $IP -br link; return 1; }
		tries=$((tries + 1))
		sleep 0.1
	done
}

# What a module of ours leaves behind, if anything.
# The kernel's own workers keep the name of the work they did last; a workqueue's rescuer is one of ours.
nothing_left() {
	! grep -lE '^ccm|^kworker/R-ccm' /proc/[0-9]*/comm || { echo "threads are left"; return 1; }
	! grep ccm /proc/slabinfo || { echo "slab caches are left"; return 1; }
	! grep ccm /proc/modules || { echo "modules are left"; return 1; }
}

scan() { echo scan >/sys/kernel/debug/kmemleak; }

# What others have lost.
forget_leaks() { scan && echo clear >/sys/kernel/debug/kmemleak; }

# An object must be five seconds old, and be found unreferenced twice, before kmemleak speaks of it.
no_leak() {
	sleep 6
	scan
	scan
	cat /sys/kernel/debug/kmemleak
	[ -z "$(cat /sys/kernel/debug/kmemleak)" ]
}

# The test bed itself works: each node reaches the next one, by both families.
nodes_are_linked() {
	for n in $(seq 2 "$count"); do
		$IP netns exec "node$((n - 1))" ping -q -c 1 -W 5 "10.77.0.$n" &&
			$IP netns exec "node$((n - 1))" ping -q -c 1 -W 5 "fd77::$n" || return 1
	done
}
