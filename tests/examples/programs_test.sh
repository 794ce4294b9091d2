#!/usr/bin/env bash
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# programs_test.sh FOLDER: runs the example programs as a user would, and with calls that make no sense.
set -uo pipefail

# shellcheck source=tests/examples/support.sh
source "$(dirname "${BASH_SOURCE[0]}")/support.sh"

sine=$programs/sine_wave
"$sine" --out "$scratch/sine" >"$scratch/sine.txt"
check "sine_wave says the sparsity" grep -q '82.81%' "$scratch/sine.txt"
check "sine_wave says 350 parameters" grep -q 'Total params: 350' "$scratch/sine.txt"
for file in data.csv losses.csv prediction_{fully_connected,ncp,random}.csv wiring_{fully_connected,ncp,random}.{dot,svg,png}; do
  check "sine_wave writes $file" test -s "$scratch/sine/$file"
done
if command -v gnuplot >/dev/null; then
  for file in training_data loss_{one,two,three} prediction_{before,after}_{fully_connected,ncp,random}; do
    check "sine_wave plots $file.png" test -s "$scratch/sine/$file.png"
  done
fi
check "losses.csv has a line an epoch" test "$(wc -l <"$scratch/sine/losses.csv")" = 401
check "the fully-connected and the NCP network learn" awk -F, 'END { exit !($2 < 0.01 && $3 < 0.01) }' "$scratch/sine/losses.csv"
check "no file is left unfinished" test -z "$(find "$scratch/sine" -name '*unfinished*')"
check "no epochs still write everything" "$sine" --epochs 0 --quiet --out "$scratch/none"
PATH=/nowhere "$sine" --epochs 1 --out "$scratch/bare" >"$scratch/bare.txt"
check "without gnuplot, sine_wave says so" grep -q 'no gnuplot' "$scratch/bare.txt"
check "without gnuplot, the numbers are there" test -s "$scratch/bare/losses.csv"
exits 2 "--wiring" "$sine" --wiring none
exits 2 "--epochs" "$sine" --epochs -1
exits 2 "--epochs" "$sine" --epochs many
exits 2 "--seed = -1, which is not a number or out of range" "$sine" --seed -1
exits 1 "cannot make the folder" "$sine" --out /dev/null/here --quiet
exits 1 "the loss became" "$sine" --learning-rate 1e30 --quiet --out "$scratch/diverged"

graph=$programs/wiring_graph
"$graph" auto_ncp --json - >"$scratch/ncp.json"
check "wiring_graph writes JSON" grep -q '"synapse_count":11,"sensory_synapse_count":6' "$scratch/ncp.json"
"$graph" auto_ncp --dot "$scratch/a.dot" --svg "$scratch/a.svg" --png "$scratch/a.png"
"$graph" auto_ncp --dot "$scratch/b.dot" --svg "$scratch/b.svg"
check "the same wiring gives the same DOT" cmp "$scratch/a.dot" "$scratch/b.dot"
check "the same wiring gives the same SVG" cmp "$scratch/a.svg" "$scratch/b.svg"
"$graph" auto_ncp >"$scratch/c.dot"
check "DOT goes to standard output by default" cmp "$scratch/a.dot" "$scratch/c.dot"
check "ncp takes its sizes" "$graph" ncp --inter 12 --command 8 --motor 2 --sensory-fanout 4 --inter-fanout 4 \
  --recurrent-command-synapses 4 --motor-fanin 6 --dot "$scratch/d.dot"
check "ncp takes several inter layers" "$graph" ncp --inter 12,8 --inter-fanout 3,2 --command 6 --json "$scratch/layers.json"
check "their sizes add up" grep -q '"units":27,' "$scratch/layers.json"
check "--inter may be given twice" "$graph" --inter 12 --inter 8 --inter-fanout 3,2 --command 6 ncp --json "$scratch/twice.json"
check "to the same effect" cmp "$scratch/layers.json" "$scratch/twice.json"
exits 1 "inter_fanout[1] must be in [0, command_neurons = 3], got 4" "$graph" ncp --inter 12,8 --inter-fanout 3,4
exits 2 "KIND" "$graph"
exits 2 "KIND" "$graph" ring
exits 2 "--inter" "$graph" random --inter 3
exits 2 "--sparsity" "$graph" fully_connected --sparsity 0.5
exits 1 "got 7" "$graph" auto_ncp --outputs 7
exits 1 "got 0" "$graph" random --units 0
exits 1 "1000000000" "$graph" fully_connected --units 1000000000
for kind in fully_connected random ncp auto_ncp; do exits 1 "got -1" "$graph" "$kind" --seed -1; done
exits 2 "--seed = 99999999999999999999, which is not a number or out of range" "$graph" random --seed 99999999999999999999
exits 2 "--units = 99999999999, which is not a number or out of range" "$graph" random --units 99999999999
exits 2 "--units = many, which is not a number or out of range" "$graph" random --units many
for number in 010 0x10 8.0 "" " 8"; do exits 2 "not a number or out of range" "$graph" random --units "$number"; done
exits 1 "wiring_graph: the seed must be at least 0, got -1" "$graph" random --seed -1
exits 2 "--dot: must not be empty" "$graph" random --dot ""
exits 2 "--sparsity = nan, which is not a number or out of range" "$graph" random --sparsity nan
exits 2 "--sparsity = 1e999, which is not a number or out of range" "$graph" random --sparsity 1e999
"$graph" fully_connected --units 120 --png "$scratch/large.png" 2>"$scratch/note"
check "wiring_graph says what takes long, in one line" test "$(cat "$scratch/note")" = \
  "wiring_graph: drawing 14640 synapses as png takes about 5 seconds"
exits 1 "/nowhere/at/all.svg" "$graph" auto_ncp --svg /nowhere/at/all.svg

if ((failures)); then exit 1; fi
