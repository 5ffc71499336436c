# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced: how a guest is started. Every one has a console that goes to a file, and a report port.
#
# /dev/kvm is not used: where it is missing or nested it fails, and the tests shall be the same everywhere.
source "$(dirname "${BASH_SOURCE[0]}")/arch.sh"

# What guest.sh has the kernel say first of all, and whether a console has it.
init_runs='ccm guest: init runs'
reached_init() { grep -q "$init_runs" "$1" 2>/dev/null; }

# A busy host lets kernels stall in their own boot, in the self-tests of their ciphers for one: these are off, and of
# stalls RCU speaks when guest.sh lets it.
boot_quietly="cryptomgr.notests rcupdate.rcu_cpu_stall_suppress=1"

# The emulated TSC runs at the host's rate. Told so, a guest need not calibrate it, which fails on a busy host.
tsc_khz() {
	local measure=$cache/tsc_khz
	[ -x "$measure" ] || gcc -O2 -o "$measure" "$vm/tsc_khz.c"
	"$measure"
}

# Our own x86 kernel: QEMU's smallest machine. $machine and $append are what qemu_command wants; $bus is that of its virtio
# devices.
machine_own() {
	bus=device
	machine=(qemu-system-x86_64 -M microvm -cpu "max,la57=off" -smp 2 -m 1G -kernel "$1/vmlinux"
		-device virtio-serial-device)
	append="console=ttyS0 ccm_end=\"reboot -f\" reboot=t tsc=reliable tsc_early_khz=$(tsc_khz) no_timer_check"
}

# A stock kernel: an ordinary PC, or what the other architectures have in its place. $bus is that of its virtio devices,
# $drivers are those of the bus that are not in the kernel.
# shellcheck disable=SC2034  # by cluster.sh
machine_stock() {
	bus=pci drivers=(virtio_pci)
	case $(arch_of "$1") in
	x86_64)
		machine=(qemu-system-x86_64 -M q35 -cpu max)
		append="console=ttyS0 ccm_end=\"reboot -f\" reboot=t mitigations=off no_timer_check"
		;;
	arm64)
		# The architecture's own way to sign pointers is slow to emulate.
		machine=(qemu-system-aarch64 -M virt -cpu "max,pauth-impdef=on")
		append="console=ttyAMA0 ccm_end=\"poweroff -f\""
		;;
	s390x)
		bus=ccw drivers=()
		machine=(qemu-system-s390x -M s390-ccw-virtio -cpu max)
		append="console=ttysclp0 ccm_end=\"poweroff -f\""
		;;
	esac
	machine+=(-smp 1 -m 512M -kernel "$1/vmlinuz" -device "virtio-serial-$bus")
}

# The same, with a clock that goes by instructions: one a nanosecond, whatever else the host does.
machine_counted() {
	machine_stock "$1"
	machine+=(-icount 'shift=0,sleep=off')
	accel=tcg,thread=single
}

# qemu_command FOLDER INITRD REPORT_CHARDEV: sets $qemu, for the machine chosen; more arguments may be added to it.
qemu_command() {
	qemu=("${machine[@]}" -nodefaults -no-user-config -display none -accel "${accel:-tcg,thread=multi}" -no-reboot
		-initrd "$2" -serial "file:$1/console.log" -chardev "$3,id=report" -device 'virtserialport,chardev=report'
		-append "panic=-1 panic_on_warn=1 oops=panic ccm_report=/dev/vport*p1 $boot_quietly $append ${more_append:-}")
}

# twice_if_need_be FOLDER COMMAND...: runs a guest, and once more if its kernel ended before its init ran.
twice_if_need_be() {
	local folder=$1
	shift
	"$@"
	reached_init "$folder/console.log" && return
	say "    the kernel did not come as far as its init: once more"
	mv "$folder/console.log" "$folder/console.log.first" || true
	"$@"
}

# run_qemu INITRD FOLDER SECONDS: runs the machine chosen to its end. Leaves FOLDER/console.log and FOLDER/report.
run_qemu() { twice_if_need_be "$2" run_qemu_once "$@"; }

run_qemu_once() {
	: >"$2/report"
	qemu_command "$2" "$1" "file,path=$2/report"
	timeout -k 5 "$3" "${qemu[@]}" </dev/null || say "    the guest did not end well: see $2/console.log"
}

# run_own KERNEL INITRD FOLDER SECONDS: runs a guest on a kernel of ours (x86 or User Mode Linux) to its end.
# Leaves FOLDER/console.log and FOLDER/report.
run_own() {
	local kernel=$1
	shift
	if [ -x "$kernel/linux" ]; then
		twice_if_need_be "$2" run_um_once "$kernel" "$@"
	else
		machine_own "$kernel"
		run_qemu "$@"
	fi
}

run_um_once() {
	local kernel=$1 initrd=$2 folder=$3 limit=$4
	: >"$folder/report"
	timeout -k 5 "$limit" "$kernel/linux" mem=768M "initrd=$initrd" con=null con0=fd:0,fd:1 panic=-1 panic_on_warn=1 \
		"ccm_report=$folder/report" 'ccm_end="poweroff -f"' rcupdate.rcu_cpu_stall_suppress=1 "${more_append:-}" </dev/null 2>&1 | cat >"$folder/console.log" ||
		say "    the guest did not end well: see $folder/console.log"
}
