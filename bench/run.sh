#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# run.sh: what `make bench` does: CCM beside other ways from node to node, in instructions. Two boots, as Debian's
# kernel clears memory when it is allocated unless told not to. Prints tables, and leaves latest.json and the plots in
# bench/results. Fails if a message was lost or changed.
source "$(dirname "$0")/boot.sh"

results=$top/bench/results

# What is measured: the last commit, and whether the sources differ from it.
commit() {
	local sources=(include src bench/kernel bench/report.py tests/vm/guest) changed=
	git -C "$top" rev-parse HEAD >/dev/null 2>&1 || { echo unknown; return; }
	git -C "$top" diff --quiet HEAD -- "${sources[@]}" || changed=-changed
	echo "$(git -C "$top" rev-parse --short=12 HEAD)$changed"
}

# plot FIGURE TITLE
plot() { gnuplot -e "data='$cluster/$1.dat'; output='$results/$1.svg'; heading='$2'" "$top/bench/plot.gp"; }

prepare bench
for init_on_alloc in 0 1; do more_append=init_on_alloc=$init_on_alloc boot init_on_alloc=$init_on_alloc; done

mkdir -p "$results"
"$top/bench/report.py" "$release" "$(commit)" "$cluster" "$results"
"$top/bench/check.py" "$results/latest.json"
plot figure9 "Ping-pong between two nodes (Linux $release, init_on_alloc=0)"
plot figure10 "One-way messages, and calls with an answer (Linux $release, init_on_alloc=0)"
say "==> took $SECONDS s; $results has latest.json and the plots"
