# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced: the guest that counts: a stock kernel with one processor, whose clock goes by instructions.
source "$(dirname "${BASH_SOURCE[0]}")/../tests/vm/lib.sh"
source "$vm/cluster.sh"

# prepare NAME: builds all that is needed, for guests whose logs will be in build/vm/NAME. Sets $stock, $release.
prepare() {
	"$vm/packages.sh" build machines bench
	stock=$("$vm/stock.sh" 6.12)
	release=$(cat "$stock/release")
	say "==> building kccm.ko, the bench and ccmctl"
	make -s -C "$top" bench-module KDIR="$stock/headers" >&2
	make -s -C "$top" ccmctl >&2
	cluster_begin "$top/build/vm/$1"
	modules_of "$stock" virtio_pci virtio_console veth sunrpc
	"$vm/initramfs.sh" "$cluster/initrd" bench.sh "${packed[@]}" "$top/build/ccmctl:usr/bin/ccmctl" \
		"$(command -v iperf3):usr/bin/iperf3" "$top/build/$release/ccm/kccm.ko:modules/kccm.ko" \
		"$top/build/$release/consumers/bench/kernel/ccm_bench.ko:modules/ccm_bench.ko"
	machine_counted "$stock"
}

# boot NAME: runs the machine chosen to its end. All that the guest reports must be well, or this ends the script.
boot() {
	local folder=$cluster/$1 start=$SECONDS
	say "==> counting: $1 (console: $folder/console.log)"
	mkdir -p "$folder"
	run_qemu "$cluster/initrd" "$folder" 280
	say "    $((SECONDS - start)) s"
	{
		grep -E '^(not )?ok ' "$folder/report"
		grep -qx end "$folder/report" && echo "ok guest.ran_to_its_end" || echo "not ok guest.ran_to_its_end"
		"$vm/judge.sh" "$folder/console.log" guest.console_is_clean || true
	} >"$folder/cases"
	! grep '^not ok' "$folder/cases" >&2 && return
	tail -n 12 "$folder/console.log" >&2
	die "this does not count: see $folder"
}
