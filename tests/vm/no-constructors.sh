#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# no-constructors.sh KDIR MODULE.ko: fails if the module has static constructors, which a stock kernel never runs.
#
# Kernels with CONFIG_CONSTRUCTORS (KASAN selects it) do run them and add some of their own, so there is nothing to see.
source "$(dirname "$0")/lib.sh"

[ $# = 2 ] || usage
grep -q '^CONFIG_CONSTRUCTORS=y' "$1/include/config/auto.conf" && exit 0
! readelf -SW "$2" | grep -E '\.(init_array|ctors)' >&2 ||
	die "$2 has static constructors, which the kernel does not run: make the variable constinit"
