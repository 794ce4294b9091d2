#!/usr/bin/env bash
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# macros.sh INCLUDE COMPILER [FLAGS...]      wants that no macro of another library changes a header in INCLUDE
#
# Macros know no namespace. If a program includes a header of Qt, Arduino or Windows before ours, every word of ours that
# is a macro there changes. This script defines each macro as a mark, preprocesses all headers behind it, and looks for
# the mark: it finds a word even where the true macro would do no harm. The standard's headers and those of the libraries
# that we use come first, since some of them do not survive these macros either.
#
# A macro with arguments only replaces a name with a bracket behind it. So `(std::max)(a, b)` and `std::max<Index>(a, b)`
# are safe, `std::max(a, b)` is not.
#
# Two using-directives before the headers must do no harm either: that is compiled.
set -uo pipefail

include=$(cd "$1" && pwd)
shift
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
compile=("$@" "-I$include")
headers=$(cd "$include" && find elegans -name '*.hpp' | LC_ALL=C sort)
# Without MPI, its headers are left out.
if ! "${compile[@]}" -w -x c++ -E - <<<'#include <mpi.h>' >"$scratch/mpi.ii" 2>&1; then
  headers=$(grep -v '^elegans/mpi/' <<<"$headers")
fi
failures=0

# behind [LINE...]: a source with those lines before all of our headers
behind() {
  # Eigen includes the intrinsics of this processor. Those of others would not compile.
  (cd "$include" && grep -hoE '^#include <[^>]*>' $headers) | grep -vE '<elegans/|intrin\.h|arm_neon|xlocale' | LC_ALL=C sort -u
  printf '%s\n' "$@"
  sed 's/.*/#include <&>/' <<<"$headers"
}
# survives WHOM WORD... [-- WORD...]: no header may use these macros of WHOM; those behind -- have arguments
survives() {
  local whom=$1 arguments="" word lines=()
  shift
  for word in "$@"; do
    if [[ $word == -- ]]; then arguments="(...)"; else lines+=("#define $word$arguments ELEGANS_CLASH_$word"); fi
  done
  behind "${lines[@]}" >"$scratch/all.cpp"
  "${compile[@]}" -w -E "$scratch/all.cpp" >"$scratch/all.ii" || { failures=1; return; }
  # A line `# 12 "header.hpp"` says where the text after it comes from.
  awk -v include="$include/" -v whom="$whom" '
    /^# [0-9]+ "/ { line = $2 - 1; file = $3; gsub(/"/, "", file); next }
    { ++line }
    index(file, include) == 1 {
      while (match($0, /ELEGANS_CLASH_[A-Za-z0-9_]+/)) {
        found = 1
        print substr(file, length(include) + 1) ":" line ": " substr($0, RSTART + 14, RLENGTH - 14) " is a macro of " whom
        $0 = substr($0, RSTART + RLENGTH)
      }
    }
    END { exit found }' "$scratch/all.ii" || failures=1
}

survives Qt signals slots emit forever -- foreach
survives Arduino HIGH LOW INPUT OUTPUT PI HALF_PI TWO_PI DEG_TO_RAD RAD_TO_DEG EULER SERIAL DISPLAY CHANGE FALLING RISING \
  DEFAULT EXTERNAL INTERNAL B0 B1 B00 B01 B10 B11 B000 B100 B101 B110 B111 -- min max abs round constrain radians degrees \
  sq bit bitRead bitSet bitClear bitWrite lowByte highByte F interrupts
survives "Unreal or Apple" PI TEXT -- check checkf verify verifyf ensure require require_action require_noerr \
  verify_noerr check_noerr
survives "complex.h, termios.h or sysmacros.h" E I PI complex B0 B50 B75 B110 B134 B150 B200 B300 B600 B1200 B1800 B2400 \
  B4800 B9600 -- major minor
survives Windows near far NEAR FAR small hyper interface ERROR NO_ERROR IN OUT OPTIONAL CONST VOID DELETE IGNORE STRICT \
  DOMAIN OVERFLOW UNDERFLOW ABSOLUTE RELATIVE TRANSPARENT OPAQUE TRUE FALSE CreateFile DeleteFile CopyFile GetObject \
  LoadString SendMessage -- min max Yield
survives X11 None Bool Status True False Success Always Above Below Complex Convex CursorShape FocusIn FocusOut KeyPress \
  Unsorted Expose
survives "compilers that extend the standard" linux unix i386 arm

behind 'namespace elegans {}' 'using namespace Eigen;' 'using namespace elegans;' >"$scratch/all.cpp"
"${compile[@]}" -fsyntax-only "$scratch/all.cpp" || failures=1

exit "$failures"
