#!/usr/bin/env bash
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# c.sh PROGRAMS: exports models to C with every arithmetic and package. `--check` compiles and runs them.
set -euo pipefail

programs=$1
data=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/../data
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
awk 'BEGIN { srand(7); for (t = 0; t < 50; ++t) printf "%.4f,%.4f\n", 2 * rand() - 1, 2 * rand() - 1 }' >x2.csv
paste -d, x2.csv x2.csv >x4.csv
cut -d, -f1-3 x4.csv >x3.csv

# within LARGEST MODEL INPUTS OPTIONS...: the C differs from the model by at most LARGEST.
within() {
  local largest=$1 model=$2 inputs=$3 difference
  shift 3
  difference=$("$programs/export_c" "$data/$model.safetensors" --out net --self-test --check "$inputs" "$@" |
    sed -n 's/.*from them: \([^ ]*\) .*/\1/p')
  awk -v got="$difference" -v largest="$largest" 'BEGIN { exit !(got != "" && got <= largest) }' ||
    { echo "$model $*: differs by $difference, not by $largest"; exit 1; }
}
within 2e-6 ltc_sine_auto_ncp x2.csv
within 1e-6 ltc_sine_auto_ncp x2.csv --elapsed-time 1 --arithmetic q31
within 5e-4 ltc_sine_auto_ncp x2.csv --elapsed-time 1 --arithmetic q15
within 5e-4 ltc_sine_auto_ncp x2.csv --elapsed-time 1 --arithmetic q15 --sigmoid table
within 5e-4 ltc_sine_auto_ncp x2.csv --elapsed-time 0.01 --arithmetic q15 --input-range 8
within 2e-2 cfc_no_backbone x3.csv --elapsed-time 1 --arithmetic int8
within 2e-3 cfc_default x4.csv --elapsed-time 1 --arithmetic q15

refused() {  # refused TEXT ARGUMENTS...
  local text=$1
  shift
  if "$programs/export_c" "$data/ltc_sine_auto_ncp.safetensors" "$@" 2>err; then echo "not refused: $*"; exit 1; fi
  grep -qF -- "$text" err || { cat err; exit 1; }
}
refused "q31, q15 and int8 need a fixed elapsed_time" --out no --arithmetic q15
refused "--arithmetic" --out no --arithmetic q7
refused "--input-range" --out no --input-range -1
test ! -e no.h

for package in arduino zephyr idf; do
  mkdir -p "$package/motor"
  for again in 1 2; do
    "$programs/export_c" "$data/ltc_sine_auto_ncp.safetensors" --out "$package/motor/motor" --package "$package"
  done
done
grep -qx 'includes=motor.h' arduino/motor/library.properties
grep -qx 'architectures=\*' arduino/motor/library.properties
grep -qx '  cmake: zephyr' zephyr/motor/zephyr/module.yml
grep -qx 'zephyr_library_sources(../motor.c)' zephyr/motor/zephyr/CMakeLists.txt
grep -qx 'idf_component_register(SRCS "motor.c" INCLUDE_DIRS ".")' idf/motor/CMakeLists.txt
test -s idf/motor/idf_component.yml

# A file of somebody else stays.
echo 'project(mine)' >CMakeLists.txt
refused "is there and not of export_c" --out no --package idf
test ! -e no.h
grep -qx 'project(mine)' CMakeLists.txt
