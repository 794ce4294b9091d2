#!/usr/bin/env bash
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# no_exceptions.sh COMPILER [FLAGS...]: compiles the core without exceptions and RTTI, and shows that a bad call ends in
# ELEGANS_ON_ERROR: the user's, or the library's default.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
ulimit -c 0

fail() {
  echo "$1"
  cat out err
  exit 1
}
# program NAME [FLAGS...]
program() {
  local name=$1
  shift
  "${compiler[@]}" -fno-exceptions -fno-rtti -O0 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wno-sign-conversion \
    -Werror "$@" "$here/no_exceptions.cpp" -o "$name"
}
# ends NAME ARGUMENT STATUS: that is how the program must end.
ends() {
  local status=0
  "./$1" "$2" >out 2>err || status=$?
  ((status == $3)) || fail "$1 $2 ends with $status, not $3"
}
# The exit status of a program that aborts.
aborted=134
# The message's longest literal.
message="AutoNCP: output_dim must be below units - 2"
compiler=("$@")

program plain
ends plain bad $aborted
[[ $(<err) == "$message" && ! -s out ]] || fail "without a hook, the message belongs on standard error"

program hooked -DOWN_HOOK
ends hooked good 0
ends hooked bad 3
[[ $(<out) == "hook: $message" && ! -s err ]] || fail "the hook should have had the message, and nobody else"
ends hooked return $aborted
[[ $(<out) == "hook: $message" ]] || fail "a hook that returns should have had the message once"
echo "trains and streams without exceptions; a bad call ends in the hook"
