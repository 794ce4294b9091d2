# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# Functions with which scripts install packages. To be sourced.

# install_packages NAME...: installs those packages of Debian or Ubuntu that are missing.
install_packages() {
  local missing=() sudo=()
  for package in "$@"; do
    dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
  done
  if ((!${#missing[@]})); then return 0; fi
  echo "-- Installing ${missing[*]}"
  if ((EUID != 0)); then sudo=(sudo); fi
  "${sudo[@]}" apt-get update -qq &&
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" \
      >/dev/null
}

# python_environment FOLDER [--system-site-packages] PACKAGE...: makes a virtual environment of the system's Python in
# FOLDER, with these packages from PyPI, unless FOLDER has just them already. The option also shows it the packages that
# the system has.
python_environment() {
  local folder=$1 options=()
  shift
  if [[ $(cat "$folder/installed" 2>/dev/null) == "$*" ]] && "$folder/bin/python" -c '' 2>/dev/null; then return 0; fi
  install_packages python3-venv || return 1
  local wanted="$*"
  if [[ $1 == --system-site-packages ]]; then
    options=("$1")
    shift
  fi
  echo "-- Installing $* from PyPI in $folder"
  /usr/bin/python3 -m venv --clear "${options[@]}" "$folder" &&
    "$folder/bin/pip" install --quiet --disable-pip-version-check "$@" && echo "$wanted" >"$folder/installed"
}
