#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# profile.sh WORK SIZE [TRANSPORT OTHER]: which functions the instructions of `make bench` go to, those in which ccm and
# socket (unless others are named) differ most first. WORK is ping-pong, one-way, call-answer or bulk.
# INIT_ON_ALLOC=1: as Debian's kernel does unless told not to.
source "$(dirname "$0")/boot.sh"

[ $# = 2 ] || [ $# = 4 ] || usage
work=$1 size=$2 transports=("${3:-ccm}" "${4:-socket}")
operations=100
[ "$work" != bulk ] || operations=10

prepare profile
gcc -O2 -Wall -shared -fPIC -o "$cluster/count.so" "$top/bench/profile/count.c"
for transport in "${transports[@]}"; do
	machine_counted "$stock"
	machine+=(-plugin "$cluster/count.so,out=$cluster/$transport.counts")
	more_append="init_on_alloc=${INIT_ON_ALLOC:-0} ccm_series=\"$work $size 20 $operations $transport\"" boot "$transport"
done
"$top/bench/profile/functions.py" "$operations" "$cluster" "${transports[@]}"
