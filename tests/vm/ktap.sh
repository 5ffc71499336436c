#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# ktap.sh < REPORT: turns a guest's report into lines "ok SUITE.CASE" and "not ok SUITE.CASE".
#
# KUnit's part is KTAP: a case is indented by four, its parameters by eight, a suite by nothing. A suite that ends before
# it ran all the cases it announced, and a report that does not end with "end", are failures too.
source "$(dirname "$0")/lib.sh"

awk '
	function line(ok, name) { print (ok ? "ok " : "not ok ") name }
	function finish_suite() {
		if (suite != "" && seen != plan) line(0, suite ".ran_all_its_cases")
		suite = ""
	}
	/^KTAP version/              { finish_suite(); next }
	/^    # Subtest: /           { finish_suite(); suite = $3; suites++; seen = 0; plan = 0; next }
	/^    1\.\.[0-9]+$/          { plan = substr($1, 4); next }
	/# SKIP/                     { if (/^    ok /) { seen++; print "skipped " suite "." $3 > "/dev/stderr" } next }
	/^    ok [0-9]+ /            { seen++; line(1, suite "." $3); said = ""; next }
	/^    not ok [0-9]+ /        { seen++; line(0, suite "." $4); printf "%s", said > "/dev/stderr"; said = ""; next }
	/^    KTAP|^    # module:/   { next }
	/^(ok|not ok) [a-z_]+\.[a-z_]+$/ { print; next }
	/^end$/                      { ended = 1; next }
	/^ok |^not ok |^# |marked slow/ { next }
	suite != ""                  { said = said $0 "\n" }
	END {
		finish_suite()
		line(suites > 0, "guest.ran_suites")
		line(ended, "guest.ran_to_its_end")
	}
'
