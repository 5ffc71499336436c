#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# kernel.sh NAME: builds the test kernel NAME (x86-debug, um-debug or x86-clang) into the cache, if it is not there; prints
# its folder.
#
# A test kernel is Debian's linux-source-6.12 with the fragments in kernel/. It is built again only when a fragment or
# the source's version changes. Options that a fragment asks for and Kconfig drops are an error: a debug option that is
# silently off would make every test falsely green.
source "$(dirname "$0")/lib.sh"

# Every "X=value" of the fragments, of several for one option the last, must stand in .config; "X=n" there is a comment or
# nothing.
check_config() {
	local config=$1 line option missing=0
	shift
	while IFS= read -r line; do
		option=${line%%=*}
		case $line in
		*=n) ! grep -q "^$option=" "$config" ;;
		*) grep -qxF "$line" "$config" ;;
		esac || { say "    $line was dropped: $(grep -w "$option" "$config" || echo "no such option here")"; missing=1; }
	done < <(awk -F= '/^CONFIG_/ { last[$1] = $0 } END { for (option in last) print last[option] }' "$@")
	[ "$missing" = 0 ] || die "Kconfig dropped options of the fragments (above)"
}

main() {
	local name=${1:-} arch target cc=gcc fragments=()
	case $name in
	x86-debug) arch=x86 target=vmlinux fragments=(common x86 debug x86-debug) ;;
	um-debug) arch=um target=linux fragments=(common um debug) ;;
	x86-clang) arch=x86 target=vmlinux cc=clang fragments=(common x86 clang) ;;
	*) usage ;;
	esac
	local tree out=$cache/build/$name stamp
	tree=$("$vm/source.sh")
	fragments=("${fragments[@]/#/$vm/kernel/}")
	fragments=("${fragments[@]/%/.config}")
	stamp=$(cat "$tree/.version-ccm" "${fragments[@]}" | sha256sum)

	only_one "$name"
	if [ "$(cat "$out/.stamp-ccm" 2>/dev/null)" != "$stamp" ]; then
		command -v ccache >/dev/null && cc="ccache $cc"
		mkdir -p "$out"
		rm -f "$out/.stamp-ccm"
		say "==> building the test kernel $name (about eight minutes on two processors; kept in $out)"
		{
			make -s -C "$tree" O="$out" ARCH=$arch CC="$cc" tinyconfig
			(cd "$tree" && ARCH=$arch scripts/kconfig/merge_config.sh -m -O "$out" "$out/.config" "${fragments[@]}")
			make -s -C "$tree" O="$out" ARCH=$arch CC="$cc" olddefconfig
		} >"$out/build.log"
		check_config "$out/.config" "${fragments[@]}"
		make -C "$tree" O="$out" ARCH=$arch CC="$cc" -j"$(nproc)" "$target" modules 2>&1 | progress "kernel $name" "$out/build.log" ||
			{ tail -n 30 "$out/build.log" >&2; die "the kernel does not build"; }
		printf '%s\n' "$stamp" >"$out/.stamp-ccm"
	fi
	printf '%s\n' "$out"
}

main "$@"
