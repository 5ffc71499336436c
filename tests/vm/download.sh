#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# download.sh PACKAGE[:ARCHITECTURE]...: downloads Debian packages into the cache without installing them; prints the
# files.
source "$(dirname "$0")/lib.sh"

# cached NAME ARCHITECTURE: the newest file, if there is one.
cached() {
	local found
	found=$(compgen -G "$cache/debs/$1_*_$2.deb" || compgen -G "$cache/debs/$1_*_all.deb") || return 1
	sort -V <<<"$found" | tail -n 1
}

size_of() { apt-cache "${apt[@]}" show --no-all-versions "$1" | awk '/^Size:/ { printf "%.1f MB", $2 / 1e6 }'; }

# As root apt wants to drop to a user that cannot write here.
fetch() { apt_get "${apt[@]}" -o APT::Sandbox::User=root download "$1"; }

[ $# -gt 0 ] || usage
mkdir -p "$cache/debs"
cd "$cache/debs"
for wanted; do
	package=${wanted%:*} arch=$(dpkg --print-architecture)
	[ "$package" = "$wanted" ] || arch=${wanted##*:}
	cached "$package" "$arch" && continue
	apt_for "$arch"
	say "==> downloading $wanted ($(size_of "$package"))"
	# Old lists name versions that are no longer there.
	fetch "$package" || { refresh_package_lists && fetch "$package"; } ||
		die "$wanted cannot be downloaded: try again"
	cached "$package" "$arch"
done
