#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# sysroot.sh ARCH: what guests of another architecture, their ccmctl and the core's tests on it need of Debian, in the
# cache; prints the folder.
source "$(dirname "$0")/arch.sh"

[ $# = 1 ] || usage
debian=$(debian_name "$1")
folder=$cache/sysroot/$1
only_one "sysroot-$1"
packages=({busybox-static,libnl-3-dev,libnl-genl-3-dev,libssl-dev}:"$debian")
if [ "$(cat "$folder/complete" 2>/dev/null)" != "${packages[*]}" ]; then
	files=$("$vm/download.sh" "${packages[@]}")
	rm -rf "$folder"
	mkdir -p "$folder"
	for file in $files; do dpkg -x "$file" "$folder"; done
	echo "${packages[*]}" >"$folder/complete"
fi
printf '%s\n' "$folder"
