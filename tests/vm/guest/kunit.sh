#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Init of the KUnit guest: four nodes, the test module, what its suites say, and what it leaves behind.
# shellcheck source=guest.sh disable=SC1091
. /lib/ccm/guest.sh
# shellcheck source=nodes.sh disable=SC1091
. /lib/ccm/nodes.sh

# KUnit waits for a case like a hung task would; with kmemleak on a slow host one may take a minute.
echo 150 >/proc/sys/kernel/hung_task_timeout_secs

leak_check=
grep -q kmemleak=on /proc/cmdline && leak_check=yes

nodes 4 # sets $pids
check guest.nodes_are_linked nodes_are_linked
[ -z "$leak_check" ] || forget_leaks
# shellcheck disable=SC2154
check guest.load insmod /modules/ccm_kunit.ko "pids=$pids"
for suite in /sys/kernel/debug/kunit/*/results; do
	[ ! -f "$suite" ] || cat "$suite" >&3
done
check guest.unload rmmod ccm_kunit
check guest.no_sockets_left no_sockets_left
check guest.namespaces_end nodes_end
check guest.nothing_left nothing_left
[ -z "$leak_check" ] || check guest.no_leak no_leak
report end
end
