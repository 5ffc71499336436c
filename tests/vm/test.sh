#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# test.sh [arch|long [K/N|TURN]|parts [K/N|TURN]]: every test: what linters say, the core and ccmctl on the host, then in virtual machines KUnit on the debug kernel, once more with kmemleak, the smoke test on stock kernels, managers and
# real faults; and what `make install` installs. With "arch" those of other architectures: the core on a big-endian
# processor, and a cluster of three. With "long" faults again and again, and at random, for minutes; with K/N, such as
# 2/3, only the second of three slices of these; with a TURN, any number, one part, and the next number has the next. The
# last line is "N passed, N failed"; the status is not 0 when one failed, or when nothing ran. With "parts" only the names
# of the long ones, or of those of a slice.
source "$(dirname "$0")/lib.sh"

cases=$top/build/vm/cases
mkdir -p "$top/build/vm"

# part NAME COMMAND...: collects its cases. A part that ends badly without saying which case did counts as one.
part() {
	local name=$1 status=0 log=$top/build/vm/part
	shift
	"$@" >"$log" || status=$?
	cat "$log" >>"$cases"
	if [ $status != 0 ] && ! grep -q '^not ok' "$log"; then echo "not ok $name: ended with status $status" | tee -a "$cases" >&2; fi
	if ! grep -qE '^(not )?ok' "$log"; then echo "not ok $name: no test ran" | tee -a "$cases" >&2; fi
}

# The core and its tests on this machine, under ASan and UBSan.
host() {
	say "==> the core on the host, under ASan and UBSan"
	make -s -C "$top/tests/host" check | sed -nE 's/^(not ok|ok) /\1 host: /p'
}

# Clusters in one program, under ASan and UBSan, and under TSan.
sim() {
	say "==> clusters in one program, half a minute under each sanitizer"
	make -s -C "$top/tests/host" sim SECONDS=25 | sed -nE 's/^# seed/    seed/w /dev/stderr
		s/^(not ok|ok) /\1 host: /p'
}

# What each step costs among a hundred others, and among a hundred thousand.
steps() {
	say "==> steps among many"
	make -s -C "$top/tests/host" bench | sed -nE 's/^(not ok|ok) /\1 host: /p'
}

# What ccmctl decides, the same way.
tool() {
	say "==> what ccmctl decides, under ASan and UBSan"
	make -s -C "$top/tests/ccmctl" check | sed -nE 's/^(not ok|ok) /\1 ccmctl: /p'
}

# What judges the others.
bed() {
	say "==> how a console is judged, and which guests are started again"
	"$vm/bed.sh"
}

# The core on a big-endian processor, without them.
host_s390x() {
	say "==> the core on s390x, emulated"
	make -s -C "$top/tests/host" check-s390x SYSROOT="$("$vm/sysroot.sh" s390x)" | sed -nE 's/^(not ok|ok) /\1 host-s390x: /p'
}

# A kernel that clang has compiled: what is built for it, from nothing and without a word, and KUnit there.
clang_kernel() {
	local kernel log=$top/build/vm/clang.log result=ok
	"$vm/packages.sh" clang
	kernel=$("$vm/kernel.sh" x86-clang)
	say "==> building for a kernel that clang has compiled"
	rm -rf "${top:?}/build/x86-clang"
	make -s -C "$top" ccm samples test-consumer examples KDIR="$kernel" FLAVOUR=x86-clang CC=clang >"$log" 2>&1 &&
		! grep . "$log" >&2 || result="not ok"
	echo "$result clang: builds"
	"$vm/kunit.sh" x86-clang
}

# Each a quarter of an hour at most, on a machine with two processors.
long=(
	"faults-random $vm/faults_random.sh 5"
	"faults-random-leaks $vm/faults_random.sh 2 '' x86-debug"
	"faults-again $vm/faults.sh 6.12 all all all all all"
	"faults-random-6.1 $vm/faults_random.sh 5 '' 6.1"
	"faults-6.1 $vm/faults.sh 6.1"
	"faults-vms-again $vm/faults_vms.sh 5"
	"smoke-newest $vm/smoke.sh newest"
	"memory-6.1 $vm/memory.sh 6.1"
	"clang clang_kernel"
)

# choose [K/N|TURN]: sets $chosen to the parts of a slice, by their places in $long.
choose() {
	local slice=${1:-1/1} parts=${#long[@]} n
	[[ ! $slice =~ ^[0-9]{1,9}$ ]] || slice=$((10#$slice % parts + 1))/$parts
	[[ $slice =~ ^([1-9][0-9]?)/([1-9][0-9]?)$ && ${BASH_REMATCH[1]} -le ${BASH_REMATCH[2]} ]] || usage
	chosen=()
	for ((n = BASH_REMATCH[1] - 1; n < parts; n += BASH_REMATCH[2])); do chosen+=("$n"); done
}

if [ "${1-}" = parts ]; then
	choose "${2-}"
	for n in "${chosen[@]}"; do echo "${long[n]%% *}"; done
	exit
fi

: >"$cases"
case ${1-} in
"")
	"$vm/packages.sh" build machines kernels checks lint
	part host host
	part sim sim
	part steps steps
	part ccmctl tool
	part lint "$vm/lint.sh"
	part bed bed
	part kunit "$vm/kunit.sh" x86-debug
	part kunit-leaks "$vm/kunit.sh" x86-debug leaks
	part smoke "$vm/smoke.sh"
	part manager "$vm/manager.sh"
	part faults "$vm/faults.sh"
	part faults-vms "$vm/faults_vms.sh"
	part sockets "$vm/sockets.sh"
	part crowd "$vm/crowd.sh"
	part memory "$vm/memory.sh" 6.12
	part install "$vm/install.sh"
	;;
arch)
	"$vm/packages.sh" build machines programs x86_64 arm64 s390x
	part host-s390x host_s390x
	part smoke-arch "$vm/smoke.sh" x86_64 arm64 s390x
	;;
long)
	choose "${2-}"
	"$vm/packages.sh" build machines kernels checks
	for n in "${chosen[@]}"; do eval "part ${long[n]}"; done
	;;
*) usage ;;
esac

say "==> took $SECONDS s"
grep '^not ok' "$cases" || true
failed=$(grep -c '^not ok' "$cases" || true)
echo "$(grep -c '^ok' "$cases" || true) passed, $failed failed"
[ "$failed" = 0 ]
