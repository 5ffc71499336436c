#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# newest.sh FOLDER: the newest kernels that Debian offers, the backports of Debian 13: the plain one goes to FOLDER, that
# with PREEMPT_RT to FOLDER-rt, as stock.sh has them; with the compiler and all else that modules for them are built with,
# since these want a newer libc than this machine has. in_newest (arch.sh) runs a command among them.
source "$(dirname "$0")/lib.sh"

[ $# = 1 ] || usage
folder=$1
own=$cache/apt/newest

# The mirror is the one that this machine has.
ask_apt_of_debian_13() {
	local mirror suite
	# shellcheck disable=SC2016  # apt's own names
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' | sed -n 1p)
	[ -n "$mirror" ] || die "bookworm must be among apt's sources: the newest kernels come from the same mirror"
	mkdir -p "$own/lists/partial" "$own/cache/archives/partial"
	for suite in trixie trixie-backports; do
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main"
	done >"$own/sources.list"
	apt=(-o APT::Sandbox::User=root -o Dir::State::Status=/dev/null -o "Dir::State::Lists=$own/lists"
		-o "Dir::Cache=$own/cache" -o "Dir::Etc::SourceList=$own/sources.list" -o Dir::Etc::SourceParts=/dev/null)
	refresh_package_lists
}

# The newest image, without its flavour: 7.3.4+deb13
newest_version() {
	apt-cache "${apt[@]}" pkgnames linux-image- | sed -nE 's/^linux-image-([0-9.]+\+deb13)-amd64$/\1/p' | sort -V | tail -n 1
}

# What builds a module, and the kernels. 7.x has the image in a package of its own, as it has the modules.
download() {
	local flavour packages=(g++-14 make bash dash coreutils sed grep mawk findutils diffutils kmod base-files)
	for flavour in amd64 rt-amd64; do
		packages+=("linux-headers-$version-$flavour" "linux-binary-$version-$flavour" "linux-modules-$version-$flavour")
	done
	rm -f "$own"/cache/archives/*.deb
	say "==> downloading kernel $version and its compiler (350 MB)"
	apt_get "${apt[@]}" -y -t trixie-backports --download-only --no-install-recommends install "${packages[@]}" >&2 ||
		die "the newest kernels cannot be downloaded: try again"
}

# like_stock FOLDER RELEASE: what stock.sh leaves.
like_stock() {
	rm -rf "$1"
	mkdir -p "$1"
	ln -s "$root" "$1/root"
	ln -s root "$1/modules"
	ln -s "root/usr/src/linux-headers-$2" "$1/headers"
	ln -s "root/usr/lib/modules/$2/vmlinuz" "$1/vmlinuz"
	PATH=$PATH:/usr/sbin:/sbin depmod -b "$root" "$2"
	printf '%s\n' "$2" >"$1/release"
}

ask_apt_of_debian_13
version=$(newest_version)
[ -n "$version" ] || die "Debian 13's backports have no kernel"
download
say "==> unpacking kernel $version and its compiler"
root=$folder.root
rm -rf "$root"
mkdir -p "$root"
for file in "$own"/cache/archives/*.deb; do dpkg -x "$file" "$root"; done
ln -sf mawk "$root/usr/bin/awk"
rm -f "$own"/cache/archives/*.deb
like_stock "$folder-rt" "$version-rt-amd64"
like_stock "$folder" "$version-amd64"
