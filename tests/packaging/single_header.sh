#!/usr/bin/env bash
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# single_header.sh CMAKE BUILD INCLUDE EIGEN COMPILER [FLAGS...]: makes the single header in the build tree BUILD, and
# trains with it and Eigen alone, in two translation units. The results must be those of the headers in INCLUDE, to the
# bit.
set -euo pipefail

cmake=$1 build=$2 headers=$3 eigen=$4
shift 4
compiler=("$@" -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wno-sign-conversion -Werror -isystem "$eigen")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$cmake" --build "$build" --target elegans_single_header
mkdir "$scratch/alone"
cp "$build/single_header/elegans.hpp" "$scratch/alone"
cd "$scratch"
[[ $(grep -c SPDX-License-Identifier alone/elegans.hpp) == 1 ]] || { echo "the licence must be named once"; exit 1; }
if grep -n '^#include <elegans/' alone/elegans.hpp; then echo "these headers are not merged"; exit 1; fi

for source in single_header second_unit; do
  "${compiler[@]}" -I alone -c "$here/$source.cpp" -o "$source.o"
done
"${compiler[@]}" single_header.o second_unit.o -o one
"${compiler[@]}" -I "$headers" -I "$headers/elegans" -include "$here/second_unit.cpp" "$here/single_header.cpp" -o many
./one >one.txt
./many >many.txt
cmp one.txt many.txt
head -n 1 one.txt
