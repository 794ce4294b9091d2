# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# LC_ALL=C awk -f pages.awk PAGE...
#
# Fails where a page would read badly in a repository's viewer: a link or picture that leads nowhere, a command that
# only Doxygen understands, a line of more than 120 characters (comments and the output of programs may be longer).
# Reads all pages twice, the first time for their headings.

BEGIN {
  count = ARGC - 1
  for (i = 1; i <= count; ++i) ARGV[ARGC++] = ARGV[i]
}

function complain(what) {
  print FILENAME ":" FNR ": " what
  ++faults
}

function exists(path, line, code) {
  code = (getline line < path)
  close(path)
  return code >= 0
}

# PATH without `folder/..`.
function plain(path) {
  while (sub(/[^\/.]+\/\.\.\//, "", path)) {}
  return path
}

function check_link(target, path, parts) {
  if (target ~ /^[a-z]+:/) return
  split(target, parts, "#")
  path = parts[1] == "" ? FILENAME : plain(folder parts[1])
  if (!exists(path)) {
    complain("no file " path)
  } else if (parts[2] != "" && !((path "#" parts[2]) in heading)) {
    complain("no heading " parts[2] " in " path)
  }
}

FNR == 1 {
  ++pages
  folder = FILENAME
  sub(/[^\/]*$/, "", folder)
}
/^ *```/ { in_listing = !in_listing }
/^<!-- (cpp|python)$/ { in_listing = 1 }
/^-->$/ { in_listing = 0 }
pages <= count {
  if (!in_listing && /^##+ /) {
    anchor = tolower($0)
    sub(/^#+ /, "", anchor)
    gsub(/[^a-z0-9 _-]/, "", anchor)
    gsub(/ /, "-", anchor)
    heading[FILENAME "#" anchor] = 1
  }
  next
}
{
  characters = $0
  gsub(/[\200-\277]/, "", characters)
  if (length(characters) > 120 && $0 !~ /^(<!-- |    )/) complain(length(characters) " characters")
}
in_listing || /^    / || /^<!-- / { next }
{
  gsub(/`[^`]*`/, "")
  if (/\\ref|@ref|\[TOC\]|\\image|\{#/) complain("only Doxygen understands this")
  rest = $0
  while (match(rest, /\]\([^)]*\)/)) {
    check_link(substr(rest, RSTART + 2, RLENGTH - 3))
    rest = substr(rest, RSTART + RLENGTH)
  }
  if (match($0, /src="[^"]*"/)) check_link(substr($0, RSTART + 5, RLENGTH - 6))
}
END {
  if (!faults && pages != 2 * count) {
    print "a page is empty"
    faults = 1
  }
  exit faults > 0
}
