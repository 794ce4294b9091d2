# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# What the tests of programs share: to be sourced, with the folder of programs as the first argument. Leaves the number
# of failures in $failures.
programs=$1
data=$(cd "$(dirname "${BASH_SOURCE[0]}")/../data" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0
check() {  # check WHAT COMMAND...: the command must succeed
  local what=$1
  shift
  "$@" || { echo "FAILED: $what"; failures=$((failures + 1)); }
}
exits() {  # exits STATUS TEXT COMMAND...: exits with that status, saying TEXT in one line on standard error
  local status=$1 text=$2
  shift 2
  "$@" >"$scratch/out" 2>"$scratch/err"
  local got=$?
  [[ $got == "$status" ]] || { echo "FAILED: $* exits with $got, not $status"; failures=$((failures + 1)); }
  grep -qF -- "$text" "$scratch/err" || { echo "FAILED: $* does not say '$text':"; cat "$scratch/err"; failures=$((failures + 1)); }
  if [[ $(wc -l <"$scratch/err") != 1 ]]; then echo "FAILED: $* says more than a line"; failures=$((failures + 1)); fi
}
# holds CSV EXPRESSION: every row but the first makes the awk expression true, and there is one.
holds() { awk -F, -v OFS=, "NR > 1 && !($2) { bad = 1 } END { exit bad || NR < 2 }" "$1"; }
plotted() { ! command -v gnuplot >/dev/null || [[ -s $1 ]]; }
