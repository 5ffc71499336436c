#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# initramfs.sh OUT INIT [FILE:GUEST_PATH ...]: packs a guest's whole system: busybox, ip, guest/INIT as init, the files.
#
# Libraries come along with what needs them. A guest of another architecture brings its own bin/busybox, and no ip.
# Not compressed: packing takes a moment and kernels need no decompressor.
source "$(dirname "$0")/lib.sh"

[ $# -ge 2 ] || usage
out=$1
init=$vm/guest/$2
shift 2
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

# put FILE GUEST_PATH: copies a file, and the libraries it is linked with.
put() {
	local library
	install -D -m "$(stat -Lc %a "$1")" "$1" "$root/$2"
	while read -r library; do
		[ -e "$root/$library" ] || install -D -m 755 "$library" "$root/$library"
	done < <(ldd "$1" 2>/dev/null | grep -oE '/[^ ]+')
}

case "$*" in
*:bin/busybox*) ;;
*)
	put "$(PATH=$PATH:/usr/sbin:/sbin command -v busybox)" bin/busybox
	put "$(readlink -f "$(PATH=$PATH:/usr/sbin:/sbin command -v ip)")" usr/lib/iproute2/ip
	;;
esac
put "$init" init
chmod 755 "$root/init"
for part in guest nodes; do put "$vm/guest/$part.sh" "lib/ccm/$part.sh"; done
for file; do put "${file%:*}" "${file##*:}"; done
(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0) >"$out"
