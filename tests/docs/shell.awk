# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# awk -f shell.awk PAGE... > shell.bash
#
# Makes a script of the manual's shell commands: indented lines that begin with `$`, each followed by its expected
# output. A line `…` stands for any further output. A listing after `<!-- file NAME -->` is written to that file first.
# shell.sh runs the script.

function end_command() {
  if (in_command) print "END_OF_OUTPUT"
  in_command = 0
}

FNR == 1 { end_command(); in_file = 0; name = "" }
/^<!-- file .* -->$/ {
  name = $3
  next
}
name != "" && !in_file && /^```c(pp)?$/ {
  print "cat >" name " <<'END_OF_FILE'"
  in_file = 1
  next
}
in_file && /^```$/ {
  print "END_OF_FILE"
  in_file = 0
  name = ""
  next
}
in_file { print; next }
/^    \$ / {
  end_command()
  command = substr($0, 7)
  gsub(/'/, "'\\''", command)
  print "gives '" command "' <<'END_OF_OUTPUT'"
  in_command = 1
  next
}
in_command && /^    / { print substr($0, 5); next }
{ end_command() }
END { end_command() }
