#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# faults.sh [SERIES [FAULT...]]: real faults between eight nodes in one guest with one processor, each kept by `ccmctl
# manage`: how long it takes until the nodes notice, and until all are joined again. On the stock kernel 6.12, or another
# series. Prints a line "ok NAME" or "not ok NAME" a case; the times and their goals go to standard error.
# shellcheck disable=SC2016,SC2317  # what stands in single quotes is for the guest's shell; faults are called by name
source "$(dirname "$0")/managed.sh"

# Goals in milliseconds, with a heartbeat a second and three that may be missed.
reset=200 silence=3600 healed=2000

joins() {
	on node1 'interval=1; files 1 8 8; ccmctl genkey /tmp/key'
	check starts 'start_all; started=$(now)'
	check joined "joined_within $healed \$started 1 8"
	on node1 'watch_begin; sleep 2'
}

# fault NAME BREAK: from here on $fault is when it was.
fault() { check "$1" "forget; fault=\$(now); $2"; }

# seen NAME MS STATE NODES: by each first node of a pair, about the second.
seen() { check "$1" "told_within $2 $3 \$fault $4"; }

# mended NAME REPAIR NODES: these pairs are up again in time.
mended() { check "$1" "sleep 3; mended=\$(now); $2; told_within $healed up \$mended $3"; }

# Both lose the link; node 1's end is the one that is switched off.
link() {
	fault link_down 'link_down 1 2'
	seen link_down_seen "$silence" down '1 2 2 1'
	mended link_up 'link_up 1 2' '1 2 2 1'
	check link_others_calm 'calm_but "1 2"'
}

# The one who hears nothing notices by itself; the other one by the reset which that one sends.
one_way() {
	local name="lost_$1_to_$2"
	check "${name}_prepared" "fresh $1 $2"
	fault "$name" "drop $1 $2"
	seen "${name}_seen" "$silence" down "$2 $1 $1 $2"
	check "${name}_told" 'apart=$((last - first)); measured "ms apart:" $apart $apart '"$reset"
	mended "${name}_healed" "pass $1 $2" "$1 $2 $2 $1"
	check "${name}_others_calm" "calm_but '$1 $2'"
}

both_ways() {
	fault lost_both_ways 'part 4 6'
	seen lost_both_ways_seen "$silence" down '4 6 6 4'
	check lost_both_ways_stays 'sleep 15; none_told up $fault 4 6 6 4'
	mended lost_both_ways_healed 'join 4 6' '4 6 6 4'
	check lost_both_ways_others_calm 'calm_but "4 6"'
}

# kills FROM OF: the socket of FROM for its connection with OF.
kills() {
	local name="socket_killed_$1_$2"
	fault "$name" "kill_socket $1 $2"
	seen "${name}_seen" "$reset" down "$1 $2 $2 $1"
	seen "${name}_healed" "$healed" up "$1 $2 $2 $1"
	check "${name}_others_calm" "calm_but '$1 $2'"
}

managers() {
	check manager_lives 'lives >/tmp/before; forget'
	check manager_killed 'for n in 1 4 8; do tell_manager KILL $n; done; sleep 5'
	check manager_back 'for n in 1 4 8; do manager $n; done; sleep 5; all_up 1 8'
	check manager_second_is_refused \
		'in_node 1 timeout 5 ccmctl manage /tmp/cluster1.toml 2>&1 | grep "another manager holds"'
	check manager_none_told 'calm_but ""'
	check manager_drops_nothing 'lives | diff /tmp/before -'
	# What nobody connects stays broken; who comes back mends it.
	fault manager_gone 'tell_manager KILL 2; kill_socket 2 7; sleep 5; none_told up $fault 2 7'
	check manager_mends "mended=\$(now); manager 2; told_within $healed up \$mended 2 7 7 2"
}

restarts() {
	fault node_restarted 'old=$(life_of 8); begin_anew 8'
	seen node_goodbye "$reset" down '1 8 2 8 3 8 4 8 5 8 6 8 7 8'
	check node_joined "joined_within $healed \$restarted 1 8"
	check node_new_life 'new_life 8 $old'
	check node_others_calm 'calm_but 8 "1 2 3 4 5 6 7"'
}

# Whoever comes back asks for it, and is not waited for until the pause of the others is over.
pokes() {
	check poke_long_pauses 'pauses="20 60"; files 1 8 8; sleep 1; all_up 1 8'
	check poke_joined "begin_anew 8; joined_within $healed \$restarted 1 8"
	check poke_short_pauses 'pauses=; files 1 8 8; sleep 1; all_up 1 8'
}

halves() {
	fault halves_parted 'part "1 2 3 4" "5 6 7 8"'
	seen halves_seen "$silence" down '$(pairs "1 2 3 4" "5 6 7 8")'
	check halves_stay 'sleep 5; none_told up $fault $(pairs "1 2 3 4" "5 6 7 8")'
	mended halves_healed 'join "1 2 3 4" "5 6 7 8"' '$(pairs "1 2 3 4" "5 6 7 8")'
	check halves_calm 'all_up 1 8 && calm_but "1 2 3 4" "5 6 7 8"'
}

# From the address of node 1, which is a member at the same time, to node 8. Four of them are kept, so that none is late;
# 65 may wait in TCP to be accepted, and there are seven peers.
strangers() {
	check strangers_prepared 'forget; before=$(refused 8 refused) && calm=$(rtt 2 8) && slab=$(slab_kib)'
	check strangers_come 'flood 1 8 500 10; sleep 0.5; [ $(refused 8 refused) -gt $((before + 100)) ]'
	check strangers_keep_nobody_out "begin_anew 3; joined_within $healed \$restarted 1 8"
	check strangers_slow_nobody \
		'took=$(rtt 2 8); measured "us until a heartbeat is answered:" $took $took $((calm * 2))'
	check strangers_are_few \
		'flood_watched 8; cat /tmp/strangers; measured "connections:" $connections $connections $((4 + 65 + 7))'
	check strangers_take_little 'measured "KiB:" $((memory - slab)) $((memory - slab)) 2048'
	check strangers_refused '[ $(($(refused 8 refused) - before)) = $(cut -d" " -f 1 /tmp/strangers) ]'
	check strangers_for_a_reason \
		'in_node 8 ccmctl stats | head; each_over 500 proofs garbage crowded'
	check strangers_members_calm 'calm_but 3 "1 2 4 5 6 7 8"'
}

# Those that faults.sh can be asked for.
one_way_up() { one_way 3 5; }
one_way_down() { one_way 5 3; }
sockets() { kills 5 6; kills 6 5; }

all() {
	local one
	for one in link one_way_up one_way_down both_ways sockets managers restarts pokes halves strangers; do "$one"; done
}

series=${1:-6.12}
shift $(($# > 0))
managed_begin "faults-$series" "$series"
joins
for part in "${@:-all}"; do "$part"; done
managed_end
exit $failed
