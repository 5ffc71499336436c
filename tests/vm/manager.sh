#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# manager.sh: what `ccmctl manage` does as it is told, for eight nodes in one guest: it starts and ends, misses events,
# reads its file again, lets nobody in who has another key. faults.sh has what befalls it. Prints a line "ok NAME" or
# "not ok NAME" a case.
# shellcheck disable=SC2016  # what stands in single quotes is for the guest's shell
source "$(dirname "$0")/managed.sh"

joins() {
	on node1 'files 1 8 8'
	check check_wants_a_key '! in_node 1 ccmctl check /tmp/cluster1.toml'
	check genkey 'ccmctl genkey /tmp/key && ! ccmctl genkey /tmp/key'
	check check 'in_node 3 ccmctl check /tmp/cluster3.toml --node auto | grep "this is node 3"'
	check starts 'start_all; wait_for 10 all_up 1 8'
	check shows_names 'sed "s/^number = 2$/&\nname = \"two\"/" /tmp/cluster1.toml >/tmp/named; in_node 1 ccmctl show --file /tmp/named | grep "up .* two"'
	check ping 'in_node 8 ccmctl ping 1 -c 3 -i 0.1 && in_node 1 ccmctl ping 8 -c 1'
}

ends() {
	check notes_connects 'connects 1 8 >/tmp/before'
	check stopped 'tell_manager TERM 5 && all_up 1 8 && manager 5 && sleep 1'
	check drops_nothing 'connects 1 8 | diff /tmp/before -'
}

# What nobody reads is lost: more answers to pings than a socket holds.
misses_events() {
	check overflows 'tell_manager STOP 1; for n in 2 3 4; do in_node 1 ccmctl ping $n -c 400 -i 0.01 >/dev/null & done; wait $!; sleep 3'
	check changes_unheard 'in_node 1 ccmctl close 2 --wait 5; in_node 5 ccmctl close 1 --wait 5; ! all_up 1 8'
	check makes_up_for_it 'tell_manager CONT 1; wait_for 10 all_up 1 8 && grep "events were lost" /tmp/log1'
}

overrules() {
	check closed 'in_node 2 ccmctl close 6; in_node 6 ccmctl close 7; wait_for 5 all_up 1 8'
	check deleted 'in_node 7 ccmctl node delete; wait_for 20 all_up 1 8'
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

managed_begin manager 6.12
joins
ends
misses_events
overrules
reloads
keeps_out
managed_end
exit $failed
