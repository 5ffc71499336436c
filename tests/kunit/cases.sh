#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# cases.sh FILE...: the tests in these files, as CCM_SUITE(name) and CCM_CASE(suite, name) lines, suite by suite.
# KUnit and the host's runner include the output, so no test can be forgotten: one on two lines is an error.
if grep -n '^CCM_TEST(' "$@" | grep -v ')$'; then
	echo "cases.sh: the line of a CCM_TEST has to hold all of it" >&2
	exit 1
fi
sed -n 's/^CCM_TEST(\([a-z0-9_]*\), *\([a-z0-9_]*\))$/\1 \2/p' "$@" | awk '
	!($1 in cases) { order[++count] = $1 }
	{ cases[$1] = cases[$1] "CCM_CASE(" $1 ", " $2 ")\n" }
	END { for (i = 1; i <= count; i++) printf "CCM_SUITE(%s)\n%sCCM_SUITE_END(%s)\n", order[i], cases[order[i]], order[i] }'
