#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# install.sh: `make install` into a folder, then a consumer outside this tree that has only what lies there, for the
# stock kernels 6.1 and 6.12. No machine is started. Prints a line "ok NAME" or "not ok NAME" a case.
# shellcheck disable=SC2317  # `check` calls what seems not to be called
source "$(dirname "$0")/lib.sh"

failed=0
PATH=$PATH:/usr/sbin:/sbin

# check CASE COMMAND...: one case. What the command printed is shown when it fails.
check() {
	local name="install-$series: $1"
	shift
	if "$@" >"$folder/last" 2>&1; then
		echo "ok $name"
	else
		failed=1
		echo "not ok $name"
		say "not ok $name"
		sed 's/^/    /' "$folder/last" >&2
	fi
}

make_for_kernel() { make -s -C "$top" "$@" DESTDIR="$installed" KDIR="$stock/headers"; }

files() { (cd "$installed" && find . -type f | sort); }

all_there() {
	diff - <(files) <<-END
		./lib/modules/$release/extra/kccm.ko
		./usr/local/lib/systemd/system/ccm.service
		./usr/local/sbin/ccmctl
		./usr/local/share/bash-completion/completions/ccmctl
		./usr/local/share/doc/ccm/cluster.toml
		./usr/local/share/man/man5/ccm-cluster.toml.5
		./usr/local/share/man/man8/ccmctl.8
		./usr/src/ccm-$version/$release/Module.symvers
		./usr/src/ccm-$version/include/ccm/ccm.h
	END
}

# As README.md tells authors of consumers; a word of complaint is a failure.
builds() {
	local from=$installed/usr/src/ccm-$version
	make -s -C "$stock/headers" M="$outside" ccflags-y="-I$from/include" CONFIG_DEBUG_INFO_BTF_MODULES= \
		KBUILD_EXTRA_SYMBOLS="$from/$release/Module.symvers" modules >"$folder/make.log" 2>&1 || return 1
	! grep . "$folder/make.log"
}

# Every symbol of CCM that the consumer uses has the CRC under which the module exports it.
crcs() {
	modprobe --dump-modversions "$outside/ccm_table.ko" | grep -iP '\tccm_' | sort >"$folder/used"
	cut -f 1,2 "$installed/usr/src/ccm-$version/$release/Module.symvers" | sort >"$folder/exported"
	[ "$(wc -l <"$folder/used")" -ge 10 ] && [ -z "$(comm -23 "$folder/used" "$folder/exported" | tee -a /dev/stderr)" ]
}

# What README.md shows, in a folder that looks like this tree.
readme_says() {
	sed -n '/^To build it, take it out/,/^Against an installed/s/^    //p' "$top/README.md" |
		sed "s,/lib/modules/\$(uname -r)/build,$stock/headers,; s,\$(uname -r),$release,; s,^make &&,,"
}

consumer_of_readme() {
	local own=$folder/readme
	mkdir "$own"
	ln -s "$top"/{README.md,include,build} "$own"
	readme_says >"$folder/commands"
	grep -q 'make -C' "$folder/commands" && (cd "$own" && sh -ex "$folder/commands") && [ -f "$own/hello/hello.ko" ]
}

# All consumers from nothing, at once, by a mkdir that takes its time: each finds nothing there, and then what another
# has made.
builds_at_once() {
	mkdir "$folder/slow"
	printf '#!/bin/sh\nsleep 0.2\nexec /bin/mkdir "$@"\n' >"$folder/slow/mkdir"
	chmod +x "$folder/slow/mkdir"
	rm -rf "$top/build/$release/consumers"
	PATH=$folder/slow:$PATH make -s -j4 -C "$top" samples test-consumer examples KDIR="$stock/headers"
}

says_its_version() { [ "$(modinfo -F version "$installed/lib/modules/$release/extra/kccm.ko")" = "$version" ]; }

says_not_signed() {
	make_for_kernel install | grep 'not signed: a machine with Secure Boot refuses it'
}

signs() {
	openssl req -new -x509 -newkey rsa:2048 -nodes -subj "/CN=a key of the test/" -outform DER \
		-keyout "$folder/key" -out "$folder/certificate"
	make_for_kernel install SIGN_KEY="$folder/key" SIGN_CERT="$folder/certificate"
	[ "$(modinfo -F signer "$installed/lib/modules/$release/extra/kccm.ko")" = "a key of the test" ]
}

no_key_without_certificate() { ! make_for_kernel install SIGN_KEY="$folder/key"; }

# In a tree with the kernel's own modules, which include a ccm.ko.
with_the_kernels_own() {
	mkdir -p "$folder/tree/lib/modules"
	cp -rs "$(readlink -f "$stock/modules")/lib/modules/$release" "$folder/tree/lib/modules/"
	cp -r "$installed/lib" "$folder/tree/"
	cp "$outside/ccm_table.ko" "$folder/tree/lib/modules/$release/extra/"
	depmod -b "$folder/tree" "$release"
}

# needs NAME FILE: to load the one, the other is loaded.
needs() { modprobe -d "$folder/tree" -S "$release" --show-depends "$1" | tee -a /dev/stderr | grep -q "/$2"; }

uninstalls() {
	make_for_kernel uninstall
	[ -z "$(files | tee -a /dev/stderr)" ]
}

try() {
	series=$1
	stock=$("$vm/stock.sh" "$series")
	release=$(cat "$stock/release")
	folder=$top/build/vm/install-$series
	installed=$folder/installed
	rm -rf "$folder"
	mkdir -p "$folder"
	say "==> installing for Debian's $release into $installed"
	check installs make_for_kernel install
	check all_there all_there
	check says_its_version says_its_version
	outside=$(mktemp -d)
	cp "$vm"/consumer/* "$outside"
	check consumer_builds builds
	check consumer_has_crcs crcs
	check consumer_of_readme_builds consumer_of_readme
	check consumers_build_at_once builds_at_once
	check says_it_is_not_signed says_not_signed
	check signs signs
	check needs_a_certificate no_key_without_certificate
	check depmod with_the_kernels_own
	check consumer_loads_it needs ccm_table extra/kccm.ko
	check asking_loads_it needs net-pf-16-proto-16-family-ccm extra/kccm.ko
	check kernels_own_is_there needs crypto-ccm kernel/crypto/ccm.ko
	check uninstalls uninstalls
	rm -rf "$outside"
}

version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$top/dkms.conf")
for series in 6.1 6.12; do try $series; done
exit $failed
