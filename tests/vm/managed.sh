# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # used by those who source this
# Sourced: cases tried on nodes that have managers; and eight such nodes in one guest, each in a network namespace.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$vm/cluster.sh"

failed=0
for_managers=("$vm/guest/manager.sh:lib/ccm/manager.sh" "$vm/guest/faults.sh:lib/ccm/faults.sh"
	"$vm/guest/chaos.sh:lib/ccm/chaos.sh")

# attempt CASE COMMAND...: one case. What the command printed is shown when it fails, and what it measured (lines that
# begin with "# ") always.
attempt() {
	local name="$suite: $1"
	shift
	if "$@" >"$cluster/last" 2>&1; then
		sed -n "s/^# /# $name: /p" "$cluster/last" >&2
		echo "ok $name"
	else
		failed=1
		say "not ok $name"
		sed 's/^/    /' "$cluster/last" >&2
		echo "not ok $name"
	fi
}

# check CASE COMMAND: the same, in the guest.
check() { attempt "$1" on node1 "$2"; }

# managed_begin SUITE KERNEL: the guest, on a stock kernel (6.1, 6.12) or the debug kernel, x86-debug, with kmemleak on.
# Its nodes have no file yet, and nobody is started.
managed_begin() {
	local kernel
	suite=$1
	cluster_begin "$top/build/vm/$suite"
	if [ "$2" = x86-debug ]; then debug_kernel; else counted_kernel "$2"; fi
	say "==> $suite: eight nodes on $(cat "$kernel/release")"
	make -s -C "$top" ccmctl >&2
	make_program_for x86_64 "$vm/strangers"
	guest node1 "$kernel" "${for_managers[@]}" \
		"$top/build/$(cat "$kernel/release")/consumers/tests/vm/consumer/ccm_table.ko:modules/ccm_table.ko" \
		"$top/build/strangers:usr/bin/strangers" \
		"$(tool tc):usr/lib/iproute2/tc" "$(tool ss):usr/lib/iproute2/ss"
	guest_ready node1
	on node1 'nodes 8; . /lib/ccm/manager.sh; . /lib/ccm/faults.sh; . /lib/ccm/chaos.sh'
	[ "$2" != x86-debug ] || on node1 forget_leaks
	on node1 'insmod /modules/kccm.ko'
}

# Debian's. Times are the guest's own, and say the same on a busy host.
counted_kernel() {
	kernel=$("$vm/stock.sh" "$1")
	make_for "$kernel" samples test-consumer
	guest_machine=machine_counted guest_drivers=(sch_netem tcp_diag)
}

# Its folder, made to look like that of a stock kernel.
debug_kernel() {
	local built
	built=$("$vm/kernel.sh" x86-debug)
	make -s -C "$top" samples test-consumer KDIR="$built" FLAVOUR=x86-debug ARCH=x86 >&2
	kernel=$cluster/kernel
	mkdir "$kernel"
	ln -s "$built/vmlinux" "$kernel/vmlinux"
	echo x86-debug >"$kernel/release"
	guest_machine=machine_own more_append="kmemleak=on"
}

tool() { readlink -f "$(PATH=$PATH:/usr/sbin:/sbin command -v "$1")"; }

# managed_end: all of it ends well. $cluster/managers.log keeps what the managers said.
# shellcheck disable=SC2016  # the guest's
managed_end() {
	on node1 'for n in $(seq 8); do echo "--- node $n"; cat /tmp/log$n; done' >"$cluster/managers.log"
	on node1 'for n in $(seq 8); do echo "--- node $n"; cat /tmp/events$n; done' >"$cluster/events.log" || true
	check end 'for n in $(seq 8); do tell_manager TERM $n; done; watch_end; nodes_end'
	check unload 'rmmod ccm_table; rmmod kccm && nothing_left'
	[ ! -e "$cluster/kernel" ] || check no_leak no_leak
	"$vm/judge.sh" "$cluster/node1/console.log" "$suite: console_is_clean" || failed=1
	cluster_end
}
