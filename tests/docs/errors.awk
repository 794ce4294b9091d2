# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# awk -f errors.awk TESTS docs/errors.md SOURCE...
#
# Checks the tables of docs/errors.md: each test that a row names is a file in TESTS, and the parts of each message
# between … stand in the sources as they are.

BEGIN {
  tests = ARGV[1]
  page = ARGV[2]
  delete ARGV[1]
}

function complain(what) {
  print page ": " what
  ++faults
}

# The sources' string literals; one that goes on in the next line is joined.
FILENAME != page {
  line = $0
  sub(/^ +/, "", line)
  if (line ~ /^"/ && text ~ /"$/) {
    text = substr(text, 1, length(text) - 1) substr(line, 2)
  } else {
    text = text "\n" line
  }
  next
}
/^\|/ && !/^\| (what comes in|promise|---)/ {
  rows[++count] = $0
}

END {
  for (i = 1; i <= count; ++i) {
    columns = split(rows[i], column, " \\| ")
    named = split(column[columns], file, "`")
    if (named < 3) complain("no test in: " rows[i])
    for (k = 2; k <= named; k += 2) {
      if ((getline line < (tests "/" file[k])) < 0) complain("no file " file[k])
      close(tests "/" file[k])
    }
    if (columns < 3) continue
    message = column[2]
    gsub(/`/, "", message)
    parts = split(message, part, "…")
    for (k = 1; k <= parts; ++k) {
      if (!index(text, part[k])) complain("no message has \"" part[k] "\": " rows[i])
    }
  }
  if (count < 40) complain("only " count " rows")
  exit faults > 0
}
