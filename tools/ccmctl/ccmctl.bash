# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Completion of ccmctl's command line in bash. Words and options are what its own help says.

# What stands in one part of a command's help: "Subcommands" or "Options".
_ccmctl_words() {
	local part=$1
	shift
	"$@" --help 2>/dev/null | awk -v part="$part" '
		/^[^ ]/ { inside = $0 ~ "^" part || (part == "Options" && /^\[Option Group/) }
		inside && part == "Subcommands" && /^  [a-z]/ { print $1 }
		inside && part == "Options" && /^ *-/ { gsub(",", "\n", $1); print $1 }'
}

# The peers' numbers.
_ccmctl_numbers() {
	"$1" -j show 2>/dev/null | awk -F '[:,]' '
		/"number"/ { number = $2 + 0 }
		/"self": false/ { print number }'
}

_ccmctl() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} word words
	local command=("${COMP_WORDS[0]}")

	COMPREPLY=()
	case $previous in
	--key-file | --file)
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return
		;;
	--node) mapfile -t COMPREPLY < <(compgen -W "auto $(_ccmctl_numbers "${command[0]}")" -- "$current"); return ;;
	--address | --port | --cluster | --key | --timeout | --interval | --limit | --wait | -c | -i | -W) return ;;
	esac
	# The command so far: what the tool knows as one.
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		_ccmctl_words Subcommands "${command[@]}" | grep -qx -- "$word" && command+=("$word")
	done
	words=$(_ccmctl_words Subcommands "${command[@]}")
	if [[ $current == -* ]]; then
		words=$(_ccmctl_words Options "${command[@]}")
	elif [ -z "$words" ]; then
		case "${command[*]:1}" in
		manage | check | genkey)
			mapfile -t COMPREPLY < <(compgen -f -- "$current")
			return
			;;
		"peer set" | "peer delete" | connect | listen | close | poke | ping | show | stats)
			words=$(_ccmctl_numbers "${command[0]}")
			;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

complete -o filenames -F _ccmctl ccmctl
