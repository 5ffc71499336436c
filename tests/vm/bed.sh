#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# bed.sh: whether consoles are judged from the guest's init on, and who is started once more: with consoles, and a
# machine, made up for it; and whether the long tests have their turns. Prints a line "ok NAME" or "not ok NAME" a case.
# shellcheck disable=SC2317  # `check` calls what seems not to be called
source "$(dirname "$0")/lib.sh"
source "$vm/machine.sh"

failed=0
folder=$top/build/vm/bed
rm -rf "$folder"
mkdir -p "$folder"

# check CASE COMMAND...: one case. What the command printed is shown when it fails.
check() {
	local name="bed: $1"
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

stall='[   21.4] rcu: INFO: rcu_preempt self-detected stall on CPU'
init='[   22.0] ccm guest: init runs'

# judged LINE...: a console with these lines
judged() {
	printf '%s\n' "$@" >"$folder/console.log"
	"$vm/judge.sh" "$folder/console.log" console
}

refused() { ! judged "$@"; }

# A machine whose kernel comes as far as its init from the Nth start on.
machine_that_starts_at() {
	printf '%s\n' '#!/bin/sh' "echo >>$folder/starts" \
		"[ \$(wc -l <$folder/starts) -lt $1 ] && echo '$stall' || echo '$init'" >"$folder/machine"
	chmod +x "$folder/machine"
	rm -f "$folder/starts"
	machine=("$folder/machine") append="" bus=pci
}

# starts N TIMES: a guest whose init runs at its Nth start is started so often, and is then as it should be.
starts() {
	machine_that_starts_at "$1"
	# Its console is what it prints.
	run_qemu_once() { "${machine[@]}" >"$folder/console.log"; }
	run_qemu "$folder/initrd" "$folder" 10
	[ "$(wc -l <"$folder/starts")" = "$2" ]
}

# turns FROM: from this turn on, in as many turns as there are parts, each part of the long tests has its own.
turns() {
	local parts n
	parts=$("$vm/test.sh" parts)
	for ((n = $1; n < $1 + $(wc -l <<<"$parts"); n++)); do "$vm/test.sh" parts "$n"; done >"$folder/turns"
	diff <(sort "$folder/turns") <(sort <<<"$parts")
}

check what_was_before_init_is_not_ours judged "$stall" "$init" "fine"
check what_comes_after_init_is_ours refused "$stall" "$init" "$stall"
check a_panic_is_ours refused "$init" "Kernel panic - not syncing"
check no_init_is_a_failure refused "fine"
check nothing_is_a_failure refused
check a_guest_that_runs_is_started_once starts 1 1
check a_guest_without_init_is_started_again starts 2 2
check and_then_judged "$vm/judge.sh" "$folder/console.log" console
check but_only_once starts 3 2
check and_is_a_failure refused "$(cat "$folder/console.log")"
check each_long_part_has_its_turn turns 0
check whatever_the_turn_is turns 16777211
exit $failed
