#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# memory.sh [SERIES ...]: memory that can only be had by I/O over CCM. Of two nodes in one guest the first has a block
# device (ccm_disk in consumer/) whose blocks the second lends over CCM. Little memory is left, pages of that device fill
# it, and a stream of messages comes, while the kernel is made to keep more and more memory free: whoever in CCM asks for
# memory must not wait for what only CCM can bring. Prints a line "ok NAME" or "not ok NAME" a case; what is for people
# goes to standard error.
# shellcheck disable=SC2016,SC2317  # what stands in single quotes is for a guest's shell; `attempt` calls the functions
source "$(dirname "$0")/managed.sh"

# What is left, and what is written.
left_mib=40
fill_mib=40

joins() {
	on node1 "in_node $1 ccmctl node set $1 --address 10.77.0.$1 --cluster memory --insecure" &&
		on node1 "in_node $1 ccmctl peer add $2 --address 10.77.0.$2"
}

set_up() {
	local stock
	stock=$("$vm/stock.sh" "$1")
	suite=memory-$1
	say "==> $suite: a disk over CCM, on Debian's $(cat "$stock/release")"
	make_for "$stock" samples test-consumer
	make -s -C "$top" ccmctl >&2
	cluster_begin "$top/build/vm/$suite"
	guest node1 "$stock" "$top/build/$(cat "$stock/release")/consumers/tests/vm/consumer/ccm_disk.ko:modules/ccm_disk.ko"
	guest_ready node1
	# A task that waits so long waits for ever, and the console says where.
	on node1 'echo 1 >/proc/sys/kernel/hung_task_panic; echo 60 >/proc/sys/kernel/hung_task_timeout_secs'
	on node1 'mount -t tracefs none /sys/kernel/tracing'
	# No page of it is like another, or all of one byte: those need no I/O.
	on node1 "head -c 1048576 /dev/urandom >/pattern; fill_mib=$fill_mib"
	on node1 'pattern() { for n in $(seq $fill_mib); do cat /pattern; done; }'
	on node1 'nodes 2; for m in kccm ccm_xfer; do insmod /modules/$m.ko || exit 1; done'
	attempt node1_joins joins 1 2
	attempt node2_joins joins 2 1
	attempt listens on node1 'in_node 2 ccmctl listen 1'
	attempt connects on node1 'in_node 1 ccmctl connect 2 --wait 10'
	attempt borrows on node1 "in_node 1 insmod /modules/ccm_disk.ko mib=$((fill_mib + 16)) && mdev -s && ls -l /dev/ccm_disk"
	# Messages of 64 KiB: each is taken from what is left.
	on node1 'stream() { while [ ! -e /tmp/enough ] && head -c 1048576 /dev/zero; do usleep 200000; done; }'
	on node1 'in_node 1 cat /proc/net/ccm_xfer/2 >/dev/null & receiver=$!'
	on node1 'stream | in_node 2 sh -c "cat >/proc/net/ccm_xfer/1" & sender=$!'
}

# What is in a ramfs cannot be had again.
little_is_left() {
	on node1 'mkdir /rest && mount -t ramfs none /rest && echo 3 >/proc/sys/vm/drop_caches'
	on node1 "take=\$((\$(awk '/^MemAvailable/ { print \$2 }' /proc/meminfo) - $left_mib * 1024))"
	on node1 'head -c ${take}k /dev/zero >/rest/all && free -m && [ $take -gt 0 ]'
}

# CCM's threads that find no memory free, and free some: the kernel notes on what terms.
watch_reclaim() {
	on node1 'reclaim=/sys/kernel/tracing/events/vmscan/mm_vmscan_direct_reclaim_begin'
	on node1 'echo "comm ~ \"ccm*\"" >$reclaim/filter && echo 1 >$reclaim/enable'
}

# It ends, however long it takes, while requests of the disk do.
load_goes_on() {
	on node1 'requests() { awk "{ print \$1, \$5 }" /sys/block/ccm_disk/stat; }; still=0'
	on node1 'while kill -0 $load && [ $still -lt 60 ]; do now=$(requests); sleep 1; [ "$(requests)" != "$now" ] && still=0 || still=$((still + 1)); done'
	on node1 '[ $still -lt 60 ] || { echo "no request ends any more: $now"; false; } && wait $load'
}

# Nothing is written back before much of it is dirty.
dirty_pages() {
	watch_reclaim
	on node1 'echo 50 >/proc/sys/vm/dirty_ratio; echo 40 >/proc/sys/vm/dirty_background_ratio'
	on node1 '{ pattern | dd of=/dev/ccm_disk bs=64k && sync; } & load=$!'
	load_goes_on
}

# What the disk's clean pages have is to be kept free, step by step: who asks for memory now frees some first.
more_is_kept_free() {
	on node1 'kept=$(cat /proc/sys/vm/min_free_kbytes); cat /dev/ccm_disk >/dev/null; free -k'
	on node1 'for n in $(seq 24); do echo $((kept + n * 1024)) >/proc/sys/vm/min_free_kbytes; usleep 200000; done; free -k'
	on node1 'echo $kept >/proc/sys/vm/min_free_kbytes'
}

# Some did, else nothing was tried, and none might have waited for I/O.
none_waits_for_io() {
	local terms='GFP_NOIO([|]__GFP_(NORETRY|RETRY_MAYFAIL|NOWARN|COMP|ZERO|NOMEMALLOC|HARDWALL))*'
	on node1 'echo 0 >$reclaim/enable; sed -nE "s/^ *(ccm[^ ]*)-[0-9]+ .*gfp_flags=/\1 /p" /sys/kernel/tracing/trace >/tmp/reclaims'
	on node1 'sort /tmp/reclaims | uniq -c | sed "s/^/# /"'
	on node1 "[ -s /tmp/reclaims ] && ! grep -qvE '^ccm[^ ]* $terms\$' /tmp/reclaims"
}

disk_is_the_same() { on node1 'echo 3 >/proc/sys/vm/drop_caches; pattern | cmp -n $((fill_mib << 20)) - /dev/ccm_disk'; }

messages_came() { on node1 'in_node 1 ccmctl stats 2; kill -0 $receiver'; }
stream_ends() { on node1 'touch /tmp/enough; wait $sender && wait $receiver && rmmod ccm_xfer'; }
unloads() { on node1 'rmmod ccm_disk && nodes_end; rmmod kccm && nothing_left'; }

[ $# -gt 0 ] || set -- 6.1 6.12
for series; do
	set_up "$series"
	# On a busy host each takes its time.
	patience=180
	for case in little_is_left dirty_pages more_is_kept_free none_waits_for_io disk_is_the_same messages_came stream_ends unloads; do
		# A guest that hangs cannot be asked any more.
		[ $failed != 0 ] || attempt $case $case
	done
	"$vm/judge.sh" "$cluster/node1/console.log" "$suite: console_is_clean" || failed=1
	cluster_end
	[ $failed = 0 ] || break
done
exit $failed
