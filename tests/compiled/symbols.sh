#!/usr/bin/env bash
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# symbols.sh NM OBJECT LEAST: the object file of a program that links to elegans::compiled leaves at least LEAST
# functions to the library, and has no copy of what only they call.
set -euo pipefail

nm=$1 object=$2 least=$3
symbols=$("$nm" -C "$object")
undefined=$(grep -c '^ *U .*elegans::' <<<"$symbols" || true)
if ((undefined < least)); then
  echo "$object leaves $undefined functions to the library, at least $least are wanted"
  exit 1
fi
others='Rollout|FitRun|BatchTrainer|Membrane|Block|ModelReader'
if grep -E "^[0-9a-f]+ [TtWV] .*elegans::detail::($others)(<.*)?::.*\(" <<<"$symbols"; then
  echo "$object has these functions, which are the library's"
  exit 1
fi
