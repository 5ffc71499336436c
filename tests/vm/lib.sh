# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by every script here: where things are, and how to speak to the user.
#
# A script's result (a path, usually) is its standard output; all that is for people goes to standard error.
set -euo pipefail

# shellcheck disable=SC2034  # used by those who source this
{
	vm=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
	top=$(cd "$vm/../.." && pwd)
	cache=${XDG_CACHE_HOME:-$HOME/.cache}/ccm
}

# apt shows its progress to people, and is brief in a log.
apt_get() {
	if [ -t 2 ]; then apt-get "$@" >&2; else apt-get -q "$@" >&2; fi
}

say() { printf '%s\n' "$*" >&2; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# The usage of a script is the comment at its head.
usage() { sed -n '3,/^[^#]/s/^# \{0,1\}//p' "$0" >&2; exit 2; }

# What time it is, in milliseconds.
host_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

# progress LABEL LOG: copies standard input to LOG and shows that work goes on, one line every ten seconds.
progress() {
	local label=$1 log=$2 lines=0 shown=$SECONDS start=$SECONDS line
	while IFS= read -r line; do
		printf '%s\n' "$line" >>"$log"
		lines=$((lines + 1))
		if [ $((SECONDS - shown)) -ge 10 ]; then
			shown=$SECONDS
			say "    $label: $lines steps done, $((SECONDS - start)) s"
		fi
	done
	say "    $label: finished, $lines steps, $((SECONDS - start)) s"
}

# only_one NAME: waits until no other run of ours works on NAME (a lock that ends with this process).
only_one() {
	mkdir -p "$cache"
	exec 9>"$cache/.lock-${1//\//-}"
	flock 9
}

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# What apt is told before it is asked: nothing, for this machine's own packages.
apt=()

# apt_for ARCHITECTURE: from here on apt knows the packages of another one. Lists and state are in the cache: the user's
# dpkg is told of no other architecture, and nobody needs to be root.
apt_for() {
	local own=$cache/apt/$1
	apt=()
	[ "$1" != "$(dpkg --print-architecture)" ] || return 0
	mkdir -p "$own/lists/partial" "$own/cache/archives/partial"
	apt=(-o "APT::Architecture=$1" -o "APT::Architectures=$1" -o APT::Sandbox::User=root
		-o Dir::State::Status=/dev/null -o "Dir::State::Lists=$own/lists" -o "Dir::Cache=$own/cache")
}

refresh_package_lists() {
	local as=as_root
	[ ${#apt[@]} = 0 ] || as=
	say "==> refreshing apt's lists of packages"
	$as apt-get "${apt[@]}" -q update >/dev/null || die "apt-get update failed"
}
