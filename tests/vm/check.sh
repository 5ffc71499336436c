#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# check.sh: the quick loop: the core and ccmctl on the host under ASan and UBSan, then KUnit on User Mode Linux.
source "$(dirname "$0")/lib.sh"

status=0
"$vm/packages.sh" build machines kernels
say "==> the core on the host, under ASan and UBSan"
make --no-print-directory -C "$top/tests/host" check || status=1
say "==> what ccmctl decides, under ASan and UBSan"
make --no-print-directory -C "$top/tests/ccmctl" check || status=1
"$vm/kunit.sh" um-debug || status=1
exit $status
