#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# source.sh: the source of Debian's kernel 6.12, in the cache; prints its folder.
source "$(dirname "$0")/lib.sh"

package=linux-source-6.12
tree=$cache/$package

# The tests need most drivers as little as the documentation, but Kconfig wants to see every folder, and the generator
# of netlink code its schemas, in Documentation/netlink.
unpack() {
	local version
	"$vm/download.sh" "$package" >/dev/null
	version=$(basename "$cache"/debs/"${package}"_*.deb)
	say "    unpacking $package (1.5 GB)"
	rm -rf "$tree" "$tree.deb"
	dpkg -x "$cache/debs/$version" "$tree.deb"
	tar -C "$cache" --exclude="$package/Documentation/[!n]*/*" --exclude='amd/include/*/*.h' \
		-xJf "$tree.deb/usr/src/$package.tar.xz"
	rm -rf "$tree.deb"
	printf '%s\n' "$version" >"$tree/.version-ccm"
}

is_there() { [ -f "$tree/.version-ccm" ] && [ -f "$tree/Documentation/netlink/genetlink-legacy.yaml" ]; }

[ $# = 0 ] || usage
if ! is_there; then
	only_one source
	is_there || unpack
fi
printf '%s\n' "$tree"
