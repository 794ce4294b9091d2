# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# awk -f python.awk PAGE... > listings.py
#
# Collects the Python listings of the pages, one after the other. Comments hold code that readers need not see:
# `<!-- python`, code, `-->`. A listing after `<!-- not run: WHY -->` is left out. tests/interop/run runs the result
# with the real ncps.

/^<!-- not run: .* -->$/ { skip = 1; next }
!in_listing && (/^```python$/ || /^<!-- python$/) {
  in_listing = 1
  print "# " FILENAME ":" FNR
  next
}
in_listing && (/^```$/ || /^-->$/) { in_listing = skip = 0; next }
in_listing && !skip { print; ++lines }
END { print "print(\"" lines + 0 " lines of the manual run\")" }
