#!/usr/bin/env bash
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# packages.sh CMAKE COMPILER: makes the Debian package and the archive, looks at what is in them, unpacks each and builds
# the project in tests/install/outside against it. Skipped (77) where there is no dpkg-deb.
set -euo pipefail

if ! command -v dpkg-deb >/dev/null; then
  echo "skipped: there is no dpkg-deb"
  exit 77
fi
cmake=$1 compiler=$2
cpack=$(dirname "$(command -v "$cmake")")/cpack
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source=$(cd "$here/../.." && pwd)
outside=$source/tests/install/outside
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
unset CXXFLAGS LDFLAGS CMAKE_BUILD_TYPE
export CXX=$compiler
if command -v ninja >/dev/null; then export CMAKE_GENERATOR=Ninja; fi

step() { printf '%s\n' "-- $*"; }
quietly() {
  "$@" >log 2>&1 && return
  cat log
  echo "failed: $*"
  exit 1
}
# Builds against the package that was unpacked in PREFIX, with find_package and with pkg-config.
usable() {
  local prefix=$1 name=$2
  quietly "$cmake" -S "$outside" -B "with-$name" -DHOW=find_package -DCMAKE_PREFIX_PATH="$prefix"
  grep -q "^elegans_DIR:PATH=$prefix/share/cmake/elegans$" "with-$name/CMakeCache.txt" || { echo "another elegans"; exit 1; }
  quietly "$cmake" --build "with-$name"
  quietly "with-$name/main"
  if command -v pkg-config >/dev/null; then
    local -x PKG_CONFIG_PATH=$prefix/share/pkgconfig
    local flags
    read -ra flags <<<"$(pkg-config --cflags --libs elegans)"
    quietly "$compiler" -std=c++20 "-DVERSION_OF_PACKAGE=\"$(pkg-config --modversion elegans)\"" "$outside/main.cpp" \
      -o main "${flags[@]}"
    quietly ./main
  fi
}
# contents PREFIX LICENCE: what a package must hold, and nothing else.
contents() {
  (cd "$source/include" && find . -name '*.hpp' -printf "$1/include/%P\n")
  printf "$1/share/%s\n" "doc/$2" pkgconfig/elegans.pc cmake/elegans/elegansGraphviz.cmake \
    cmake/elegans/elegans{Config,ConfigVersion,Targets,GraphTargets,IoTargets,MpiTargets}.cmake
}

step "make them"
# A package has other folders than an installation by hand.
quietly "$cmake" -S "$source" -B build -DELEGANS_BUILD_TESTS=OFF -DELEGANS_BUILD_EXAMPLES=OFF \
  -DELEGANS_BUILD_BENCHMARKS=OFF -DCMAKE_INSTALL_PREFIX="$scratch/not-here"
quietly "$cpack" --config build/CPackConfig.cmake -G "DEB;TGZ" -B made
version=$(sed -nE 's/#define ELEGANS_VERSION_(MAJOR|MINOR|PATCH) //p' "$source/include/elegans/core/version.hpp" | paste -sd.)
deb=made/libelegans-dev_${version}_all.deb
archive=made/elegans-$version.tar.gz

step "the Debian package"
dpkg-deb -I "$deb"
field() {
  local got
  got=$(dpkg-deb -f "$deb" "$1")
  [[ $got == "$2"* ]] || { echo "its $1 is '$got', not '$2'"; exit 1; }
}
field Package libelegans-dev
field Version "$version"
field Architecture all
field Depends "libeigen3-dev (>= 3.4)"
field Maintainer "The elegans authors"
field Section libdevel
field Description "Neural circuit policies in C++20"
dpkg-deb -c "$deb" | awk '$1 !~ /^d/ { print $6 }' | sort >got
contents ./usr libelegans-dev/copyright | sort >wanted
quietly diff wanted got
if dpkg-deb -c "$deb" | grep -vE '^(drwxr-xr-x|-rw-r--r--) root/root '; then
  echo "these have the wrong owner or mode"
  exit 1
fi
dpkg-deb -x "$deb" root
grep -q "^License: Apache-2.0$" root/usr/share/doc/libelegans-dev/copyright
usable "$scratch/root/usr" deb

step "the archive"
tar -tzf "$archive" | grep -v '/$' | sort >got
contents "elegans-$version" elegans/LICENSE | sort >wanted
quietly diff wanted got
tar -xzf "$archive"
cmp "elegans-$version/share/doc/elegans/LICENSE" "$source/LICENSE"
usable "$scratch/elegans-$version" archive
if grep -rlF -e "$scratch" -e "$source" root "elegans-$version"; then
  echo "these files hold a path of this machine"
  exit 1
fi
echo "both hold what they should, and can be used"
