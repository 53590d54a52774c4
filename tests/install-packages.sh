#!/bin/sh
# The project's packages: check for them, or install what is missing, naming it first.
#
#   install-packages.sh --check-pc PKG_CONFIG "pc names" "files" DEB...
#                                         fails in one line if a library or a source is absent
#   install-packages.sh DEB...                                    installs what is missing with apt
#
# Debian package names only; "a|b" is a where the system has or knows it, else b (as in a package's
# Build-Depends). node and npm count as present when their commands are, whoever installed them.
set -u

installed() {
	case $1 in
	nodejs) command -v node >/dev/null 2>&1 && return 0 ;;
	npm | make | gcc | git | python3 | strace | socat | jq | scdoc | clang-format | clang)
		command -v "$1" >/dev/null 2>&1 && return 0
		;;
	esac
	[ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null | cut -c 1-2)" = ii ]
}
one_of() { # a|b: the name that this system means
	case $1 in
	*'|'*) ;;
	*)
		echo "$1"
		return
		;;
	esac
	if [ -n "$(apt-cache show --no-all-versions "${1%%|*}" 2>/dev/null)" ] || installed "${1%%|*}"; then
		echo "${1%%|*}"
	else
		one_of "${1#*|}"
	fi
}
resolved() { # the packages with their alternatives chosen
	for package in "$@"; do
		printf '%s ' "$(one_of "$package")"
	done
}
say_missing() {
	what=$1
	shift
	echo "callgate: cannot build: $what missing; run: sudo apt-get install -y $(resolved "$@")" >&2
	exit 1
}

if [ "${1:-}" = --check-pc ]; then
	pkg_config=$2 names=$3 files=$4
	shift 4
	command -v "$pkg_config" >/dev/null 2>&1 || say_missing "pkg-config is" "$@"
	for name in $names; do
		"$pkg_config" --exists "$name" || say_missing "$name (pkg-config) is" "$@"
	done
	for file in $files; do
		[ -r "$file" ] || say_missing "$file is" "$@"
	done
	exit 0
fi

absent() { # those that are not installed; what apt knows may change with apt-get update
	list=
	for package in $(resolved "$@"); do
		installed "$package" || list="$list $package"
	done
	echo "${list# }"
}
missing=$(absent "$@")
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
	echo "callgate: packages missing: $missing; install them with this system's package manager" >&2
	exit 1
fi
if [ "$(id -u)" = 0 ]; then
	as_root=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
	as_root='sudo -n'
elif command -v sudo >/dev/null 2>&1 && [ -t 0 ]; then
	as_root=sudo
else
	echo "callgate: packages missing: not root and no sudo; run as root: apt-get install -y $missing" >&2
	exit 1
fi
echo "Installing with apt: $missing"
# shellcheck disable=SC2086 # the list is meant to be split
if ! $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -qq \
	$missing >/dev/null 2>&1; then
	$as_root apt-get update -qq >/dev/null && missing=$(absent "$@") &&
		$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -qq \
			$missing >/dev/null ||
		{
			echo "callgate: packages missing: apt-get failed; run as root: apt-get install -y $missing" >&2
			exit 1
		}
fi
