# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced: what differs from architecture to architecture. Each goes by the name that ARCHES has; Debian, compilers and
# kbuild have names of their own.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# debian_name ARCH
debian_name() {
	case $1 in
	x86_64) echo amd64 ;;
	arm64 | s390x) echo "$1" ;;
	*) die "there is no architecture '$1' here, only x86_64, arm64 and s390x" ;;
	esac
}

# arch_of STOCK: the architecture of a stock kernel's folder, or of one of ours.
arch_of() {
	local release
	release=$(cat "$1/release")
	case $release in
	*-amd64 | x86-*) echo x86_64 ;;
	*) echo "${release##*-}" ;;
	esac
}

# default_stock ARCH: a stock kernel for it. 6.1 is the one that Debian 12 has for all of them.
default_stock() { if [ "$1" = x86_64 ]; then "$vm/stock.sh" 6.12; else "$vm/stock.sh" 6.1 "$1"; fi; }

# cross_of ARCH: in front of the names of its compilers; nothing for this machine's own.
cross_of() {
	case $1 in
	arm64) echo aarch64-linux-gnu- ;;
	s390x) echo s390x-linux-gnu- ;;
	esac
}

# in_newest STOCK COMMAND...: runs it among the tools that newest.sh has unpacked, which see this tree besides.
in_newest() {
	local root as=(unshare -m)
	root=$(readlink -f "$1/root")
	shift
	[ "$(id -u)" = 0 ] || as=(unshare -r -m)
	mkdir -p "$root/$top" "$root/dev" "$root/proc"
	# shellcheck disable=SC2016  # it is the inner shell's
	"${as[@]}" sh -c 'root=$1 top=$2 && shift 2 && mount --bind "$top" "$root/$top" && mount --rbind /dev "$root/dev" &&
		mount --rbind /proc "$root/proc" && exec "$(command -v chroot || echo /usr/sbin/chroot)" "$root" "$@"' \
		sh "$root" "$top" /usr/bin/env PATH=/usr/sbin:/usr/bin "$@"
}

# make_for STOCK TARGET...: what a plain `make TARGET...` builds, for a stock kernel of any architecture.
make_for() {
	local stock=$1 arch cross
	shift
	arch=$(arch_of "$stock")
	cross=$(cross_of "$arch")
	if [ -x "$stock/root/usr/bin/x86_64-linux-gnu-g++-14" ]; then
		in_newest "$stock" make -s -C "$top" "$@" KDIR="/usr/src/linux-headers-$(cat "$stock/release")" >&2
		return
	fi
	# 390 is what kbuild calls it.
	make -s -C "$top" "$@" KDIR="$stock/headers" ${cross:+"ARCH=${arch%x}" "CROSS_COMPILE=$cross"} >&2
}

# programs_of ARCH: the folder of its ccmctl and the like.
programs_of() { if [ -n "$(cross_of "$1")" ]; then echo "$top/build/$1"; else echo "$top/build"; fi; }

# make_program_for ARCH FOLDER: builds the program in FOLDER. For another architecture it is one that needs no
# libraries, as its guests have none. The linker warns that libnl could look up names, which takes some; we do not ask
# it to.
make_program_for() {
	local cross gnu sysroot flags
	cross=$(cross_of "$1")
	if [ -z "$cross" ]; then
		make -s -C "$2" >&2
		return
	fi
	gnu=${cross%-}
	sysroot=$("$vm/sysroot.sh" "$1")
	flags="-static -L$sysroot/lib/$gnu -Wl,--no-warnings"
	PKG_CONFIG_SYSROOT_DIR=$sysroot PKG_CONFIG_LIBDIR=$sysroot/usr/lib/$gnu/pkgconfig \
		make -s -C "$2" O="$top/build/$1" CXX="$gnu-g++-12" LDFLAGS="$flags" >&2
}
