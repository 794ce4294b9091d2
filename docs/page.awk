# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# Doxygen's input filter of pages: one whose title has no label gets its file's name for one.
FNR == 1 && /^# / && !/\{#/ {
  label = FILENAME
  gsub(/^.*\/|\.md$/, "", label)
  $0 = $0 " {#" label "}"
}
{ print }
