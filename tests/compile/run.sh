#!/usr/bin/env bash
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# run.sh CASE.cpp COMPILER [FLAGS...]: compiles one case and compares with what its first line says:
#   // compiles            it must
#   // error: <text>       it must not, and <text> must be in the compiler's messages
set -u

case_file=$1
shift
expectation=$(head -n 1 "$case_file")
messages=$(LC_ALL=C "$@" -fsyntax-only "$case_file" 2>&1)
status=$?

fail() {
  printf '%s: %s\n%s\n' "${case_file##*/}" "$1" "$messages"
  exit 1
}

case $expectation in
  "// compiles")
    ((status == 0)) || fail "must compile, but does not:"
    ;;
  "// error: "*)
    wanted=${expectation#"// error: "}
    ((status != 0)) || fail "must not compile, but does"
    grep -qF -- "$wanted" <<<"$messages" || fail "is refused without '$wanted':"
    ;;
  *)
    fail "the first line must be '// compiles' or '// error: <text>', is '$expectation'"
    ;;
esac
echo "${case_file##*/}: ${expectation#// }"
