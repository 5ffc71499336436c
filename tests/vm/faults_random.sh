#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# faults_random.sh [MINUTES [SEED [KERNEL]]]: faults at random between eight nodes in one guest, each kept by `ccmctl
# manage`, while all call each other; and again and again quiet, in which all have to be joined, and stay so. 5 minutes
# of the guest's time unless told otherwise. SEED repeats the faults of an earlier run; it is printed. KERNEL is a stock
# one, 6.12 unless told otherwise, or x86-debug, which finds leaks too. Prints a line "ok NAME" or "not ok NAME" a case.
# shellcheck disable=SC2016  # what stands in single quotes is for the guest's shell
source "$(dirname "$0")/managed.sh"

minutes=${1:-5} seed=${2:-$SRANDOM} kernel=${3:-6.12} interval=1 patience=300
# Of 40 seconds 25 are harm. Whoever has not noticed when it ends has interval x limit and a fifth for that, and then
# two seconds to be joined.
rounds=$((minutes * 60 / 40)) harm=25 joined='joined_within 5600 $mended 1 8'
# The debug kernel is slow, and its clock is the host's: no time is measured there.
[ "$kernel" != x86-debug ] || interval=3 joined='wait_for 60 all_up 1 8'

managed_begin "faults-random-$kernel" "$kernel"
say "    the seed is $seed; to repeat it: ${0##*/} $minutes $seed $kernel"
on node1 "seed=$seed; interval=$interval; files 1 8 8; ccmctl genkey /tmp/key; insmod /modules/ccm_table.ko"
check starts 'start_all; wait_for 20 all_up 1 8'
on node1 'watch_begin; traffic_begin'
for round in $(seq "$rounds"); do
	check "${round}_nothing_garbled" "harm_for $harm; nothing_garbled"
	check "${round}_joined" "$joined"
	check "${round}_calm" 'sleep 3; forget; traffic_forget; sleep 5; calm_but ""'
	check "${round}_all_talk" 'all_talk'
	# What has been allocated once is kept for the next round.
	[ "$round" != 1 ] || on node1 'slab=$(slab_kib)'
done
check takes_no_memory 'has=$(slab_kib); measured "KiB more since the first round:" $((has - slab)) $((has - slab)) 4096'
on node1 traffic_end
managed_end
exit $failed
