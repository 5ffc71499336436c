#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# kunit.sh x86-debug|um-debug|x86-clang [leaks] [filter=SUITE_GLOB.CASE_GLOB]: KUnit in a guest; prints a line
# "ok NAME" or "not ok NAME" a case.
#
# leaks: kmemleak is on (slow) and every report of it is a failure. Not on x86-clang, which has no debug options.
source "$(dirname "$0")/lib.sh"
source "$vm/machine.sh"

[ $# -ge 1 ] || usage
name=$1
shift
arch=x86 cc=gcc limit=600 run=kunit-$name more_append=
[ "$name" != um-debug ] || arch=um
[ "$name" != x86-clang ] || cc=clang
for option; do
	case $option in
	leaks) more_append+=" kmemleak=on" run+=-leaks limit=900 ;;
	filter=*) more_append+=" kunit.filter_glob=${option#*=}" ;;
	*) usage ;;
	esac
done

folder=$top/build/vm/$run
mkdir -p "$folder"
# One run at a time in this folder and in the module's.
exec 8>"$top/build/vm/kunit-$name.lock"
flock 8
kernel=$("$vm/kernel.sh" "$name")
say "==> KUnit on $name: building the test module"
make -s -C "$top" kunit KDIR="$kernel" FLAVOUR="$name" ARCH=$arch CC=$cc >&2
# Were the C++ flags to lose KASAN, nothing would be found and all would pass.
[ "$name" = x86-clang ] || [ "$(nm "$top/build/$name/kunit/src/core/"*.o | grep -c __asan_)" -gt 0 ] ||
	die "KASAN does not see the C++ objects"
"$vm/initramfs.sh" "$folder/initrd" kunit.sh "$top/build/$name/kunit/ccm_kunit.ko:modules/ccm_kunit.ko"

start=$SECONDS
say "==> KUnit on $name: running (console: $folder/console.log)"
run_own "$kernel" "$folder/initrd" "$folder" "$limit"
{
	"$vm/ktap.sh" <"$folder/report"
	"$vm/judge.sh" "$folder/console.log" guest.console_is_clean || true
} | sed "s/ok /ok $run: /" | tee "$folder/cases"
say "    $(grep -c '^ok' "$folder/cases") passed, $(grep -c '^not ok' "$folder/cases") failed, $((SECONDS - start)) s"
! grep '^not ok' "$folder/cases" >&2
