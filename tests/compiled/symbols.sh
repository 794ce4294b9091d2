#!/usr/bin/env bash
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# symbols.sh NM OBJECT: the object file of a program that links to elegans::compiled refers to the library's functions,
# and has no copy of them or of what only they call.
set -euo pipefail

nm=$1 object=$2
symbols=$("$nm" -C "$object")
undefined=$(grep -c '^ *U .*elegans::' <<<"$symbols" || true)
# For each of eight models: construction, destruction, outputs, forward, backward, fit and summary.
if ((undefined < 56)); then
  echo "$object leaves $undefined functions to the library, at least 56 are wanted"
  exit 1
fi
if grep -E '^[0-9a-f]+ [TtWV] .*elegans::detail::(Rollout|FitRun|BatchTrainer|Membrane|Block)<.*\(' <<<"$symbols"; then
  echo "$object has these functions, which are the library's"
  exit 1
fi
