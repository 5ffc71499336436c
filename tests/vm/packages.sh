#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# packages.sh PURPOSE...: makes sure that the Debian packages for build, machines, kernels, clang, checks, lint, bench or
# programs are there, or those to build for an architecture and run it: x86_64, arm64, s390x.
#
# Names what is missing before it installs it (by sudo when not root). Nothing is a kernel or a service.
source "$(dirname "$0")/lib.sh"

packages_for() {
	case $1 in
	# kccm.ko and ccmctl. The stock kernels are compiled by gcc-12; libelf1 and libssl3 are for kbuild's own tools.
	build) echo gcc-12 g++-12 gcc g++ libc6-dev make kmod libelf1 libssl3 pkg-config libnl-genl-3-dev libcli11-dev nlohmann-json3-dev libtoml11-dev libssl-dev ;;
	# Virtual machines and what is packed into them.
	machines) echo qemu-system-x86 busybox-static iproute2 cpio xz-utils ;;
	# The test kernels.
	kernels) echo bc bison flex libelf-dev ;;
	# The one that clang compiles.
	clang) echo clang ;;
	# What CCM is measured beside, and what makes tables and plots. The service of iperf3 is not enabled.
	bench) echo iperf3 gnuplot-nox python3 ;;
	# What reads ccmctl's JSON, makes keys to sign modules with, and generates netlink code.
	checks) echo jq openssl python3 python3-yaml python3-jsonschema ;;
	# Linters; checkpatch is the kernel's, and wants all of perl.
	lint) echo clang clang-tidy clang-format shellcheck sparse perl xz-utils ;;
	# Another architecture: the compiler that its stock kernels want, and its machine.
	x86_64) ;;
	arm64) echo g++-12-aarch64-linux-gnu qemu-system-arm ;;
	s390x) echo g++-12-s390x-linux-gnu qemu-system-misc ;;
	# Programs of other architectures, without a machine.
	programs) echo qemu-user ;;
	*) usage ;;
	esac
}

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

[ $# -gt 0 ] || usage
missing=()
for purpose; do
	for package in $(packages_for "$purpose"); do
		installed "$package" || missing+=("$package")
	done
done
[ ${#missing[@]} -gt 0 ] || exit 0

say "==> these Debian packages are missing and will be installed: ${missing[*]}"
command -v apt-get >/dev/null || die "this is no Debian: install what provides them, then run this again"
log=$cache/apt.log
mkdir -p "$cache"
: >"$log"
refresh_package_lists
as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "${missing[@]}" 2>&1 |
	progress "installing" "$log" || { tail -n 20 "$log" >&2; die "apt-get could not install them"; }
