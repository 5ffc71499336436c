#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# lint.sh [LINTER...]: what can be said of the sources without running them, by all of the linters or by these:
# licences, format, tidy, shellcheck, checkpatch, sparse, generated, examples. Prints a line "ok NAME" or "not ok NAME" for each.
# shellcheck disable=SC2317  # `run` calls what seems not to be called
source "$(dirname "$0")/lib.sh"

all=(licences format shellcheck generated checkpatch sparse examples tidy)
log=$top/build/vm/lint.log
failed=0

# Each file says its licence near its head, but for those that have no comments, and those that a program has drawn.
lint_licences() {
	local file status=0
	while read -r file; do
		head -n 4 "$file" | grep -q 'SPDX-License-Identifier: ' && continue
		echo "$file: no SPDX-License-Identifier in the first lines"
		status=1
	done < <(find "$top" \( -path "$top/build" -o -path "$top/.git" -o -path "$top/bench/results" \) -prune -o -type f \
		! -name COPYING ! -name '*.ko' ! -name '*.mod*' ! -name '*.o' ! -name '.*.cmd' ! -name '*.symvers' \
		! -name modules.order -print)
	return "$status"
}

# The C++ is laid out as .clang-format says.
lint_format() { cxx | xargs -0 clang-format --dry-run -Werror; }

cxx() { find "$top"/{src,tools,tests} -name '*.[ch]pp' -print0; }

# clang's warnings over the core, its tests and ccmctl; clang-tidy over all but the tests. What has not changed since is
# not looked at again.
lint_tidy() {
	make -s -k -j"$(nproc)" -C "$top/tests/host" lint && make -s -k -j"$(nproc)" -C "$top/tools/ccmctl" lint
}

lint_shellcheck() {
	find "$top"/{tests,bench,tools,Documentation} \( -name '*.sh' -o -name '*.bash' \) -print0 |
		xargs -0 shellcheck "$top/.ci/run"
}

# The netlink header, tables and policies are what the specification says.
lint_generated() { "$top/Documentation/netlink/generate.sh" --check "$source"; }

# excuse FILE TYPE...: kinds of checkpatch's complaints that are not made of a file.
declare -A excused
excuse() {
	local file=$1
	shift
	excused[$file]="$*"
}

# Two arguments, of two that a macro with a variable number needs; and C++ reads it, which has no BIT().
excuse include/ccm/ccm.h COMPLEX_MACRO BIT_MACRO
# C++ reads it, which has no __printf(). What a lock in a type of its own protects, its users say.
excuse src/kernel/kernel.h PREFER_DEFINED_ATTRIBUTE_MACRO UNCOMMENTED_DEFINITION
# A list of checks, made by a macro for each.
excuse src/kernel/exports.c TRAILING_SEMICOLON MACRO_ARG_PRECEDENCE
# TRACE_EVENT() has a layout of its own.
excuse src/kernel/trace.h OPEN_ENDED_LINE PARENTHESIS_ALIGNMENT
# C++ implements these, and no header is shared with it; cases.h is read with several meanings of its macros.
excuse tests/kunit/kunit.c AVOID_EXTERNS MACRO_ARG_UNUSED TRAILING_SEMICOLON
# A list of arguments.
excuse tests/vm/consumer/ccm_table.c COMPLEX_MACRO
# Older kernels do not take all arguments.
excuse bench/kernel/compat.h MACRO_ARG_UNUSED
# One source for several kernels, out of their tree.
everywhere="LINUX_VERSION_CODE CONSTANT_COMPARISON"
# EXPECT() returns; tables of cases have their columns.
in_tests="MACRO_WITH_FLOW_CONTROL LONG_LINE"

# The C that runs in kernels, as the kernel's own script sees it, which leaves a file where it runs.
lint_checkpatch() {
	local file ignore status=0
	cd "$top/build/vm"
	while read -r file; do
		ignore="$everywhere ${excused[$file]-}"
		[[ $file != tests/* ]] || ignore+=" $in_tests"
		perl "$source/scripts/checkpatch.pl" --no-tree --strict --terse --show-types --no-summary \
			--ignore "${ignore// /,}" -f "$top/$file" || status=1
	done < <(cd "$top" && find src/kernel include samples bench/kernel tests/kunit tests/vm/{consumer,examples} -name '*.[ch]')
	return "$status"
}

# The C of the module, seen by sparse when it is compiled for a stock kernel. The generator of netlink code declares none
# of its policies in the header.
lint_sparse() {
	local said status=0
	said=$(make -s -C "$top" ccm KDIR="$stock/headers" C=2 CHECK=sparse 2>&1) || status=1
	! grep -vE "/netlink_gen\.c:[0-9:]+ warning: symbol '\w+_nl_policy' was not declared" <<<"$said" | grep . && return "$status"
}

# Every call of the interface stands in an example of api.rst, and each is compiled without a warning.
lint_examples() { make -s -C "$top" examples KDIR="$stock/headers"; }

# run LINTER: one case. What it said is shown when it fails.
run() {
	if "lint_$1" >"$log" 2>&1; then
		echo "ok lint: $1"
	else
		failed=1
		echo "not ok lint: $1"
		say "not ok lint: $1"
		sed "s,^$top/,,; s/^/    /" "$log" >&2
	fi
}

[ $# -gt 0 ] || set -- "${all[@]}"
for linter; do [[ " ${all[*]} " = *" $linter "* ]] || usage; done
"$vm/packages.sh" build checks lint
mkdir -p "$top/build/vm"
say "==> what linters say: $*"
stock=$("$vm/stock.sh" 6.12)
source=$("$vm/source.sh")
for linter; do run "$linter"; done
say "    $SECONDS s"
exit $failed
