#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Init of the guest that `make bench` counts in: two nodes, each work at each size, iperf3 beside the bulk. With
# ccm_series on the kernel's command line that series alone, and where the kernel's functions are.
# shellcheck source=guest.sh disable=SC1091
. /lib/ccm/guest.sh
# shellcheck source=nodes.sh disable=SC1091
. /lib/ccm/nodes.sh

configure() {
	in_node 2 ccmctl node set 2 --insecure --address 10.77.0.2 && in_node 2 ccmctl peer add 1 --address 10.77.0.1 &&
		in_node 1 ccmctl node set 1 --insecure --address 10.77.0.1 && in_node 1 ccmctl peer add 2 --address 10.77.0.2 &&
		in_node 2 ccmctl listen 1 && in_node 1 ccmctl connect 2 --wait 30
}

# series WORK SIZE RUNS OPERATIONS [TRANSPORT]: writes a line a run to the report.
series() {
	echo "$*" >/proc/ccm_bench && cat /proc/ccm_bench >&3
}

# all WORK RUNS OPERATIONS: at every size.
all() {
	for size in 1 64 256 1024 3000 4096 16384 65536; do series "$1" $size "$2" "$3" || return 1; done
}

# iperf RUNS BYTES: the same size of write, as often; what it measured, on a line each.
iperf() {
	in_node 2 iperf3 --server --daemon >/dev/null 3>&- || return 1
	sleep 1
	for _ in $(seq "$1"); do
		in_node 1 iperf3 --client 10.77.0.2 --length 1M --bytes "$2" --json >/tmp/iperf3 3>&- || return 1
		echo "iperf3 $(tr -d '\n\t' </tmp/iperf3)" >&3
	done
}

everything() {
	check bench.ping_pong all ping-pong 100 10
	check bench.one_way all one-way 100 32
	check bench.call_answer all call-answer 100 10
	check bench.bulk series bulk 1048576 20 16
	check bench.iperf3 iperf 5 128M
}

nodes 2 # sets $pids
check guest.nodes_are_linked nodes_are_linked
check guest.load insmod /modules/kccm.ko
check guest.configure configure
# shellcheck disable=SC2154 # the kernel sets ccm_series
check guest.load_bench insmod /modules/ccm_bench.ko "pids=$pids"
sleep 1
if [ -n "$ccm_series" ]; then
	# shellcheck disable=SC2086
	check bench.series series $ccm_series
	sed 's/^/symbol /' /proc/kallsyms >&3
else
	everything
fi
check guest.unload rmmod ccm_bench
report end
end
