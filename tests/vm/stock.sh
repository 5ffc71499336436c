#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# stock.sh SERIES [ARCH]: Debian's newest kernel of a series (6.1, 6.12, 6.12-rt) with its headers, for x86_64 or another
# architecture, in the cache; prints the folder. "newest" and "newest-rt" are those of the backports of Debian 13.
#
# There: vmlinuz, headers (a KDIR), modules (the tree that modprobe -d wants), release. Nothing is installed.
source "$(dirname "$0")/arch.sh"

# The plain flavour or "rt", not "cloud", "dbg" or "unsigned".
newest_release() {
	local flavour=$debian
	[ "$1" = "${1%-rt}" ] || flavour=rt-$debian
	apt-cache "${apt[@]}" pkgnames "linux-image-${1%-rt}." |
		sed -n "s/^linux-image-\([0-9.]*[-+][0-9deb+]*-$flavour\)\$/\1/p" | sort -V | tail -n 1
}

# The packages with the headers' common part, and the build tools, which are programs of this machine's architecture.
headers_need() {
	apt-cache "${apt[@]}" depends "linux-headers-$1" |
		sed -nE "s/.* (linux-headers-.*-common(-rt)?)\$/\1:$debian/p; s/.* (linux-kbuild-[^ ]+)\$/\1/p" | sort -u
}

unpack() {
	local series=$1 folder=$2 release files file
	release=$(newest_release "$series")
	if [ -z "$release" ]; then
		refresh_package_lists
		release=$(newest_release "$series")
	fi
	[ -n "$release" ] || die "apt knows no kernel $series for $debian: bookworm and bookworm-security must be among its" \
		"sources, and not limited to another architecture"
	local packages=("linux-image-$release:$debian" "linux-headers-$release:$debian")
	mapfile -t -O 2 packages < <(headers_need "$release")
	files=$("$vm/download.sh" "${packages[@]}")

	say "==> unpacking kernel $release"
	rm -rf "$folder"
	mkdir -p "$folder/root"
	for file in $files; do dpkg -x "$file" "$folder/root"; done
	# Its Makefile names where the package would have been installed.
	sed -i "s|^include /usr/src|include $folder/root/usr/src|" "$folder/root/usr/src/linux-headers-$release/Makefile"
	ln -s "root/usr/src/linux-headers-$release" "$folder/headers"
	ln -s "root/boot/vmlinuz-$release" "$folder/vmlinuz"
	ln -s root "$folder/modules"
	PATH=$PATH:/usr/sbin:/sbin depmod -b "$folder/root" "$release"
	printf '%s\n' "$release" >"$folder/release"
}

[ $# = 1 ] || [ $# = 2 ] || usage
arch=${2:-x86_64}
debian=$(debian_name "$arch")
name=$1
[ "$arch" = x86_64 ] || name+=-$arch
folder=$cache/stock/$name
if [ ! -f "$folder/release" ]; then
	only_one "stock-${name/#newest-rt/newest}"
	apt_for "$debian"
	[ -f "$folder/release" ] || case $1 in
	newest | newest-rt) "$vm/newest.sh" "$cache/stock/newest" ;;
	*) unpack "$1" "$folder" ;;
	esac
fi
printf '%s\n' "$folder"
