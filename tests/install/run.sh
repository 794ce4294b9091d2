#!/usr/bin/env bash
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# run.sh [CMAKE [COMPILER]]: installs the library, moves it, and builds the project in outside/ against it in all the
# ways a user may: find_package, add_subdirectory, FetchContent, pkg-config; alone and beside another user of Eigen.
set -euo pipefail

cmake=${1:-cmake}
compiler=${2:-${CXX:-c++}}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source=$(cd "$here/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# An outside user does not have the environment of the caller's build.
unset CXXFLAGS LDFLAGS CMAKE_BUILD_TYPE
export CXX=$compiler
if command -v ninja >/dev/null; then export CMAKE_GENERATOR=Ninja; fi

step() { printf '%s\n' "-- $*"; }
quietly() {
  "$@" >"$scratch/log" 2>&1 && return
  cat "$scratch/log"
  echo "failed: $*"
  exit 1
}

step "install, then move the prefix"
quietly "$cmake" -S "$source" -B "$scratch/build" -DELEGANS_BUILD_TESTS=OFF -DELEGANS_BUILD_EXAMPLES=OFF \
  -DELEGANS_BUILD_BENCHMARKS=OFF -DCMAKE_INSTALL_PREFIX="$scratch/first"
quietly "$cmake" --build "$scratch/build"
quietly "$cmake" --install "$scratch/build"
mkdir "$scratch/elsewhere"
mv "$scratch/first" "$scratch/elsewhere/second"
prefix=$scratch/elsewhere/second
if grep -rlF -e "$scratch" -e "$source" "$prefix"; then
  echo "these files hold a path of this machine"
  exit 1
fi
(cd "$source/include" && find . -name '*.hpp' | sort) >"$scratch/wanted"
(cd "$prefix/include" && find . -type f | sort) >"$scratch/got"
quietly diff "$scratch/wanted" "$scratch/got"

# outside NAME [CMake arguments...]: configures, builds and runs everything.
outside() {
  local build=$scratch/$1
  shift
  quietly "$cmake" -S "$here/outside" -B "$build" -DCMAKE_PREFIX_PATH="$prefix" -DELEGANS_SOURCE="$source" "$@"
  # The library itself may be compiled for shared objects; its users may not be.
  if grep -v elegans_compiled.dir "$build/compile_commands.json" | grep -E ' -(O|march|f|W)[^ ]* '; then
    echo "these flags come from the library"
    exit 1
  fi
  quietly "$cmake" --build "$build"
  for program in main graph io mpi compiled; do
    if [[ -x $build/$program ]]; then quietly "$build/$program"; fi
  done
}
# refused NAME TEXT [CMake arguments...]: the package must not be found, and say TEXT.
refused() {
  local build=$scratch/$1 text=$2
  shift 2
  if "$cmake" -S "$here/outside" -B "$build" -DCMAKE_PREFIX_PATH="$prefix" -DHOW=find_package "$@" >"$scratch/log" 2>&1 ||
    ! tr -s '\n ' ' ' <"$scratch/log" | grep -qF -- "$text"; then
    cat "$scratch/log"
    echo "should have been refused with '$text'"
    exit 1
  fi
}

for how in find_package add_subdirectory FetchContent; do
  step "$how"
  outside "$how" -DHOW=$how
  step "$how, beside another user of Eigen, with components"
  outside "$how-components" -DHOW=$how -DOTHER_EIGEN_USER=ON "-DCOMPONENTS=graph;io"
done

if command -v mpicxx >/dev/null; then
  step "find_package, with MPI"
  outside mpi -DHOW=find_package -DCOMPONENTS=mpi
fi

step "find_package, when something is missing"
outside bare -DHOW=find_package -DCMAKE_DISABLE_FIND_PACKAGE_nlohmann_json=ON
refused no-eigen "Eigen3" -DCMAKE_DISABLE_FIND_PACKAGE_Eigen3=ON
refused no-json "its component io needs nlohmann_json" -DCOMPONENTS=io -DCMAKE_DISABLE_FIND_PACKAGE_nlohmann_json=ON
refused no-graphviz "its component graph needs Graphviz" -DCOMPONENTS=graph -DELEGANS_GRAPHVIZ_GVC:STRING=FALSE
refused no-mpi "its component mpi needs MPI" -DCOMPONENTS=mpi -DCMAKE_DISABLE_FIND_PACKAGE_MPI=ON
refused no-library "installed without its component compiled" -DCOMPONENTS=compiled
refused unknown "no component nonsense" -DCOMPONENTS=nonsense

step "the compiled library"
# Without optimization: this is about where the library is found.
quietly "$cmake" -S "$source" -B "$scratch/build" -DELEGANS_BUILD_COMPILED=ON -DCMAKE_BUILD_TYPE=Debug \
  -DCMAKE_INSTALL_PREFIX="$scratch/third"
quietly "$cmake" --build "$scratch/build"
quietly "$cmake" --install "$scratch/build"
mv "$scratch/third" "$scratch/elsewhere/fourth"
outside compiled -DHOW=find_package -DCOMPONENTS=compiled -DCMAKE_PREFIX_PATH="$scratch/elsewhere/fourth"
step "find_package, by version"
version=$(sed -nE 's/#define ELEGANS_VERSION_(MAJOR|MINOR) //p' "$source/include/elegans/core/version.hpp" | paste -sd.)
outside version -DHOW=find_package -DVERSION_WANTED="$version"
refused later-version "not found" -DVERSION_WANTED="${version%.*}.$((${version#*.} + 1))"
refused later-major "not found" -DVERSION_WANTED=$((${version%.*} + 1)).0

if command -v pkg-config >/dev/null; then
  step "pkg-config"
  export PKG_CONFIG_PATH=$prefix/share/pkgconfig
  read -ra flags <<<"$(pkg-config --cflags --libs elegans)"
  quietly "$compiler" -std=c++20 "-DVERSION_OF_PACKAGE=\"$(pkg-config --modversion elegans)\"" "$here/outside/main.cpp" \
    -o "$scratch/program" "${flags[@]}"
  quietly "$scratch/program"
fi
echo "all of them found, built and ran"
