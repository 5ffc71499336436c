# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2016,SC2086,SC2154
# Sourced by an agent, after manager.sh: what breaks between nodes, and when which of them told of it.

TC=/usr/lib/iproute2/tc
SS=/usr/lib/iproute2/ss

# --- what nodes tell ------------------------------------------------------------------------------------------------

# watch_begin: from here on each node's events go to /tmp/eventsN.
watch_begin() {
	watchers=
	for n in $(seq "$count"); do
		: >"/tmp/events$n"
		$IP netns exec "node$n" ccmctl -j monitor >>"/tmp/events$n" 2>&1 &
		watchers="$watchers $!"
	done
}

watch_end() { [ -z "${watchers:-}" ] || { kill $watchers; wait $watchers; watchers=; }; }

# forget: what was told until now.
forget() { for n in $(seq "$count"); do : >"/tmp/events$n"; done; }

# changes N: when a peer of node N came to which state, a line each: time as now() says it, peer, state, why.
changes() {
	awk -F '[",:{}]+' '
		$7 == "state" {
			split($3, day, "T")
			for (i = 14; i < NF && $i != "reason"; i++);
			printf "%.0f %s %s %s\n", ((day[2] * 60 + $4) * 60 + $5) * 1000, $11, $13, $(i + 1)
		}' "/tmp/events$1"
}

# told STATE SINCE N M: when node N first told, after that, that its peer M has come to this state.
told() {
	changes "$3" | awk -v since="$2" -v m="$4" -v state="$1" '
		$1 >= since && $2 == m && $3 == state { print $1; n = 1; exit }
		END { exit !n }'
}

# await STATE SINCE N M: until told, ten seconds at most.
await() {
	for _ in $(seq 200); do
		! told "$@" || return 0
		sleep 0.05
	done
	echo "node $3 does not tell that $4 is $1:"
	changes "$3"
	return 1
}

# told_within MS STATE SINCE N M [N M]...: each N told so of its peer M, the last one no later than that.
told_within() {
	most=$1 state=$2 since=$3 last=0 first=
	shift 3
	while [ $# -gt 0 ]; do
		await "$state" "$since" "$1" "$2" || return 1
		took=$(($(told "$state" "$since" "$1" "$2") - since))
		[ $took -le $last ] || last=$took
		[ -n "$first" ] && [ "$took" -ge "$first" ] || first=$took
		shift 2
	done
	measured "ms until $state:" "$first" "$last" "$most"
}

# measured WHAT FIRST LAST GOAL
measured() {
	if [ "$2" = "$3" ]; then span=$3; else span="$2 to $3"; fi
	echo "# $1 $span (goal: at most $4)"
	[ "$3" -le "$4" ]
}

# none_told STATE SINCE N M [N M]...: no N told so of its peer M.
none_told() {
	state=$1 since=$2
	shift 2
	while [ $# -gt 0 ]; do
		! told "$state" "$since" "$1" "$2" || { echo "node $1 told that $2 is $state"; return 1; }
		shift 2
	done
}

# calm_but NODES [OTHERS]: no node told of a change, but these of each other; or these of OTHERS, and those of these.
calm_but() {
	for n in $(seq "$count"); do
		changes "$n" | awk -v n="$n" -v nodes=" $1 " -v others=" ${2:-$1} " '
			index(nodes, " " n " ") && index(others, " " $2 " ") { next }
			index(others, " " n " ") && index(nodes, " " $2 " ") { next }
			{ print "node " n " told: " $0; told = 1 }
			END { exit told }' || return 1
	done
}

# lives: what shows later that nobody has connected anew: how often each peer has come up, and which life of it.
lives() {
	connects 1 "$count"
	for n in $(seq "$count"); do in_node "$n" ccmctl -j show | grep '"incarnation"'; done
}

# life_of M [N]: the incarnation of node M, as its peer N sees it, or else itself.
life_of() {
	in_node "${2:-$1}" ccmctl -j show | tr -d ' ,"' | awk -F: -v m="$1" '
		$1 == "number" { number = $2 }
		$1 == "incarnation" && number == m { print $2; exit }'
}

# new_life M OLD: node M lives anew, and all the others know.
new_life() {
	new=$(life_of "$1")
	echo "node $1 was $2 and is $new"
	[ "$new" != "$2" ] || return 1
	for n in $(seq "$count"); do
		[ "$(life_of "$1" "$n")" = "$new" ] || { echo "node $n sees $(life_of "$1" "$n")"; return 1; }
	done
}

# --- what breaks ----------------------------------------------------------------------------------------------------

# link_down N M, link_up N M: node N's end of the link. Going down takes its routes along.
link_down() { $IP -n "node$1" link set "to$2" down; }
link_up() { link_commands "to$2" "$1" "$2" | grep -v '^addr add 10' | $IP -n "node$1" -batch -; }

# fresh N M: neither of the two will have to ask for the other's link address soon. If one had to while it hears nothing
# of the other, it could not even send a reset.
fresh() {
	$IP -n "node$1" neigh flush dev "to$2"
	$IP -n "node$2" neigh flush dev "to$1"
	in_node "$1" ping -q -c 1 -W 5 "10.77.0.$2"
}

# drop N M..., pass N M...: what node N sends to these is lost, or no longer.
drop() { qdiscs add "$@"; }
pass() { qdiscs del "$@"; }

qdiscs() {
	does=$1 n=$2
	shift 2
	for m; do echo "qdisc $does dev to$m root netem loss 100%"; done | $TC -n "node$n" -batch -
}

# part NODES OTHERS, join NODES OTHERS: nothing passes between these and those, or all of it again.
part() {
	for a in $1; do drop "$a" $2; done
	for a in $2; do drop "$a" $1; done
}

join() {
	for a in $1; do pass "$a" $2; done
	for a in $2; do pass "$a" $1; done
}

# pairs NODES OTHERS: "N M" for each of these with each of those, both ways.
pairs() { for a in $1; do for b in $2; do echo "$a $b $b $a"; done; done; }

# kill_socket N M: node N's connection with M, as an administrator might by mistake.
kill_socket() { in_node "$1" $SS -K -t dst "10.77.0.$2" | grep "10.77.0.$2"; }

# --- strangers ------------------------------------------------------------------------------------------------------

# rtt N M: how long fifty heartbeats took on average, in microseconds.
rtt() { in_node "$1" ccmctl -j ping "$2" -c 50 -i 0.1 | awk -F '[:, ]+' '/avg_us/ { print int($3) }'; }

# refused N WHY: how many connections node N has refused, for that reason.
refused() {
	in_node "$1" ccmctl stats |
		awk -v why="$2" '/^Node/ { own = 1 } /^Peer/ { own = 0 } own && $1 == why { print $2 }'
}

# each_over COUNT WHY...: node 8 has refused more than so many for each of these reasons.
each_over() {
	over=$1
	shift
	for why; do [ "$(refused 8 "$why")" -gt "$over" ] || { echo "not more than $over: $why"; return 1; }; done
}

# connections N: those that node N has accepted, or are to be.
connections() { in_node "$1" awk '$2 ~ /:1CEB$/ && $4 != "0A" { n++ } END { print n + 0 }' /proc/net/tcp; }

# slab_kib: what the kernel has allocated in small pieces, sockets and ours among them.
slab_kib() { awk '$1 == "Slab:" { print $2 }' /proc/meminfo; }

# flood FROM TO PER_SECOND SECONDS: strangers come to TO from the address of FROM.
flood() { in_node "$1" strangers test "$1" "$2" "$3" "$4" >/tmp/strangers 2>&1 & flooding=$!; }

# flood_watched N: looks on until it ends. Sets $connections and $memory, the most that were seen.
flood_watched() {
	connections=0 memory=0
	while kill -0 "$flooding" 2>/dev/null; do
		has=$(connections "$1")
		[ "$has" -le $connections ] || connections=$has
		has=$(slab_kib)
		[ "$has" -le $memory ] || memory=$has
		sleep 0.2
	done
	wait "$flooding"
}
