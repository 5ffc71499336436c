# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2016,SC2034,SC2086,SC2154,SC3028
# Sourced by an agent, after faults.sh: faults at random, and traffic meanwhile. Which faults come, and how far apart,
# follows from $seed alone.

# random N: sets $random, 1 to N.
random() {
	seed=$(((seed * 1103515245 + 12345) % 2147483648))
	random=$((seed / 65536 % $1 + 1))
}

# --- traffic --------------------------------------------------------------------------------------------------------

# Node $n calls others, again and again, and the consumer checks each byte of what comes back: a line "fine", or what
# was wrong.
talk='
	while [ -e /tmp/traffic ]; do
		to=$((RANDOM % count + 1))
		[ $to != $n ] || continue
		case $((RANDOM % 8)) in 0) what=long_call ;; *) what=answer ;; esac
		! echo $what $to >/proc/net/ccm_table || echo fine
		sleep 0.1
	done
'

traffic_begin() {
	touch /tmp/traffic
	talkers=
	for n in $(seq "$count"); do
		$IP netns exec "node$n" env n=$n count=$count sh -c "$talk" >>/tmp/talk$n 2>&1 &
		talkers="$talkers $!"
	done
}

traffic_end() { rm /tmp/traffic; wait $talkers; }

traffic_forget() { for n in $(seq "$count"); do : >/tmp/talk$n; done; }

# Calls may fail, and do, while nodes are cut off or have no number. But what comes has to be what was sent: the
# consumer tells the log of everything. Not every kernel has names for errors.
lost='EHOSTDOWN|112|ECONNABORTED|103|ENOTCONN|107|ENODEV|19|ETIMEDOUT|110'
nothing_garbled() { ! dmesg -c | grep 'ccm_table:' | grep -vE -- ": -($lost)\$"; }

# Everybody has something to say, and nothing of it fails.
all_talk() {
	for n in $(seq "$count"); do
		! grep -v '^fine' /tmp/talk$n || { echo "says node $n"; return 1; }
		[ "$(wc -l </tmp/talk$n)" -ge 10 ] || { echo "node $n says little"; return 1; }
	done
}

# --- harm -----------------------------------------------------------------------------------------------------------

dead=

# netem N M WHAT...: what becomes of packets from node N to M.
netem() {
	n=$1 m=$2
	shift 2
	$TC -n "node$n" qdisc replace dev "to$m" root netem "$@"
}

# split: nothing passes between some nodes, chosen at random, and the others.
split() {
	random $((1 << count))
	for n in $(seq "$count"); do
		for m in $(seq "$count"); do
			[ $((random >> n & 1)) = $((random >> m & 1)) ] || echo "qdisc replace dev to$m root netem loss 100%"
		done | $TC -n "node$n" -batch -
	done
}

pass_all() {
	for n in $(seq "$count"); do
		for m in $(seq "$count"); do echo "qdisc del dev to$m root"; done | $TC -n "node$n" -force -batch - 2>/dev/null
	done
}

links_up() {
	for n in $(seq "$count"); do
		for m in $(seq "$count"); do [ "$m" = "$n" ] || link_commands "to$m" "$n" "$m"; done |
			$IP -n "node$n" -force -batch - 2>/dev/null
	done
}

revive() {
	for n in $dead; do manager "$n"; done
	dead=
}

# Node N, whose manager may be dead, as a machine that restarts.
restart() {
	case " $dead " in *" $1 "*) ;; *) tell_manager KILL "$1" ;; esac
	dead=$(for n in $dead; do [ "$n" = "$1" ] || echo "$n"; done)
	in_node "$1" ccmctl node delete
	manager "$1"
}

kill_manager() {
	case " $dead " in
	*" $1 "*) ;;
	*)
		tell_manager KILL "$1"
		dead="$dead $1"
		;;
	esac
}

# harm: a fault, or the end of some.
harm() {
	random "$count"
	a=$random
	random $((count - 1))
	b=$(((a + random - 1) % count + 1))
	random 100
	if [ "$random" -le 15 ]; then set -- netem $a $b loss 100%
	elif [ "$random" -le 25 ]; then set -- netem $a $b loss 20% delay 30ms 20ms
	elif [ "$random" -le 30 ]; then set -- split
	elif [ "$random" -le 40 ]; then set -- pass_all
	elif [ "$random" -le 50 ]; then set -- link_down $a $b
	elif [ "$random" -le 55 ]; then set -- links_up
	elif [ "$random" -le 75 ]; then set -- kill_socket $a $b
	elif [ "$random" -le 85 ]; then set -- kill_manager $a
	elif [ "$random" -le 92 ]; then set -- revive
	else set -- restart $a
	fi
	echo "$(now) $*"
	"$@" >/dev/null 2>&1
}

# harm_for SECONDS, and then it is over.
harm_for() {
	until=$(($(now) + $1 * 1000))
	while [ "$(now)" -lt $until ]; do
		harm
		random 12
		sleep $((random / 10)).$((random % 10))
	done
	mended=$(now)
	revive
	links_up
	pass_all
	echo "# ms until all was mended: $(($(now) - mended))"
}
