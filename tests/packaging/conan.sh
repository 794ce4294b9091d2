#!/usr/bin/env bash
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# conan.sh EIGEN VERSION JSON COMPILER [CONAN]: makes and tries Conan's package, without a network: the packages that it
# needs are made of the headers in EIGEN, of Eigen's VERSION, and in JSON. Skipped (77) where there is no Conan 2.
set -euo pipefail

eigen=$1 eigen_version=$2 json=$3 compiler=$4 conan=${5:-conan}
if ! "$conan" --version 2>/dev/null | grep -q "version 2"; then
  echo "skipped: there is no Conan 2 (pip install conan)"
  exit 77
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source=$(cd "$here/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export CONAN_HOME=$scratch/home CXX=$compiler

quietly() {
  "$@" >"$scratch/log" 2>&1 && return
  cat "$scratch/log"
  echo "failed: $*"
  exit 1
}
# headers NAME VERSION FOLDER CMAKE: makes a package of these headers; CMAKE is its name in CMake.
headers() {
  mkdir "$scratch/$1"
  cat >"$scratch/$1/conanfile.py" <<EOF
from conan import ConanFile
from conan.tools.files import copy


class Headers(ConanFile):
    name = "$1"
    version = "$2"
    package_type = "header-library"

    def package(self):
        copy(self, "*", "$3", self.package_folder + "/include")

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "${4%%::*}")
        self.cpp_info.set_property("cmake_target_name", "$4")
        self.cpp_info.bindirs = self.cpp_info.libdirs = []
EOF
  quietly "$conan" create "$scratch/$1" --no-remote
}

quietly "$conan" profile detect
# If two libraries share a folder, such as /usr/include, nothing tells their headers apart.
mkdir -p "$scratch/json"
ln -s "$json/nlohmann" "$scratch/json/nlohmann"
headers eigen "$eigen_version" "$eigen" Eigen3::Eigen
headers nlohmann_json 3.11.2 "$scratch/json" nlohmann_json::nlohmann_json

recipe=$source/cmake/packaging/conan
# Build it in its own folder.
cp -r "$recipe/test_package" "$scratch/test_package"
for with_io in False True; do
  echo "-- with_io=$with_io"
  quietly "$conan" create "$recipe" --no-remote -s compiler.cppstd=20 -o "elegans/*:with_io=$with_io" \
    --test-folder "$scratch/test_package"
  grep -E "a step gives|the same again" "$scratch/log"
done
if "$conan" create "$recipe" --no-remote -s compiler.cppstd=17 --test-folder= >"$scratch/log" 2>&1 ||
  ! grep -q "lower than the required C++ standard (20)" "$scratch/log"; then
  cat "$scratch/log"
  echo "C++17 should have been refused"
  exit 1
fi
version=$(sed -nE 's/#define ELEGANS_VERSION_(MAJOR|MINOR|PATCH) //p' "$source/include/elegans/core/version.hpp" | paste -sd.)
package=$("$conan" cache path "$("$conan" list "elegans/$version:*" --format=compact 2>/dev/null |
  grep -oE "elegans/$version#[0-9a-f]+:[0-9a-f]+" | head -n 1)")
(cd "$source/include" && find . -name '*.hpp' | sort) >"$scratch/wanted"
(cd "$package/include" && find . -type f | sort) >"$scratch/got"
quietly diff "$scratch/wanted" "$scratch/got"
cmp "$package/licenses/LICENSE" "$source/LICENSE"
echo "made, and a program built against it"
