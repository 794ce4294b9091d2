#!/usr/bin/env bash
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# shell.sh PROGRAMS MODEL AWK PAGE...: runs the pages' shell commands in an empty folder with a copy of MODEL, and
# compares their output with the pages. Words must be equal; numbers may differ by 1e-6, as the last digits depend on
# the processor. CPLUS_INCLUDE_PATH must have the folders of elegans and Eigen.
set -euo pipefail

programs=$1 model=$2 awk=$3
shift 3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp "$model" "$scratch/model.safetensors"
"$awk" -f "$here/shell.awk" "$@" >"$scratch/shell.bash"
cd "$scratch"
PATH=$programs:$PATH

count=0
# gives COMMAND <WANTED: runs the command, and compares its output with WANTED
gives() {
  cat >wanted
  bash -c "$1" >got 2>&1 </dev/null || true  # some commands are there to show an error
  "$awk" '
    function same(a, b, d) {
      if (a == b) return 1
      if (a !~ /^-?[0-9.]+(e-?[0-9]+)?$/ || b !~ /^-?[0-9.]+(e-?[0-9]+)?$/) return 0
      d = a - b
      return d * d <= 1e-12
    }
    FNR == NR { wanted[++lines] = $0; next }
    wanted[FNR] ~ /^ *…$/ { open = 1; exit }
    {
      n = split(wanted[FNR], words)
      if (n != NF || FNR > lines) bad = 1
      for (i = 1; i <= NF; ++i) if (!same(words[i], $i)) bad = 1
      if (bad) exit
      ++read
    }
    END { exit bad || (!open && read != lines) }' wanted got || {
    printf '%s\n--- should give\n%s\n--- and gave\n%s\n' "$1" "$(cat wanted)" "$(cat got)"
    exit 1
  }
  count=$((count + 1))
  echo "as the manual says: $1"
}
source ./shell.bash
if ((count == 0)); then echo "no commands in $*"; exit 1; fi
