# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# Sourced by an agent: managers of nodes that nodes() made, each in its network namespace. $count is how many.

# What the file says may be set: the seconds between two heartbeats, and those before connecting again, first and at
# most.
interval=0.3
pauses=

# The clock's day begins here, so that no test runs past midnight.
date -s 00:00 >/dev/null

# file FIRST LAST: the cluster's, with these nodes.
file() {
	echo 'cluster = "test"'
	echo 'key = "/tmp/key"'
	echo '[heartbeat]'
	echo "interval = $interval"
	# shellcheck disable=SC2086 # two
	[ -z "$pauses" ] || printf '[reconnect]\nfirst = %s\nmost = %s\n' $pauses
	for n in $(seq "$1" "$2"); do
		echo '[[node]]'
		echo "number = $n"
		echo "address = \"10.77.0.$n\""
	done
}

# manager N: starts it. Its words go to /tmp/logN, after those of the one before it.
manager() {
	$IP netns exec "node$1" ccmctl manage "/tmp/cluster$1.toml" >>"/tmp/log$1" 2>&1 &
	eval "manager$1=$!"
}

# tell_manager SIGNAL N: waits for its end if it is one to end by.
tell_manager() {
	eval "pid=\$manager$2"
	kill "-$1" "$pid"
	case $1 in KILL | TERM) wait "$pid" ;; esac
}

# start_all: each up to a second after the one before it, in any order.
start_all() {
	for n in $(seq "$count" | shuf); do
		sleep "0.$(($(od -An -N1 -tu1 /dev/urandom) % 10))"
		manager "$n"
	done
}

# files FIRST LAST COUNT: the same file for managers 1 to COUNT, and those that run read it.
files() {
	for m in $(seq "$3"); do
		file "$1" "$2" >"/tmp/cluster$m.toml"
		eval "[ -z \"\${manager$m:-}\" ]" || tell_manager HUP "$m"
	done
}

# change N THIS THAT: in the file of manager N, which reads it again.
change() {
	sed -i "s,$2,$3," "/tmp/cluster$1.toml"
	tell_manager HUP "$1"
}

# begin_anew N: as a machine that restarts.
begin_anew() {
	tell_manager KILL "$1"
	in_node "$1" ccmctl node delete
	# shellcheck disable=SC2034  # for joined_within
	restarted=$(now)
	manager "$1"
}

# In milliseconds since midnight.
now() {
	# shellcheck disable=SC3028 # busybox's sh knows it
	time=$EPOCHREALTIME
	fraction=1${time#*.}
	echo $((${time%.*} % 86400 * 1000 + ${fraction%???} - 1000))
}

# ups N: peers of node N that are up, a line each: number, and how long.
ups() {
	in_node "$1" ccmctl -j show | tr -d ' ,"' | awk -F: '
		$1 == "number" { number = $2 }
		$1 == "self" { self = $2 }
		$1 == "state" { state = $2 }
		$1 == "since_ms" && self == "false" && state == "up" { print number, $2 }'
}

# all_up FIRST LAST: each of these nodes is connected with each other.
all_up() {
	for n in $(seq "$1" "$2"); do
		[ "$(ups "$n" | wc -l)" = $(($2 - $1)) ] || { in_node "$n" ccmctl show; return 1; }
	done
}

# joined_within MS AFTER FIRST LAST: all_up, and the last connection came up by then.
joined_within() {
	sleep "$(($1 / 1000))" # to look on would cost time
	wait_for 20 all_up "$3" "$4" || return 1
	last=$2
	for n in $(seq "$3" "$4"); do
		at=$(now)
		for since in $(ups "$n" | awk '{ print $2 }'); do
			[ $((at - since)) -le "$last" ] || last=$((at - since))
		done
	done
	echo "# ms until joined: $((last - $2)) (goal: at most $1)"
	[ $((last - $2)) -le "$1" ]
}

# How often each peer of each node has come up, to see later that nothing was connected anew.
connects() {
	for n in $(seq "$1" "$2"); do in_node "$n" ccmctl stats | awk -v n="$n" '/^Peer/ { p = $2 } / connects / { print n, p, $2 }'; done
}

# has_interval N TEXT: node N's peers have this interval.
has_interval() { in_node "$1" ccmctl peer list | grep "$2"; }

# none_up N: node N is alone.
none_up() { [ -z "$(ups "$1")" ]; }
