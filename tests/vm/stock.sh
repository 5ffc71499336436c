#!/usr/bin/env bash
# stock.sh SERIES: Debian's newest kernel of a series (6.1, 6.12) with its headers, in the cache; prints the folder.
#
# There: vmlinuz, headers (a KDIR), modules (the tree that modprobe -d wants), release. Nothing is installed.
source "$(dirname "$0")/lib.sh"

# The plain amd64 flavour, not "cloud", "rt", "dbg" or "unsigned".
newest_release() {
	apt-cache pkgnames "linux-image-$1." | sed -n 's/^linux-image-\([0-9.]*[-+][0-9deb+]*-amd64\)$/\1/p' | sort -V | tail -n 1
}

# The packages with the headers' common part and the build tools.
headers_need() {
	apt-cache depends "linux-headers-$1" | grep -oE 'linux-(headers-.*-common|kbuild-[^ ]+)$' | sort -u
}

unpack() {
	local series=$1 folder=$2 release package
	release=$(newest_release "$series")
	if [ -z "$release" ]; then
		refresh_package_lists
		release=$(newest_release "$series")
	fi
	[ -n "$release" ] || die "apt knows no kernel $series for amd64 (is bookworm-security among its sources?)"
	local packages=("linux-image-$release" "linux-headers-$release")
	mapfile -t -O 2 packages < <(headers_need "$release")
	"$vm/download.sh" "${packages[@]}"

	say "==> unpacking kernel $release"
	rm -rf "$folder"
	mkdir -p "$folder/root"
	for package in "${packages[@]}"; do
		dpkg -x "$(compgen -G "$cache/debs/${package}_*.deb" | sort -V | tail -n 1)" "$folder/root"
	done
	# Its Makefile names where the package would have been installed.
	sed -i "s|^include /usr/src|include $folder/root/usr/src|" "$folder/root/usr/src/linux-headers-$release/Makefile"
	ln -s "root/usr/src/linux-headers-$release" "$folder/headers"
	ln -s "root/boot/vmlinuz-$release" "$folder/vmlinuz"
	ln -s root "$folder/modules"
	PATH=$PATH:/usr/sbin:/sbin depmod -b "$folder/root" "$release"
	printf '%s\n' "$release" >"$folder/release"
}

[ $# = 1 ] || usage
folder=$cache/stock/$1
if [ ! -f "$folder/release" ]; then
	only_one "stock-$1"
	[ -f "$folder/release" ] || unpack "$1" "$folder"
fi
printf '%s\n' "$folder"
