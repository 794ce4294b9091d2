#!/usr/bin/env bash
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# run.sh PROGRAMS MODELS COMPILER [ARGUMENTS...]: exports models, compiles the headers without exceptions and RTTI,
# and compares their outputs with those of run_model to the last bit. MODELS is the program models.cpp.
set -euo pipefail

programs=$1 models=$2 compiler=$3
shift 3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
data=$here/../data
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
cp "$data"/*.safetensors .
"$models" .

# exported FILE INPUTS PRECISION [OPTIONS...]
exported() {
  local file=$1.safetensors inputs=$2 precision=$3
  shift 3
  awk -v n="$inputs" 'BEGIN { srand(7); for (t = 0; t < 50; ++t) for (i = 0; i < n; ++i)
    printf "%.6f%s", 2 * rand() - 1, i + 1 < n ? "," : "\n" }' >x.csv
  awk 'BEGIN { srand(8); for (t = 0; t < 50; ++t) printf "%.6f\n", 2 * rand() }' >t.csv
  "$programs/export_header" "$file" --out model.hpp --precision "$precision" "$@"
  "$compiler" "${flags[@]}" -fno-exceptions -fno-rtti -Wall -Wextra -Wpedantic -Wconversion -Wshadow \
    -Wno-sign-conversion -Werror -I. "$here/main.cpp" -Wl,--wrap=malloc -o program
  paste -d, x.csv t.csv | ./program >got.csv
  "$programs/run_model" "$file" --input x.csv --timespans t.csv --precision "$precision" "$@" >wanted.csv
  cmp got.csv wanted.csv
  if grep detail model.hpp; then echo "an exported header must not use elegans::detail"; exit 1; fi
  echo "$(basename "$file") in $precision: the same to the last bit, no allocation"
}
flags=("$@")
exported ltc_sine_auto_ncp 2 float --constraints explicit
exported ltc_nomap 3 double --constraints explicit --outputs 2 --ode-unfolds 3
exported ltc_linear 3 float
exported ltc_mixed 4 float
exported cfc_default 4 float
exported cfc_pure 4 double
exported cfc_wired_auto_mixed 4 double
exported cfc_proj 3 float
exported stack 3 float
exported stack 3 double
exported gated 3 float
exported gated 3 double
exported lstm 3 float
exported gru 3 double

refused() {  # refused TEXT ARGUMENTS...
  local text=$1
  shift
  if "$programs/export_header" "$@" 2>err; then echo "not refused: $*"; exit 1; fi
  grep -qF -- "$text" err || { cat err; exit 1; }
}
refused "--name" "$data/ltc_linear.safetensors" --out no.hpp --name 2x
for name in class double co_await std elegans main exp tanhf gamma y0 index div malloc time NAN size_t __x _X ''; do
  refused "--name" "$data/ltc_linear.safetensors" --out no.hpp --name "$name"
done
# Names that look like reserved ones, but are free.
for name in model expo tanhfl leaf Cell Model Scalar final import; do
  "$programs/export_header" "$data/ltc_linear.safetensors" --out "$name.hpp" --name "$name"
done
refused "cannot read nothing" nothing --out no.hpp
refused "the layer bidirectional (Bidirectional) needs the whole sequence" bidirectional.safetensors --out no.hpp
test ! -e no.hpp
