# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154  # $cluster is cluster.sh's
# Sourced by smoke.sh: what an administrator sees of nodes 1 and 2 in one guest, node1: tables, JSON, events and
# tracepoints.

# shows COMMAND PATTERN...: for each PATTERN, a line that the command prints is that.
shows() {
	local said pattern status=0
	said=$(on node1 "$1") || status=1
	printf '%s\n' "$said"
	shift
	for pattern; do
		grep -qxE -e "$pattern" <<<"$said" || { echo "there is no line: $pattern"; status=1; }
	done
	return $status
}

# json COMMAND FILTER: it prints one JSON value, of which jq's FILTER is true.
json() {
	local said
	said=$(on node1 "$1") || { printf '%s\n' "$said"; return 1; }
	printf '%s\n' "$said"
	jq -se "length == 1 and (.[0] | $2)" <<<"$said"
}

# agree JSON FILTER TABLE AWK: what jq makes of the one command's output is what awk makes of the other's, line by line.
agree() {
	local from_json from_table
	from_json=$(on node1 "$1" | jq -r "$2")
	from_table=$(on node1 "$3" | awk "$4")
	diff <(echo "$from_json") <(echo "$from_table") && [ -n "$from_json" ]
}

for_='[0-9]+ (s|min)'
bytes='[0-9.]+( [KMG]iB)?'
counts="$bytes +$bytes +$bytes +$bytes" # in, out, to send, to take

# --- commands that show --------------------------------------------------------------------------------------------

watch_show() {
	check show_table shows 'in_node 1 ccmctl show' \
		'Node 1 of cluster smoke at 10\.77\.0\.1:7403, insecure' \
		'PEER +STATE +FOR +ADDRESS +RTT +IN +OUT +TO SEND +TO TAKE +WHY' \
		" +1 +self +$for_ +10\.77\.0\.1:7403 +- +$counts" \
		" +2 +up +$for_ +10\.77\.0\.2:7403 +- +$counts"
	check show_json json 'in_node 1 ccmctl -j show' '
		keys_unsorted == ["node", "peers"]
		and (.node | .insecure and .keyed and (.managed | not) and .number == 1 and .cluster == "smoke" and .address == "10.77.0.1" and .port == 7403
			and (.incarnation | test("^0x[0-9a-f]{16}$")) and .generation > 0)
		and (.peers | map(.number) == [1, 2] and map(.self) == [true, false])
		and (.peers[1] | keys_unsorted == ["number", "self", "deleting", "address", "port", "timeout_ms", "interval_ms", "limit", "state", "since_ms", "reason",
			"why", "listening", "incarnation", "queued_out", "queued_in"]
			and .address == "10.77.0.2" and .port == 7403 and .timeout_ms == 5000 and .state == "up" and .reason == "none"
			and (.since_ms | . > 0 and . < 600000) and .listening == false and .queued_out == 0)'
	check show_one_json json 'in_node 2 ccmctl -j show 1' \
		'.node.number == 2 and (.peers | map(.number) == [1]) and .peers[0].listening'
	check node_table shows 'in_node 1 ccmctl node show' 'Node +1' 'Cluster +smoke' 'Address +10\.77\.0\.1:7403'
	check node_json json 'in_node 1 ccmctl -j node show' '.number == 1 and .cluster == "smoke" and .port == 7403'
	check peers_table shows 'in_node 1 ccmctl peer list' 'PEER +ADDRESS +TIMEOUT +INTERVAL +LIMIT +STATE' \
		' +1 +10\.77\.0\.1:7403 +- +- +- +self' ' +2 +10\.77\.0\.2:7403 +5 s +- +- +up'
	check peers_json json 'in_node 1 ccmctl -j peer list' \
		'map([.number, .timeout_ms, .state]) == [[1, 0, "up"], [2, 5000, "up"]]'
}

watch_consumers() {
	check consumers_table shows 'in_node 1 ccmctl consumers' \
		'MODULE +OWNER +RECEIVERS +MESSAGES +QUEUED +LARGEST +WINDOW' \
		' +11 +ccm_ping +1 +0 +0 +1\.0 MiB +4\.0 MiB' \
		' +13 +ccm_table +0 +0 +0 +1\.0 MiB +4\.0 MiB'
	check consumers_json json 'in_node 1 ccmctl -j consumers' '
		map(select(.module == 11)) == [{ module: 11, attached: true, owner: "ccm_ping", max_size: 1048576, window: 4194304,
			receivers: 1, messages: 0, queued: 0 }]'
	# shellcheck disable=SC2016  # awk's
	check consumers_agree agree 'in_node 1 ccmctl -j consumers' \
		'.[] | "\(.module) \(if .attached then .owner else "(none)" end) \(.receivers) \(.messages)"' \
		'in_node 1 ccmctl consumers' 'NR > 1 { print $1, $2, $3, $4 }'
}

# counter NODE PEER NAME
counter() { on node1 "in_node $1 ccmctl -j stats" | jq ".peers[] | select(.number == $2) | .stats.$3"; }

# One call with an answer and two that nobody can run, from node 1 to node 2.
stats_count() {
	local before after
	before="$(counter 1 2 calls_out) $(counter 2 1 calls_in) $(counter 2 1 calls_refused)"
	on node1 "in_node 1 sh -c 'for c in answer no_handler; do echo \$c 2 >/proc/net/ccm_table || exit 1; done'"
	after="$(counter 1 2 calls_out) $(counter 2 1 calls_in) $(counter 2 1 calls_refused)"
	echo "$before -> $after"
	# shellcheck disable=SC2086  # numbers
	set -- $before $after
	[ $# = 6 ] && [ "$4 $5 $6" = "$(($1 + 3)) $(($2 + 1)) $(($3 + 2))" ]
}

# What peers have sent and nobody has taken waits for some consumer.
taken_into_account() {
	on node1 "in_node $1 ccmctl consumers; in_node $1 ccmctl show"
	test "$(on node1 "in_node $1 ccmctl -j consumers" | jq 'map(.queued) | add')" = \
		"$(on node1 "in_node $1 ccmctl -j show" | jq '.peers | map(.queued_in) | add')"
}

watch_stats() {
	check stats_table shows 'in_node 1 ccmctl stats' \
		'Node 1' '  accepted +0  connections accepted' 'Peer 1 \(self\)' 'Peer 2' \
		'  connects +[1-9][0-9]*  times it came up' '  messages-out +[1-9][0-9]*  messages sent'
	check stats_json json 'in_node 2 ccmctl -j stats' '
		.node.number == 2 and .node.stats.accepted > 0 and (.peers | map(.number) == [1, 2])
		and (.peers[0].stats | .messages_in > 0 and .bytes_in > 4000000 and .connects > 0 and .breaks == 0 and .garbage == 0)'
	check stats_count stats_count
	# shellcheck disable=SC2016  # awk's
	check stats_agree agree 'in_node 1 ccmctl -j stats' \
		'.node, .peers[] | .stats | to_entries[] | "\(.key | gsub("_"; "-")) \(.value)"' \
		'in_node 1 ccmctl stats' '/^  / { print $1, $2 }'
}

watch_calls() {
	check charged taken_into_account 1
	check charged_there taken_into_account 2
	check calls_table shows 'in_node 2 ccmctl calls' \
		'MODULE +FUNCTION +KIND +RUNNING' ' +13 +1 +short +0' ' +13 +2 +long +0' \
		'WHAT +PEER +MODULE +FUNCTION +SEQ +AGE'
	check calls_json json 'in_node 2 ccmctl -j calls' '
		.calls == [] and (.handlers | map(select(.module == 13 and .function == 2))
			== [{ module: 13, function: 2, kind: "long", running: 0 }])'
	# shellcheck disable=SC2016  # awk's
	check calls_agree agree 'in_node 2 ccmctl -j calls' '.handlers[] | "\(.module) \(.function) \(.kind) \(.running)"' \
		'in_node 2 ccmctl calls' '/^ *[0-9]/ { print $1, $2, $3, $4 }'
}

# --- events --------------------------------------------------------------------------------------------------------

# monitor.json is of node 2, monitor of node 1. They listen once they tell of a call that is refused.
monitor_begin() {
	on node1 'in_node 1 ccmctl monitor >/tmp/monitor & in_node 2 ccmctl -j monitor >/tmp/monitor.json &'
	on node1 'wait_for 20 in_node 1 sh -c "echo no_handler 2 >/proc/net/ccm_table; [ -s /tmp/monitor.json ]"' &&
		on node1 'wait_for 20 in_node 2 sh -c "echo no_handler 1 >/proc/net/ccm_table; [ -s /tmp/monitor ]"'
}

monitor_json() {
	local said
	said=$(on node1 'cat /tmp/monitor.json')
	printf '%s\n' "$said"
	jq -se 'length > 2
		and all(.[]; (.time | test("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$")) and .generation > 0)
		and any(.[]; .event == "call-refused" and .node == 1 and .module == 13 and .function == 7 and .error == 95
			and .why == "there is no such handler")
		and (map(select(.event == "state")) | map([.node, .state, .reason]) == [[1, "down", "goodbye"], [1, "up", "none"]]
			and (.[0] | .why == "the peer said goodbye" and .unsent == 0 and .unknown == 0))' <<<"$said"
}

watch_events() {
	local time='[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}'
	check monitor_begins monitor_begin
	check close on node1 'in_node 1 ccmctl close 2 --wait 10'
	check show_down shows 'in_node 1 ccmctl show' \
		" +2 +down +$for_ +10\.77\.0\.2:7403 +- +$counts +asked for on this node"
	check show_may_connect shows 'in_node 2 ccmctl show' \
		" +1 +down +$for_ +10\.77\.0\.1:7403 +- +$counts +the peer said goodbye; may connect again"
	check connect_again on node1 'in_node 1 ccmctl connect 2 --wait 10'
	check monitor_hears on node1 \
		'wait_for 10 grep -q "2 is up" /tmp/monitor && wait_for 10 grep -q "\"up\"" /tmp/monitor.json'
	on node1 'killall ccmctl' >/dev/null
	check monitor_text shows 'cat /tmp/monitor' \
		"$time  refused a call by node 2 to function 7 of module 13: there is no such handler" \
		"$time  peer 2 is down: asked for on this node(; [0-9]+ messages? of unknown fate)?" "$time  peer 2 is up, incarnation 0x[0-9a-f]{16}"
	check monitor_json monitor_json
}

# --- tracepoints ---------------------------------------------------------------------------------------------------

tracing=/sys/kernel/tracing

trace_begin() {
	on node1 "grep -q ' $tracing ' /proc/mounts || mount -t tracefs tracefs $tracing" &&
		on node1 "echo >$tracing/trace && echo 1 >$tracing/events/ccm/enable"
}

trace_end() {
	on node1 "echo 0 >$tracing/events/ccm/enable"
	on node1 "cat $tracing/trace" | sed -n 's/.*: \(ccm_[a-z]*: \)/\1/p' >"$cluster/trace"
}

# traced LINE...: these events, in this order, maybe with others in between. Each is an extended regular expression.
traced() {
	awk -v want="$(printf '%s\n' "$@")" '
		BEGIN { count = split(want, wanted, "\n"); at = 1 }
		{ print }
		at <= count && $0 ~ "^" wanted[at] "$" { at++ }
		END { if (at <= count) { print "missing: " wanted[at]; exit 1 } }
	' "$cluster/trace"
}

# Who waits for a message may be quicker, once woken, than who wakes it: on PREEMPT_RT its event comes first.
delivered_and_received() { traced "$1" && traced "$2"; }

# The seqn that the first call of the case "short" has: the same in all that belongs to it.
traced_call() {
	local seqn
	seqn=$(sed -nE 's/^ccm_deliver: me=2 node=1 module=13 type=1 seqn=([0-9]+) .*/\1/p' "$cluster/trace" | head -n 1)
	traced "ccm_deliver: me=2 node=1 module=13 type=1 seqn=$seqn size=54 (queued|posted)" \
		"ccm_receive: me=2 node=1 module=13 type=0 seqn=0 size=0 result=-35" \
		"ccm_send: me=2 node=1 module=13 type=1 seqn=$seqn size=0 result=0" \
		"ccm_call: me=2 from=1 module=13 function=1 seqn=$seqn short error=0 result=0" &&
		delivered_and_received "ccm_deliver: me=1 node=2 module=13 type=1 seqn=$seqn size=0 (queued|posted)" \
			"ccm_receive: me=1 node=2 module=13 type=1 seqn=$seqn size=0 result=0"
}

watch_trace() {
	check trace_begins trace_begin
	each ccm_table node1 "in_node 1" 1 2 short send_self answer no_handler connect_to
	check trace_ends trace_end
	check trace_of_a_call traced_call
	check trace_of_a_message delivered_and_received "ccm_deliver: me=1 node=1 module=13 type=2 seqn=0 size=11 (queued|posted)" \
		"ccm_receive: me=1 node=1 module=13 type=2 seqn=0 size=11 result=11"
	check trace_of_a_send traced "ccm_send: me=1 node=1 module=13 type=2 seqn=0 size=11 result=0"
	check trace_of_a_long_call traced "ccm_call: me=2 from=1 module=13 function=3 seqn=[0-9]+ long error=0 result=4711" \
		"ccm_deliver: me=1 node=2 module=13 type=3 seqn=[0-9]+ size=54 (queued|posted)"
	check trace_of_a_refusal traced "ccm_call: me=2 from=1 module=13 function=7 seqn=[0-9]+ short error=-95 result=0"
	check trace_of_states traced \
		'ccm_state: me=1 peer=2 up -> closing \\(admin\\)' 'ccm_state: me=1 peer=2 closing -> down \\(admin\\)' \
		'ccm_state: me=1 peer=2 down -> connecting \\(none\\)' 'ccm_state: me=1 peer=2 connecting -> up \\(none\\)'
	check trace_of_states_there traced 'ccm_state: me=2 peer=1 up -> down \\(goodbye\\)' \
		'ccm_state: me=2 peer=1 down -> connecting \\(none\\)' 'ccm_state: me=2 peer=1 connecting -> up \\(none\\)'
}

watch_all() {
	watch_show
	watch_consumers
	watch_stats
	watch_calls
	watch_events
	watch_trace
}
