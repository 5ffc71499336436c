#!/usr/bin/env bash
# manager.sh: a cluster of eight nodes, each in a network namespace of one machine, kept together by `ccmctl manage`:
# started at any time, killed, cut off, told to read its file again. Prints a line "ok NAME" or "not ok NAME" a case.
# shellcheck disable=SC2016  # what stands in single quotes is for the guest's shell
source "$(dirname "$0")/lib.sh"
source "$vm/cluster.sh"

failed=0

# check CASE COMMAND: one case, in the guest. What the command printed is shown when it fails, and its times always.
check() {
	local name="manager: $1"
	if on node1 "$2" >"$cluster/last" 2>&1; then
		echo "ok $name"
		sed -n "/ ms after$/s/^/    $1: /p" "$cluster/last" >&2
	else
		failed=1
		echo "not ok $name"
		say "not ok $name"
		sed 's/^/    /' "$cluster/last" >&2
	fi
}

set_up() {
	local stock
	stock=$("$vm/stock.sh" 6.12)
	say "==> managers: eight nodes on Debian's $(cat "$stock/release")"
	make -s -C "$top" samples KDIR="$stock/headers" >&2
	make -s -C "$top" ccmctl >&2
	cluster_begin "$top/build/vm/manager"
	# Times are the guest's own, and say the same on a busy host.
	guest_machine=machine_counted
	guest node1 "$stock" "$vm/guest/manager.sh:lib/ccm/manager.sh"
	guest_ready node1
	on node1 'nodes 8; . /lib/ccm/manager.sh; insmod /modules/ccm.ko'
	on node1 'files 1 8 8'
}

joins() {
	check check_wants_a_key '! in_node 1 ccmctl check /tmp/cluster1.toml'
	check genkey 'ccmctl genkey /tmp/key && ! ccmctl genkey /tmp/key'
	check check 'in_node 3 ccmctl check /tmp/cluster3.toml --node auto | grep "this is node 3"'
	check starts 'start_all; started=$(now)'
	check joins_in_time 'joined_within 2000 $started 1 8'
	check second_is_refused 'in_node 1 timeout 5 ccmctl manage /tmp/cluster1.toml; [ $? = 1 ]'
	check shows_names 'sed "s/^number = 2$/&\nname = \"two\"/" /tmp/cluster1.toml >/tmp/named; in_node 1 ccmctl show --file /tmp/named | grep "up .* two"'
	check ping 'in_node 8 ccmctl ping 1 -c 3 -i 0.1 && in_node 1 ccmctl ping 8 -c 1'
}

takes_over() {
	check notes_connects 'connects 1 8 >/tmp/before'
	check killed 'for n in 1 4 8; do tell_manager KILL $n; done; all_up 1 8'
	check starts_again 'for n in 1 4 8; do manager $n; done; sleep 2; all_up 1 8'
	check stopped 'tell_manager TERM 5 && all_up 1 8 && manager 5 && sleep 1'
	check drops_nothing 'connects 1 8 | diff /tmp/before -'
}

# What nobody reads is lost: more answers to pings than a socket holds.
misses_events() {
	check overflows 'tell_manager STOP 1; for n in 2 3 4; do in_node 1 ccmctl ping $n -c 400 -i 0.01 >/dev/null & done; wait $!; sleep 3'
	check changes_unheard 'in_node 1 ccmctl close 2 --wait 5; in_node 5 ccmctl close 1 --wait 5; ! all_up 1 8'
	check makes_up_for_it 'tell_manager CONT 1; wait_for 10 all_up 1 8 && grep "events were lost" /tmp/log1'
}

heals() {
	check cut_off 'cut 3; wait_for 20 none_up 3'
	check stays_alone 'sleep 5; none_up 3'
	check heals_in_time 'mended=$(now); mend 3; joined_within 2000 $mended 1 8'
	check closed 'in_node 2 ccmctl close 6; in_node 6 ccmctl close 7; wait_for 5 all_up 1 8'
	check deleted 'in_node 7 ccmctl node delete; wait_for 20 all_up 1 8'
	check restarted_node 'begin_anew 8; joined_within 2000 $restarted 1 8'
}

reloads() {
	check notes_connects_again 'connects 1 7 | awk "\$2 != 8" >/tmp/before'
	check removes_a_node 'files 1 7 7; wait_for 10 eval "! in_node 1 ccmctl show 8"; all_up 1 7 && wait_for 10 none_up 8'
	check adds_a_node 'files 1 8 7; wait_for 10 all_up 1 8'
	check changes_an_interval 'change 2 "interval = 0.3" "interval = 0.7"; wait_for 5 has_interval 2 "700 ms"'
	check keeps_on_mistakes 'change 4 number nonsense; wait_for 5 grep "keeping what" /tmp/log4 && all_up 1 8'
	check touches_no_other 'connects 1 7 | awk "\$2 != 8" | diff /tmp/before -'
}

keeps_out() {
	check another_key 'ccmctl genkey /tmp/other; change 8 /tmp/key /tmp/other; begin_anew 8; sleep 4; none_up 8 && all_up 1 7'
	check says_why 'grep "from 10.77.0.1:.*proof of the cluster" /tmp/log8 && grep "from 10.77.0.2:.*proof of the cluster" /tmp/log8'
	check let_in 'cp /tmp/cluster1.toml /tmp/cluster8.toml; tell_manager HUP 8; wait_for 10 all_up 1 8'
}

set_up
joins
takes_over
misses_events
heals
reloads
keeps_out
on node1 'for n in $(seq 8); do echo "--- node $n"; cat /tmp/log$n; done' >"$cluster/managers.log"
check end 'for n in $(seq 8); do tell_manager TERM $n; done; nodes_end'
check unload 'rmmod ccm && nothing_left'
"$vm/judge.sh" "$cluster/node1/console.log" "manager: console_is_clean" || failed=1
cluster_end
exit $failed
