#!/usr/bin/env bash
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# includes.sh              checks who includes whom in include/, and how long headers and classes are: includes.awk and
#                          class_lines.py have the rules
# includes.sh --dot        prints the graph of its folders as DOT; the labels count includes
# includes.sh --classes    prints how many lines each class has, the longest first
# includes.sh --test       breaks a small tree in every way that the rules forbid, and wants each fault found
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

headers() { find elegans -name '*.hpp' | LC_ALL=C sort; }
includes() { headers | xargs "${AWK:-awk}" "$@" -f "$here/includes.awk"; }
classes() { headers | xargs python3 "$here/class_lines.py" "$@"; }
check() {  # check FOLDER
  cd "$1"
  local status=0
  includes || status=1
  classes || status=1
  return $status
}

case ${1:-} in
  "") check "$here/../../include" ;;
  --dot) cd "$here/../../include" && includes -v dot=1 ;;
  --classes) cd "$here/../../include" && classes --list ;;
  --test)
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    # A small tree without faults. broken breaks it.
    header() {  # header NAME INCLUDED...
      local file=$scratch/tree/elegans/$1
      shift
      mkdir -p "$(dirname "$file")"
      printf '%s\n' '// SPDX-FileCopyrightText: The elegans authors' '// SPDX-License-Identifier: Apache-2.0' \
        '#pragma once' >"$file"
      if (($#)); then printf '#include <%s>\n' "$@" >>"$file"; fi
    }
    header core/a.hpp vector Eigen/Core
    header core/b.hpp elegans/core/a.hpp
    header system/denormals.hpp xmmintrin.h
    echo 'unsigned control = _mm_getcsr();  // Eigen::internal' >>"$scratch/tree/elegans/system/denormals.hpp"
    header system/thread_pool.hpp thread elegans/system/denormals.hpp
    header simd/packet.hpp immintrin.h
    echo '__m128 x = Eigen::internal::pset1<__m128>(1.0f);' >>"$scratch/tree/elegans/simd/packet.hpp"
    header wiring/w.hpp elegans/core/b.hpp
    header cell/ltc/cell.hpp elegans/wiring/w.hpp elegans/simd/packet.hpp
    header model/l.hpp elegans/cell/ltc/cell.hpp elegans/core/b.hpp
    header train/t.hpp elegans/core/b.hpp
    header graph/graph.hpp elegans/wiring/w.hpp cgraph.h
    header model/embedded.hpp elegans/model/l.hpp
    header io/safetensors.hpp elegans/core/b.hpp nlohmann/json.hpp
    for name in c_source checkpoint model_file save_best sha256; do header io/$name.hpp elegans/io/safetensors.hpp elegans/model/l.hpp; done
    header mpi/mpi.hpp elegans/train/t.hpp mpi.h
    header elegans.hpp elegans/model/l.hpp elegans/train/t.hpp
    cp -r "$scratch/tree" "$scratch/whole"
    (check "$scratch/tree" >/dev/null) || { echo "a tree without faults was refused"; exit 1; }

    tried=0
    broken() {  # broken TEXT COMMAND...: with what the command does to the tree, TEXT must be complained of
      local text=$1
      shift
      rm -r "$scratch/tree"
      cp -r "$scratch/whole" "$scratch/tree"
      "$@"
      if (check "$scratch/tree") >"$scratch/complaints"; then echo "not found: $text"; exit 1; fi
      grep -qF -- "$text" "$scratch/complaints" || { echo "wanted: $text"; cat "$scratch/complaints"; exit 1; }
      tried=$((tried + 1))
    }
    replace() { sed -i "$2" "$scratch/tree/elegans/$1"; }
    lengthen_by() { seq -f '// %g' "$1"; }
    lengthen() { lengthen_by "$2" >>"$scratch/tree/elegans/$1"; }
    # A class of $2 lines in the header $1, and a member of it, of $4 lines, that is defined outside of it in $3.
    members() {
      { echo "namespace elegans {"; echo "template <int N> requires(N < 3) class Long {"; lengthen_by $(($2 - 2)); echo "};"
        echo "}"; } >>"$scratch/tree/elegans/$1"
      { echo "namespace elegans {"; echo "template <int N> Long<N>::Long(int x) : x_{x}, y_(x) {"; lengthen_by $(($4 - 2))
        echo "}"; echo "}"; } >>"$scratch/tree/elegans/$3"
    }
    circle() { header core/a.hpp elegans/core/c.hpp; header core/c.hpp elegans/core/b.hpp; }
    broken "a cycle: elegans/elegans.hpp -> elegans/model/l.hpp -> elegans/cell/ltc/cell.hpp -> elegans/wiring/w.hpp -> \
elegans/core/b.hpp -> elegans/core/a.hpp -> elegans/core/c.hpp -> elegans/core/b.hpp" circle
    broken "a cycle: elegans/system/thread_pool.hpp -> elegans/system/thread_pool.hpp" \
      header system/thread_pool.hpp elegans/system/thread_pool.hpp
    broken "wiring may not include cell/ltc" header wiring/w.hpp elegans/cell/ltc/cell.hpp
    broken "core may not include model" header core/b.hpp elegans/core/a.hpp elegans/model/l.hpp
    broken "train may not include cell/ltc" header train/t.hpp elegans/cell/ltc/cell.hpp
    broken "elegans.hpp may not include io" header elegans.hpp elegans/model/l.hpp elegans/io/safetensors.hpp
    back() { header wiring/w.hpp elegans/core/b.hpp elegans/wiring/v.hpp; header wiring/v.hpp elegans/wiring/w.hpp; }
    broken "elegans/wiring/w.hpp -> elegans/wiring/v.hpp -> elegans/wiring/w.hpp" back
    broken "cell may not include <nlohmann/json.hpp>" header cell/c.hpp elegans/wiring/w.hpp nlohmann/json.hpp
    broken "l.hpp has 401 lines" lengthen model/l.hpp 396
    broken "class elegans::Long has 401 lines: at most 400 are wanted" members core/b.hpp 300 core/b.hpp 101
    broken "class elegans::Long is spread over elegans/core/a.hpp and elegans/core/b.hpp" \
      members core/a.hpp 300 core/b.hpp 100
    only_simd="only simd may use instructions of one processor or Eigen::internal"
    broken "core/a.hpp:4: $only_simd: using Eigen::internal::padd;" replace core/a.hpp '3a using Eigen::internal::padd;'
    broken "model/l.hpp:6: $only_simd" replace model/l.hpp '$a auto x = _mm256_add_ps(y, z);'
    broken "model/l.hpp:6: $only_simd" replace model/l.hpp '$a __m128 x;'
    broken "model/l.hpp:6: $only_simd" replace model/l.hpp '$a auto x = vld1q_f32(y);  // neon'
    broken "model/l.hpp:6: $only_simd" replace model/l.hpp '$a float32x4_t x;'
    broken "model/l.hpp:6: $only_simd" replace model/l.hpp '$a auto x = __builtin_shufflevector(y, z, 0, 4);'
    broken "core may not include <immintrin.h>" header core/a.hpp immintrin.h
    broken "system/denormals.hpp:6: $only_simd" replace system/denormals.hpp '$a unsigned x = _mm_getcsr() + _mm_popcnt_u32(1);'
    broken "a.hpp has no #pragma once" replace core/a.hpp '/pragma/d'
    broken "a.hpp has not the two SPDX lines" replace core/a.hpp 1d
    broken "a.hpp has not the two SPDX lines" replace core/a.hpp '2s/Apache/MIT/'
    broken "elegans/train/lost.hpp is reached from none" header train/lost.hpp
    broken "elegans/graph/graph.hpp, where users begin, is not there" rm "$scratch/tree/elegans/graph/graph.hpp"
    broken "includes elegans/core/nowhere.hpp, which is not there" header cell/c.hpp elegans/wiring/w.hpp elegans/core/nowhere.hpp
    broken "is in a folder that the table does not have" header util/u.hpp
    broken 'includes are written #include <...>: #include "a.hpp"' replace core/b.hpp '$a #include "a.hpp"'
    echo "$tried faults, each found"
    ;;
  *) sed -n '5,9s/^# //p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac
