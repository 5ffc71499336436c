# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced: several guests on stock kernels, joined by a virtual Ethernet, each told what to do through its agent.
#
#   node 1 --- port 1 \
#   node 2 --- port 2  > hub       Every wire is a pair of unix datagram sockets; the hub is a QEMU without a machine.
#   node 3 --- port 3 /
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$vm/machine.sh"

declare -A guest_pid guest_in guest_out guest_command
guest_drivers=()
mark=$'\001'

# cluster_begin FOLDER: where everything of this cluster lives. All of it ends with the script that called.
cluster_begin() {
	cluster=$1
	rm -rf "$cluster"
	mkdir -p "$cluster"
	# Sockets have short names only.
	wires=$(mktemp -d)
	hub_pid=
	trap cluster_end EXIT
}

cluster_end() {
	local pid
	for pid in "${guest_pid[@]}" $hub_pid; do kill "$pid" 2>/dev/null || true; done
	wait
	rm -rf "$wires"
}

# hub PORTS
hub() {
	local port args=()
	for port in $(seq "$1"); do
		args+=(-netdev "$(wire "wire$port" "hub$port" "node$port")" -netdev "hubport,id=port$port,hubid=0,netdev=wire$port")
	done
	qemu-system-x86_64 -M none -nodefaults -no-user-config -display none "${args[@]}" </dev/null >"$cluster/hub.log" 2>&1 &
	hub_pid=$!
}

# wire ID HERE THERE: the argument of -netdev
wire() { echo "dgram,id=$1,local.type=unix,local.path=$wires/$2,remote.type=unix,remote.path=$wires/$3"; }

# modules_of STOCK MODULE...: sets $packed to what initramfs.sh wants, to load these drivers of a stock kernel at the start.
modules_of() {
	local stock=$1 file name unpacked=$1/unpacked
	shift
	mkdir -p "$unpacked"
	: >"$cluster/order"
	packed=("$cluster/order:modules/order")
	while read -r file; do
		name=$(basename "${file%.xz}")
		! grep -qx "$name" "$cluster/order" || continue
		case $file in
		*.xz) [ -f "$unpacked/$name" ] || xz -dc "$file" >"$unpacked/$name" ;;
		*) cp "$file" "$unpacked/$name" ;;
		esac
		echo "$name" >>"$cluster/order"
		packed+=("$unpacked/$name:modules/$name")
	done < <(for name; do
		PATH=$PATH:/usr/sbin:/sbin modprobe -d "$stock/root" -S "$(cat "$stock/release")" --show-depends "$name"
	done | awk '$1 == "insmod" { print $2 }')
}

# guest NAME STOCK [FILE:GUEST_PATH ...]: starts a guest; NAME is nodeN, and it gets the wire to the hub's port N.
# It has CCM, its samples and ccmctl; `guest_ready NAME` waits until it listens. If set, $guest_machine is its machine
# and $guest_drivers are more of its kernel's own modules.
guest() {
	local name=$1 stock=$2 folder=$cluster/$1 arch release in out
	shift 2
	arch=$(arch_of "$stock")
	release=$(cat "$stock/release")
	mkdir -p "$folder"
	rm -f "$folder"/agent.*
	mkfifo "$folder/agent.in" "$folder/agent.out"
	"${guest_machine:-machine_stock}" "$stock"
	packed=()
	# A kernel of ours has what it needs.
	[ ! -d "$stock/root" ] || modules_of "$stock" "${drivers[@]}" virtio_console virtio_net veth "${guest_drivers[@]}"
	[ -z "$(cross_of "$arch")" ] || packed+=("$("$vm/sysroot.sh" "$arch")/bin/busybox:bin/busybox")
	"$vm/initramfs.sh" "$folder/initrd" agent.sh "${packed[@]}" "$(programs_of "$arch")/ccmctl:usr/bin/ccmctl" \
		"$top/build/$release/ccm/kccm.ko:modules/kccm.ko" \
		"$top/build/$release/consumers/samples/ccm_xfer.ko:modules/ccm_xfer.ko" \
		"$top/build/$release/consumers/samples/ccm_ping.ko:modules/ccm_ping.ko" \
		"$top/build/$release/consumers/samples/ccm_ps.ko:modules/ccm_ps.ko" "$@"
	qemu_command "$folder" "$folder/initrd" "pipe,path=$folder/agent"
	qemu+=(-netdev "$(wire net "$name" "hub${name#node}")"
		-device "virtio-net-$bus,netdev=net,mac=52:54:00:cc:00:0${name#node}")
	guest_command[$name]=${qemu[*]@Q}
	guest_start "$name"
	exec {in}<>"$folder/agent.in" {out}<>"$folder/agent.out"
	guest_in[$name]=$in guest_out[$name]=$out
}

guest_start() {
	eval "exec ${guest_command[$1]}" </dev/null >"$cluster/$1/qemu.log" 2>&1 &
	guest_pid[$1]=$!
}

# A kernel that did not come as far as its init has stalled in its own boot, on a busy host: it is started once more.
guest_ready() {
	local console=$cluster/$1/console.log
	if ! answer "$1" >/dev/null; then
		if ! reached_init "$console"; then
			say "    $1 did not come as far as its init: once more"
			kill -KILL "${guest_pid[$1]}" 2>/dev/null || true
			wait "${guest_pid[$1]}" || true
			mv "$console" "$console.first" || true
			guest_start "$1"
		fi
		answer "$1" >/dev/null || die "$1 does not start: see $console"
	fi
	on "$1" "ethernet ${1#node}"
}

# answer NAME: what the agent says, up to its status, which is the result. 124 if it says nothing for a minute, or
# $patience seconds.
answer() {
	local line
	while IFS= read -r -t "${patience:-60}" line; do
		case $line in
		"$mark"*) return "${line#"$mark"}" ;;
		*) printf '%s\n' "$line" ;;
		esac
	done <&"${guest_out[$1]}"
	return 124
}

# on NAME COMMAND: runs a line of shell in a guest; prints what it prints; its status is the result.
on() {
	printf '%s\n' "$2" >&"${guest_in[$1]}"
	answer "$1"
}

# Cut off without a word.
guest_kill() {
	kill -KILL "${guest_pid[$1]}"
	wait "${guest_pid[$1]}" 2>/dev/null || true
	unset "guest_pid[$1]"
}
