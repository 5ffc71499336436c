#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# examples.sh FOLDER: takes the examples out of Documentation/api.rst into FOLDER, a file NAME.inc each, for the sources
# in examples/ that include them. A public call without an example, and an example that nobody includes, are errors.
source "$(dirname "$0")/lib.sh"

rst=$top/Documentation/api.rst
header=$top/include/ccm/ccm.h

# extract FOLDER: an example is a code-block with a name; what stands behind "::" is declarations.
extract() {
	awk -v folder="$1" '
		function wrong(what) { print FILENAME ":" FNR ": " what > "/dev/stderr"; failed = 1 }
		function put(line) { if (file != "") print line > file }
		function begin_example(name) {
			if (name in seen) wrong("there is an example " name " already")
			seen[name] = 1
			file = folder "/" name ".inc"
			blank = -1 # one stands before it
		}
		/^[^\t]/ { if (file != "") close(file); file = ""; declarations = 0 }
		/^\.\. code-block:: c$/ {
			getline
			if (/^\t:name: [a-z0-9-]+$/) begin_example($2); else wrong("an example without a :name:")
			next
		}
		/^::$/ { declarations = 1; next }
		/^[^.].*::$/ || (declarations && /[={]/) { wrong("code that is not compiled: make it a code-block with a :name:") }
		/^$/ { blank++; next }
		/^\t/ {
			for (; blank > 0; blank--) put("")
			put($0) # as deep as what surrounds it where it is included
		}
		END { exit failed }
	' "$rst"
}

# What a consumer writes to use an exported symbol: the macros in front of it, else its own name.
calls_for() {
	local macros
	macros=$(sed -e ':a' -e '/\\$/{N;s/\\\n//;ba' -e '}' "$header" | sed -nE "s/^#define (CCM_\w+)\(.*\b$1\(.*/\1/p")
	printf '%s\n' "${macros:-$1}"
}

exported() { sed -nE 's/^EXPORT_SYMBOL(_GPL)?\((\w+)\);/\2/p' "$top"/src/kernel/*.c; }

# Every public call stands in an example.
complete() {
	local symbol call status=0 count=0
	for symbol in $(exported); do
		for call in $(calls_for "$symbol"); do
			count=$((count + 1))
			grep -q "\b$call(" "$1"/*.inc || { say "${rst#"$top/"}: no example calls $call()"; status=1; }
		done
	done
	[ $count -gt 0 ] || { say "src/kernel exports nothing?"; status=1; }
	return $status
}

# Every example is compiled, once.
included() {
	local file count status=0
	for file in "$1"/*.inc; do
		count=$(cat "$vm"/examples/*.[ch] | grep -c "^#include \"${file##*/}\"") || true
		[ "$count" = 1 ] || { say "tests/vm/examples includes ${file##*/} $count times, not once"; status=1; }
	done
	return $status
}

[ $# = 1 ] || usage
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
extract "$new"
complete "$new"
included "$new"
# What has not changed stays as it is: it need not be compiled again.
for file in "$1"/*.inc; do
	[ -e "$new/${file##*/}" ] || rm -f "$file"
done
for file in "$new"/*.inc; do
	cmp -s "$file" "$1/${file##*/}" || cp "$file" "$1/"
done
