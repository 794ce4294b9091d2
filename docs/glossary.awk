# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# awk -f glossary.awk glossary.txt HEADER
#
# Doxygen's input filter for headers. Members that mean the same in every class (units, Scalar, batch, …) have no
# docstring in the headers, where it would repeat the name. The reference gets one from the glossary. A member with a
# docstring keeps it, and every line keeps its number. An overload for temporaries gets a docstring of its own.

FNR == NR {
  if ($0 ~ /^[^#]/) {
    tab = index($0, "\t")
    meaning[substr($0, 1, tab - 1)] = substr($0, tab + 1)
  }
  next
}

{ line[++count] = $0; file = FILENAME }

# The name that a declaration declares.
function name_of(text) {
  sub(/^ +/, "", text)
  if (text ~ /operator\(\)/) return "operator()"
  if (text ~ /operator\[\]/) return "operator[]"
  if (text ~ /operator=\(/) return "operator="
  if (text ~ /^requires/) sub(/^.* constexpr /, "", text)
  sub(/^(class|struct) /, "", text)
  gsub(/\[\[[a-z]+\]\]/, "", text)
  sub(/[({=;].*$/, "", text)
  sub(/ +$/, "", text)
  sub(/^.*[^A-Za-z0-9_]/, "", text)
  return text
}

END {
  sub(/^.*\/include\/elegans\//, "", file)
  in_class = 0
  for (i = 1; i <= count; ++i) {
    text = line[i]
    if (i == 1) text = "/** \\file */"  # lists the header in the reference
    if (text ~ /^[A-Za-z]+\(.*\) *->/) text = ""  # a deduction guide
    if (text ~ /^(class|struct) [^;]*$/) in_class = 1  # the line may end before the brace, or in a comment
    if (text ~ /^};/) in_class = 0
    # Protected members are documented only in the bases from which a user may derive.
    if (text ~ /^ protected:/ && file !~ /^(wiring\/wiring|train\/optimizer_base)\.hpp$/) text = " private:"

    member = in_class && text ~ /^  [A-Za-z_[~]/
    if ((member || text ~ /^(template|class|struct) /) && line[i - 1] !~ /^ *(\/\/\/|template|requires)/ &&
        text !~ /\/\/\/</) {
      at = i
      while (line[at] ~ /^ *template / && at < count) ++at
      name = name_of(line[at])
      meaning_here = line[at] ~ /\) const&& / ? "Of a temporary: a copy, because a view would outlive it." : ""
      key = (file ":" name) in meaning ? file ":" name : name
      if (meaning_here == "" && key in meaning) meaning_here = meaning[key]
      if (meaning_here != "") {
        match(text, /^ */)
        text = substr(text, 1, RLENGTH) "/** " meaning_here " */ " substr(text, RLENGTH + 1)
      }
    }
    if (text ~ /^#define [A-Z_]+ / && (split(text, word, " ") && word[2] in meaning)) {
      text = text " /**< " meaning[word[2]] " */"
    }
    # Otherwise Doxygen would take a docstring below a trailing one for its continuation.
    if (text ~ /[^ ].*\/\/\/< / && line[i + 1] ~ /^ *\/\/\/ /) {
      sub(/\/\/\/< /, "/**< ", text)
      text = text " */"
    }
    print text
  }
}
