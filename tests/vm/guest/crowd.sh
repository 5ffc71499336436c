# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# Sourced by an agent: one node that many join, and these many, each in a network namespace.
#
#   m1  hub --- m1 \           In the namespace mN the link to the hub is called hub, and there is the address 10.78.0.N;
#   m2  hub --- m2  > hub      in the hub's that link is called mN, and 10.78.1.1 is the address for all of them.
#   m3  hub --- m3 /

TC=/usr/lib/iproute2/tc

# members COUNT DELAY: what the hub sends to each takes so many milliseconds, and what it hears no time: a round trip does.
members() {
	count=$1 delay=$2
	{
		echo "netns add hub"
		for n in $(seq "$count"); do echo "netns add m$n"; done
	} | $IP -batch - || return 1
	{
		echo "link set lo up"
		echo "addr add 10.78.1.1/32 dev lo"
		for n in $(seq "$count"); do
			echo "link add m$n type veth peer name hub netns m$n"
			echo "link set m$n up"
			echo "route add 10.78.0.$n/32 dev m$n src 10.78.1.1"
		done
	} | $IP -n hub -batch - || return 1
	for n in $(seq "$count"); do member_commands "$n" | $IP -n "m$n" -batch - || return 1; done
	for n in $(seq "$count"); do echo "qdisc add dev m$n root netem delay ${delay}ms limit 10000"; done | $TC -n hub -batch -
}

member_commands() {
	echo "link set lo up"
	echo "addr add 10.78.0.$1/32 dev hub"
	echo "link set hub up"
	echo "route add 10.78.1.1/32 dev hub src 10.78.0.$1"
}

# What names a namespace is its last reference.
members_end() {
	{
		for n in $(seq "$count"); do echo "netns del m$n"; done
		echo "netns del hub"
	} | $IP -batch -
}
