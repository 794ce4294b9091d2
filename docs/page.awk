# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# Doxygen's input filter for pages. The pages are plain Markdown, so that they read well in a repository's viewer; this
# adds what Doxygen wants:
# - Each heading gets a label, made from the page and from the anchor that a viewer gives the heading. Each link to
#   a page or heading then becomes a reference to its label.
# - Each page but the first gets a table of contents.
# - A comment `<!-- doxygen TEXT -->` becomes TEXT: pictures that the manual's build draws, for example.

# The anchor that a viewer gives a heading.
function anchor_of(title) {
  title = tolower(title)
  gsub(/[^a-z0-9 _-]/, "", title)
  gsub(/ /, "-", title)
  return title
}

# `concepts` is Doxygen's own name for its list of C++ concepts.
function label_of(page, anchor, label) {
  label = page == "index" ? "manual" : page == "concepts" ? "ideas" : page
  if (anchor == "") return label
  gsub(/-/, "_", anchor)
  return label "_" anchor
}

# Turns `](PAGE.md#ANCHOR)` into `](@ref LABEL)`. A link to a file outside the manual keeps its text alone.
function with_references(line, result, target, parts, from) {
  result = ""
  while (match(line, /\]\([^)]*\)/)) {
    target = substr(line, RSTART + 2, RLENGTH - 3)
    if (target ~ /^\.\.\//) {
      from = substr(line, 1, RSTART - 1)
      sub(/\[[^[]*$/, "", from)
      result = result from substr(line, length(from) + 2, RSTART - length(from) - 2)
    } else if (target ~ /^([a-z_]+\.md(#.*)?|#.*)$/) {
      split(target, parts, "#")
      sub(/\.md$/, "", parts[1])
      result = result substr(line, 1, RSTART + 1) "@ref " label_of(parts[1] == "" ? page : parts[1], parts[2]) ")"
    } else {
      result = result substr(line, 1, RSTART + RLENGTH - 1)
    }
    line = substr(line, RSTART + RLENGTH)
  }
  return result line
}

FNR == 1 { page = FILENAME; gsub(/^.*\/|\.md$/, "", page) }
/^```/ { in_listing = !in_listing }
/^<!-- (cpp|python)$/ { in_listing = 1 }
/^-->$/ { in_listing = 0 }
in_listing { print; next }
/^# / {
  print $0 " {#" label_of(page) "}"
  if (page != "index") print "\n[TOC]"
  next
}
/^##+ / {
  title = $0
  sub(/^#+ /, "", title)
  print $0 " {#" label_of(page, anchor_of(title)) "}"
  next
}
/^<!-- doxygen .* -->$/ {
  sub(/^<!-- doxygen /, "")
  sub(/ -->$/, "")
}
# A picture beside the pages.
/^!\[[^]]*\]\([^)]*\)$/ {
  caption = picture = $0
  sub(/^!\[/, "", caption)
  sub(/\]\(.*$/, "", caption)
  sub(/^.*\]\(/, "", picture)
  sub(/\)$/, "", picture)
  print "\\image html " picture " \"" caption "\" width=720px"
  next
}
{ print with_references($0) }
