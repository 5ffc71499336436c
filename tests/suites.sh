#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# suites.sh: whether the suites of all tests stand in the table of Documentation/testing.rst, and no others. A case
# itself: "ok documentation.suites", or what is missing and "not ok"; then the status is not 0.
cd "$(dirname "$0")/.." || exit 1
table=Documentation/testing.rst

sources() { sed -n 's/^CCM_TEST(\([a-z0-9_]*\),.*/\1/p' tests/*/*_test.cpp | sort -u; }
# The first cells of the rows in the section "The suites".
documented() { sed -n '/^The suites$/,/^What counts/s/^   \* - \(``.*\)/\1/p' $table | grep -o '[a-z0-9_]*' | sort; }

wrong=$({
	sources | sed 's/$/ source/'
	documented | sed 's/$/ table/'
} | awk -v table=$table '
	{ seen[$1] = seen[$1] " " $2 }
	END {
		for (suite in seen) {
			if (seen[suite] == " source") print "# suite " suite " is not in the table of " table
			else if (seen[suite] == " table") print "# suite " suite " of " table " is in no source"
			else if (seen[suite] != " source table") print "# suite " suite " is twice in " table
		}
	}')
if [ -n "$wrong" ] || [ -z "$(sources)" ]; then
	echo "$wrong"
	echo "not ok documentation.suites"
	exit 1
fi
echo "ok documentation.suites"
