# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# awk -f listings.awk PAGE... > listings.cpp
#
# Makes one program of the manual's C++ listings. The listings of a section follow each other in one function. A page
# that says `<!-- one program -->` has one function for all of its listings. A listing that begins with class, struct or
# template stands outside of functions.
#
# Comments hold code that readers need not see: `<!-- cpp`, a listing, `-->`. `<!-- check CONDITION -->` fails the test
# if the condition does not hold at that place. A listing after `<!-- file NAME -->` is a file of its own, which
# shell.awk writes.

function flush() {
  if (body == "") return
  ++functions
  functions_text = functions_text "\nvoid section_" functions "() {\n" body "}\n"
  calls = calls "  run(\"" title "\", section_" functions ");\n"
  body = ""
}

function end_listing() {
  if (outside) functions_text = functions_text listing
  else body = body listing
  in_listing = 0
}

function begin_listing() {
  in_listing = 1
  outside = 0
  listing = ""
  first = 1
}

FNR == 1 { flush(); one_program = 0; page = FILENAME; sub(/^.*\//, "", page); title = page }
/^<!-- one program -->/ { one_program = 1; next }
!in_listing && /^## / && !one_program {
  flush()
  title = page ": " substr($0, 4)
  sub(/ *\{#.*/, "", title)
  next
}
/^<!-- file .* -->$/ { is_file = 1; next }
!in_listing && is_file && /^```/ { if (/^```$/) is_file = 0; next }
!in_listing && !is_file && (/^```cpp$/ || /^<!-- cpp$/) { begin_listing(); next }
in_listing && (/^```$/ || /^-->$/) { end_listing(); next }
in_listing && /^#include/ {
  # Graphviz' headers come last, as they declare names as short as `path`, which others shadow.
  if (!($0 in included)) {
    if (/graph/) last = last $0 "\n"
    else includes = includes $0 "\n"
  }
  included[$0] = 1
  next
}
in_listing {
  if (first && /[^ ]/) {
    outside = /^(class|struct|template)/
    listing = "#line " FNR " \"" FILENAME "\"\n"
    first = 0
  }
  listing = listing $0 "\n"
  next
}
/^<!-- check / {
  condition = $0
  sub(/^<!-- check /, "", condition)
  sub(/ *-->$/, "", condition)
  body = body "#line " FNR " \"" FILENAME "\"\n" "MANUAL_CHECK((" condition "));\n"
  ++checks
}

END {
  flush()
  print "#include <cmath>\n#include <cstdio>\n#include <exception>\n#include <filesystem>\n#include <iostream>\n"
  print "#include <elegans/elegans.hpp>"
  print includes last
  print "namespace {\n\nint failures = 0;\n"
  print "#define MANUAL_CHECK(condition)                                             \\"
  print "  do {                                                                      \\"
  print "    if (!condition) {                                                       \\"
  print "      ++failures;                                                           \\"
  print "      std::printf(\"%s:%d: does not hold: %s\\n\", __FILE__, __LINE__, #condition); \\"
  print "    }                                                                       \\"
  print "  } while (false)"
  print "\nvoid run(const char* title, void (*section)()) {"
  print "  std::cout << \"--- \" << title << std::endl;"
  print "  try {\n    section();\n  } catch (const std::exception& error) {"
  print "    ++failures;\n    std::printf(\"%s: %s\\n\", title, error.what());\n  }"
  print "  std::cout << std::endl;\n}"
  print functions_text
  print "}  // namespace\n\nint main() {\n" calls "  std::printf(\"%d of " checks + 0 " checks fail\\n\", failures);\n  return failures == 0 ? 0 : 1;\n}"
}
