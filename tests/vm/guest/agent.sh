#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Init of a guest that does as it is told: a line in is a command; out come what it printed and a line with its status.
# cluster.sh is the other end.
# shellcheck source=guest.sh disable=SC1091
. /lib/ccm/guest.sh
# shellcheck source=nodes.sh disable=SC1091
. /lib/ccm/nodes.sh

# The guest's own Ethernet, when it is one node of several guests.
ethernet() {
	[ -d /proc/sys/net/ipv6/conf/eth0 ] || return 0 # it is the only one
	echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad
	$IP addr add "10.77.0.$1/24" dev eth0
	$IP addr add "fd77::$1/64" dev eth0
	$IP link set eth0 up
}

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
	tries=$(($1 * 5))
	shift
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || { "$@"; return 1; }
		sleep 0.2
	done
}

mark=$(printf '\001')
echo "${mark}0" >&3
while IFS= read -r line <&3; do
	# In this shell: what a command sets, a later one may use.
	eval "$line" >/tmp/said 2>&1 3>&- </dev/null
	status=$?
	awk 1 /tmp/said >&3
	echo "$mark$status" >&3
done
end
