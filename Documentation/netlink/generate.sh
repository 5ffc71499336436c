#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Write what is generated from specs/ccm.yaml: the uapi header, and the tables
# and policies of the netlink family. The generator is the kernel's own.

set -eu

usage() {
	cat <<USAGE
usage: $0 [--check] KERNEL

KERNEL   source tree of Linux 6.12, whose tools/net/ynl generates
--check  write nothing; fail if a generated file is not current

needs python3, python3-yaml and python3-jsonschema
USAGE
}

check=
case "${1-}" in
--help) usage; exit 0 ;;
--check) check=yes; shift ;;
esac
[ $# -eq 1 ] || { usage >&2; exit 2; }
kernel=$1
ynl=$kernel/tools/net/ynl
if [ ! -e "$ynl/ynl-gen-c.py" ]; then
	echo "$0: $kernel has no tools/net/ynl/ynl-gen-c.py" >&2
	exit 1
fi
ynl=$(cd "$ynl" && pwd)

top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The generator finds the top of a tree by its MAINTAINERS, and the schema
# beside the folder of the spec.
spec=$work/Documentation/netlink/specs/ccm.yaml
mkdir -p "$(dirname "$spec")"
touch "$work/MAINTAINERS"
cp "$top/Documentation/netlink/specs/ccm.yaml" "$spec"
cp "$kernel/Documentation/netlink/genetlink-legacy.yaml" \
	"$work/Documentation/netlink/"

# As it is, it wants a "do" in every operation of a per-op policy.
sed "s/op\['do'\]\['request'\]/op.get('do', op.get('dump'))['request']/" \
	"$ynl/ynl-gen-c.py" >"$work/ynl-gen-c.py"
ln -s "$ynl/lib" "$work/lib"

stale=0

# generate FILE MODE...
generate() {
	file=$1
	shift
	new=$work/$(basename "$file")
	PYTHONDONTWRITEBYTECODE=1 python3 "$work/ynl-gen-c.py" \
		--spec "$spec" -o "$new" --mode "$@"
	cmp -s "$new" "$top/$file" && return
	if [ "$check" ]; then
		echo "$file is not what the spec says; run $0" >&2
		stale=1
	else
		mkdir -p "$(dirname "$top/$file")"
		cp "$new" "$top/$file"
		echo "$file"
	fi
}

generate include/uapi/linux/ccm.h uapi --header
generate src/kernel/netlink_gen.h kernel --header
generate src/kernel/netlink_gen.c kernel --source
exit $stale
