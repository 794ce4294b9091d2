# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# cd include && awk -f includes.awk HEADER...      checks who includes whom, and what every header must have
# cd include && awk -v dot=1 -f includes.awk HEADER...      draws the folders instead, as DOT
#
# Name all headers there are, as they are included: elegans/core/types.hpp.

BEGIN {
  # The one table of who may include whom: a folder, and which others besides itself. No arrow goes back.
  may_include["core"] = ""
  may_include["system"] = "core"
  may_include["simd"] = "core"
  may_include["wiring"] = "core"
  may_include["kernel/linear"] = "core simd"
  may_include["kernel/synapse"] = "core simd"
  may_include["cell"] = "core simd"
  may_include["cell/ltc"] = "core wiring simd kernel/synapse cell"
  may_include["cell/cfc"] = "core wiring simd kernel/linear cell"
  may_include["cell/memory"] = "core simd kernel/linear cell cell/cfc"
  may_include["cell/gated"] = "core simd kernel/linear cell cell/memory"
  may_include["layer"] = "core system simd kernel/linear cell"
  may_include["model"] = "core wiring cell/ltc cell/cfc cell/memory cell/gated layer"
  may_include["inspect"] = "core wiring cell/ltc layer"
  may_include["train"] = "core system"
  may_include["graph"] = "core system wiring"
  may_include["io"] = "core system wiring cell/ltc cell/cfc cell/memory cell/gated layer model train"
  may_include["mpi"] = "core train"
  may_include["compiled.hpp"] = "wiring layer model train"
  may_include["elegans.hpp"] = "compiled.hpp core system wiring cell cell/ltc cell/cfc cell/memory cell/gated layer model inspect train"

  # Headers of other libraries and of the system, besides the standard's.
  libraries["core"] = "Eigen/Core Eigen/QR"
  libraries["simd"] = "immintrin.h arm_neon.h"
  libraries["system"] = "fcntl.h sys/file.h sys/stat.h unistd.h xmmintrin.h"
  libraries["train"] = "Eigen/Core sys/ioctl.h unistd.h"
  libraries["graph"] = "Eigen/Core cgraph.h gvc.h locale.h xlocale.h"
  libraries["mpi"] = "mpi.h"
  libraries["io"] = "Eigen/Core nlohmann/json.hpp"

  # Eigen's internal packets, and what names the instructions of one processor, are for simd/ alone.
  before = "(^|[^A-Za-z0-9_])"
  instructions = before "(Eigen::internal|_mm[0-9]*_[a-z]|__m(64|128|256|512)|__builtin_(ia32|shuffle|convertvector)" \
    "|v[a-z0-9_]+_[fpsu](8|16|32|64)([^A-Za-z0-9_]|$)|(float|int|uint)(8|16|32|64)x[0-9]+_t)"
  # These two set the control register, not a packet.
  control["elegans/system/denormals.hpp"] = "_mm_[gs]etcsr"

  # The headers that users include; every header must be reached from one of them.
  entries = "elegans.hpp model/embedded.hpp system/thread_pool.hpp graph/graph.hpp io/c_source.hpp io/checkpoint.hpp " \
    "io/model_file.hpp io/save_best.hpp io/sha256.hpp mpi/mpi.hpp"
  longest = 400
}

function complain(text) {
  print "includes: " text
  ++complaints
}

function folder_of(header,    parts) {
  split(header, parts, "/")
  # The folders within kernel/ and cell/ count by themselves.
  if (parts[4] != "" && (parts[2] == "kernel" || parts[2] == "cell")) return parts[2] "/" parts[3]
  return parts[2]
}

function is_in(word, words) { return index(" " words " ", " " word " ") > 0 }

function end_file() {
  if (file == "") return
  if (lines[file] > longest) complain(file " has " lines[file] " lines, at most " longest " are wanted")
  if (!has_pragma) complain(file " has no #pragma once")
  if (!has_spdx_copyright || !has_spdx_license) complain(file " has not the two SPDX lines")
}

FNR == 1 {
  end_file()
  file = FILENAME
  order[++files] = file
  has_pragma = has_spdx_copyright = has_spdx_license = 0
  if (!(folder_of(file) in may_include)) complain(file " is in a folder that the table does not have")
}
{ lines[file] = FNR }
FNR == 1 && /^\/\/ SPDX-FileCopyrightText: The elegans authors$/ { has_spdx_copyright = 1 }
FNR == 2 && /^\/\/ SPDX-License-Identifier: Apache-2\.0$/ { has_spdx_license = 1 }
/^#pragma once$/ { has_pragma = 1 }
/^ *# *include/ {
  target = $0
  if (target !~ /^#include <[^>]+>/) { complain(file ":" FNR ": includes are written #include <...>: " $0); next }
  sub(/^#include </, "", target)
  sub(/>.*/, "", target)
  if (target ~ /^elegans\//) {
    includes[file] = includes[file] " " target
    from = folder_of(file)
    to = folder_of(target)
    if (from != to) {
      if (from in may_include && !is_in(to, may_include[from])) {
        complain(file ":" FNR ": " from " may not include " to ": " target)
      }
      ++arrows[from " " to]
    }
  } else if (target !~ /^[a-z_0-9]+$/ && !is_in(target, libraries[folder_of(file)])) {
    complain(file ":" FNR ": " folder_of(file) " may not include <" target ">")
  }
}

{
  code = $0
  sub(/\/\/.*/, "", code)
  if (file in control) gsub(control[file], "", code)
  if (folder_of(file) != "simd" && match(code, instructions)) {
    complain(file ":" FNR ": only simd may use instructions of one processor or Eigen::internal: " $0)
  }
}

# Walks depth first. State 1: on the way to here; state 2: done.
function visit(header, way, parts, count, i) {
  if (!(header in lines)) {
    complain(header ", where users begin, is not there")
    return
  }
  state[header] = 1
  count = split(includes[header], parts, " ")
  for (i = 1; i <= count; ++i) {
    if (!(parts[i] in lines)) complain(header " includes " parts[i] ", which is not there")
    else if (state[parts[i]] == 1) complain("a cycle: " way " -> " parts[i])
    else if (!state[parts[i]]) visit(parts[i], way " -> " parts[i])
  }
  state[header] = 2
}

function draw(arrow, parts) {
  print "digraph elegans {"
  print "  rankdir=RL;"
  print "  node [shape=box, style=rounded, fontname=\"sans-serif\"];"
  print "  edge [fontname=\"sans-serif\", fontsize=10];"
  for (arrow in arrows) {
    split(arrow, parts, " ")
    if (parts[1] != "elegans.hpp") {
      print "  " parts[1] " -> " parts[2] " [label=" arrows[arrow] "];" | "sort"
    }
  }
  close("sort")
  print "}"
}

END {
  end_file()
  if (dot) {
    draw()
    exit
  }
  count = split(entries, entry, " ")
  for (i = 1; i <= count; ++i) visit("elegans/" entry[i], "elegans/" entry[i])
  for (i = 1; i <= files; ++i) {
    if (!state[order[i]]) {
      complain(order[i] " is reached from none of " entries)
      visit(order[i], order[i])
    }
  }
  if (complaints) exit 1
  print files " headers: no cycle, no arrow upwards, none above " longest " lines"
}
