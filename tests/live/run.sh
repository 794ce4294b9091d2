#!/usr/bin/env bash
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# run.sh PAGE NATIVE INSPECT_MODEL [PICTURES]: tests the page on which a network learns. In node, it must come to the
# losses of the program NATIVE. In Chromium, as wide as a desktop and as a telephone, it must learn, go on learning
# after a synapse is cut by the mouse and one by the keyboard's list, and save a model that INSPECT_MODEL reads.
# PICTURES is a folder for screenshots. Ends with 77 if there is no node; says so if there is no Chromium.
set -euo pipefail

page=$1 native=$2 inspect_model=$3 pictures=${4:-}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if ! command -v node >/dev/null; then
  echo "skipped: there is no node"
  exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$native" >"$scratch/losses"
node "$here/losses.mjs" "$page" "$scratch/losses"

size=$(gzip -9 -c "$page" | wc -c)
echo "the page has $size bytes, compressed"
((size <= 150000)) || { echo "at most 150,000 are wanted"; exit 1; }

if ! command -v chromium >/dev/null; then
  echo "not tested in a browser: there is no chromium"
  exit 0
fi
options=()
if ((EUID == 0)); then options+=(--no-sandbox); fi
timeout 120 node "$here/browser.mjs" "$page" "$here/page_test.js" "$scratch" "${options[@]}"
for name in desktop telephone; do
  "$inspect_model" "$scratch/$name.safetensors" >"$scratch/summary"
  grep -q LTC "$scratch/summary" || { cat "$scratch/summary"; exit 1; }
  if [[ $pictures ]]; then cp "$scratch/$name.png" "$pictures"; fi
done
