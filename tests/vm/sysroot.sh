#!/usr/bin/env bash
# sysroot.sh ARCH: what guests of another architecture and their ccmctl need of Debian, in the cache; prints the folder.
source "$(dirname "$0")/arch.sh"

[ $# = 1 ] || usage
debian=$(debian_name "$1")
folder=$cache/sysroot/$1
only_one "sysroot-$1"
if [ ! -f "$folder/complete" ]; then
	files=$("$vm/download.sh" {busybox-static,libnl-3-dev,libnl-genl-3-dev}:"$debian")
	rm -rf "$folder"
	mkdir -p "$folder"
	for file in $files; do dpkg -x "$file" "$folder"; done
	touch "$folder/complete"
fi
printf '%s\n' "$folder"
