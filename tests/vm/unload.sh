# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by smoke.sh: consumers that are unloaded while they are in use, and one that does not clean up, on nodes 1 and
# 2 in one guest, node1.

# A consumer is unloaded while it waits for a receiver that does not read.
sender_waits='in_node 1 sh -c "cat /dev/zero >/proc/net/ccm_xfer/2" & sleep 1; '
# shellcheck disable=SC2016  # $! is the guest's
sender_waits+='rmmod ccm_xfer && ! wait $! && insmod /modules/ccm_xfer.ko'

# hold NODE WHAT PEER: see ccm_hold.
hold() { on node1 "in_node $1 sh -c 'echo $2 $3 >/proc/net/ccm_hold'"; }

# Two calls of node 2 run there and do not end; a receiver sleeps there too.
begin_to_hold() {
	# shellcheck disable=SC2016  # the guest's
	on node1 'insmod /modules/ccm_hold.ko' &&
		on node1 'in_node 2 sh -c "echo receive 0 >/proc/net/ccm_hold" >/tmp/receiver 2>&1 & receiver=$!' &&
		hold 1 call 2 && hold 1 call 2 &&
		on node1 'wait_for 10 in_node 2 sh -c "ccmctl calls | grep -qE \"^ *14 +3 +long +2\""' &&
		on node1 'wait_for 10 in_node 2 sh -c "ccmctl consumers | grep -qE \"ccm_hold +1 \""'
}

# held WHAT PEER: two calls, the same but for their age, in jq's words.
held() {
	echo "all(.[]; .age_ms | . >= 0 and . < 120000)" \
		"and map(del(.age_ms)) == [range(2) | { what: \"$1\", node: $2, module: 14, function: 3, seqn: 77 }]"
}

# How long they have run grows with time: by a second, and no more than a slow machine takes.
ages() {
	local before after
	before=$(on node1 'in_node 2 ccmctl -j calls' | jq '.calls[0].age_ms')
	on node1 'sleep 1.2'
	after=$(on node1 'in_node 2 ccmctl -j calls' | jq '.calls[0].age_ms')
	echo "$before ms, then $after ms"
	[ $((after - before)) -ge 1000 ] && [ $((after - before)) -lt 60000 ]
}

# unloads MODULE: at once. Its handlers do not wait for anything that its exit does not end.
unloads() { on node1 "begin=\$(cut -d. -f1 /proc/uptime); rmmod $1 && [ \$((\$(cut -d. -f1 /proc/uptime) - begin)) -lt 5 ]"; }

# Ten times, while calls come that wait in it. Nobody answers for a call that comes too late.
unloads_under_load() {
	local round failed=0
	# shellcheck disable=SC2016  # the guest's
	on node1 'in_node 1 sh -c "while [ ! -e /tmp/enough ]; do echo load_hold 2 >/proc/net/ccm_table; done" & load=$!'
	for round in {1..10}; do
		on node1 'insmod /modules/ccm_hold.ko' &&
			on node1 'wait_for 10 in_node 2 sh -c "ccmctl calls | grep -qE \"^long +1 +14 \""' &&
			unloads ccm_hold && continue
		echo "round $round"
		failed=1
		break
	done
	# shellcheck disable=SC2016  # the guest's
	on node1 'touch /tmp/enough; wait $load; rm /tmp/enough' && [ $failed = 0 ]
}

lets_go() { hold 2 let_go 0 && on node1 'wait_for 10 in_node 1 grep -q "answered 2" /proc/net/ccm_hold'; }

# What the receiver was told, and its exit status.
# shellcheck disable=SC2016  # $receiver is the guest's
receiver_ended='! wait $receiver && cat /tmp/receiver && grep -q "transport endpoint shutdown" /tmp/receiver'

# nobody_has MODULE: no consumer, and no function, on either node.
nobody_has() {
	local node
	for node in 1 2; do
		json "in_node $node ccmctl -j consumers" "all(.[]; .module != $1 or (.attached | not))" &&
			json "in_node $node ccmctl -j calls" ".calls == [] and all(.handlers[]; .module != $1)" || return 1
	done
}

unload_held() {
	local row='14 +3 +77 +[0-9]+ s'
	check hold_begins begin_to_hold
	check hold_runs_table shows 'in_node 2 ccmctl calls' ' +14 +3 +long +2' \
		'WHAT +PEER +MODULE +FUNCTION +SEQ +AGE' "long +1 +$row"
	check hold_runs_json json 'in_node 2 ccmctl -j calls' ".calls | $(held long 1)"
	check hold_awaited_table shows 'in_node 1 ccmctl calls' ' +14 +3 +long +0' "awaited +2 +$row"
	check hold_awaited_json json 'in_node 1 ccmctl -j calls' ".calls | $(held awaited 2)"
	check hold_ages ages
	check hold_blocks_no_call on node1 \
		"in_node 1 sh -c 'for c in short long answer; do echo \$c 2 >/proc/net/ccm_table || exit 1; done'"
	check hold_blocks_no_message on node1 "in_node 1 $(ping_command 2)"
	check hold_lets_go lets_go
	check hold_is_unloaded unloads ccm_hold
	check hold_receiver_ended on node1 "$receiver_ended"
	check hold_leaves_nothing nobody_has 14
	check hold_begins_again begin_to_hold
	check hold_is_unloaded_while_it_runs unloads ccm_hold
	check hold_receiver_ended_again on node1 "$receiver_ended"
	check hold_is_unloaded_under_load unloads_under_load
	check hold_leaves_nothing_again nobody_has 14
}

# It forgot, and CCM says so, once.
warned() {
	# shellcheck disable=SC2016  # the guest's
	on node1 '[ "$(dmesg | grep -c "kccm: module ccm_forgetful was unloaded without detaching")" = 1 ]' &&
		on node1 'dmesg -c >/dev/null'
}

unload_forgetful() {
	check forgetful_loads on node1 'in_node 2 insmod /modules/ccm_forgetful.ko'
	each ccm_table node1 "in_node 1" 1 2 forgetful
	check forgetful_is_there shows 'in_node 2 ccmctl consumers' ' +15 +ccm_forgetful .*'
	each ccm_table node1 "in_node 1" 1 2 forget_wait
	check forgetful_waits on node1 'wait_for 10 in_node 2 sh -c "ccmctl calls | grep -qE \"^long +1 +15 \""'
	check forgetful_is_unloaded unloads ccm_forgetful
	check forgetful_is_warned_of warned
	each ccm_table node1 "in_node 1" 1 2 forgotten
	check forgetful_leaves_nothing nobody_has 15
}

unload_in_use() {
	check unload_sender on node1 "$sender_waits"
	unload_held
	unload_forgetful
}
