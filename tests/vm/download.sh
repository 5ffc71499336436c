#!/usr/bin/env bash
# download.sh PACKAGE...: downloads Debian packages into the cache without installing them.
source "$(dirname "$0")/lib.sh"

[ $# -gt 0 ] || usage
mkdir -p "$cache/debs"
cd "$cache/debs"
for package; do
	compgen -G "${package}_*.deb" >/dev/null && continue
	say "==> downloading $package ($(apt-cache show --no-all-versions "$package" | awk '/^Size:/ { printf "%.0f MB", $2 / 1e6 }'))"
	# As root apt wants to drop to a user that cannot write here. Old lists name versions that are no longer there.
	fetch=(apt_get -o APT::Sandbox::User=root download "$package")
	"${fetch[@]}" || { refresh_package_lists && "${fetch[@]}"; } || die "$package cannot be downloaded: try again"
done
