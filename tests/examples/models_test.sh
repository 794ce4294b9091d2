#!/usr/bin/env bash
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# models_test.sh FOLDER: runs the programs that look into models, and checks their numbers.
set -uo pipefail

# shellcheck source=tests/examples/support.sh
source "$(dirname "${BASH_SOURCE[0]}")/support.sh"

"$programs/own_cell" --out "$scratch/own" >"$scratch/own.txt" || failures=$((failures + 1))
check "own_cell compares 387 gradients" grep -q 'Gradients: 387 compared' "$scratch/own.txt"
check "own_cell counts its parameters" grep -q 'Total params: 337' "$scratch/own.txt"
check "own_cell learns" awk -F, 'NR > 1 { b += ($3 - $2) ^ 2; a += ($4 - $2) ^ 2 } END { exit !(NR == 49 && a / 48 < 0.005 && b / 48 > 0.1) }' \
  "$scratch/own/own_cell.csv"
check "own_cell plots" plotted "$scratch/own/own_cell.png"
exits 2 "--units" "$programs/own_cell" --units 0
exits 1 "cannot make the folder" "$programs/own_cell" --out /dev/null/here --quiet

"$programs/time_constants" --out "$scratch/tau" >"$scratch/tau.txt" || failures=$((failures + 1))
check "time_constants has potentials and time constants of eight neurons" grep -qx \
  'step,target,output,v motor 0,v command 1,v command 2,v inter 3,v inter 4,v inter 5,v inter 6,v inter 7,tau motor 0,tau command 1,tau command 2,tau inter 3,tau inter 4,tau inter 5,tau inter 6,tau inter 7' \
  "$scratch/tau/time_constants.csv"
check "time constants are positive" holds "$scratch/tau/time_constants.csv" \
  '$12 > 0 && $13 > 0 && $14 > 0 && $15 > 0 && $16 > 0 && $17 > 0 && $18 > 0 && $19 > 0'
check "they change" awk -F, 'NR == 2 { low = high = $12 } NR > 1 { if ($12 < low) low = $12; if ($12 > high) high = $12 }
  END { exit !(high > 1.2 * low) }' "$scratch/tau/time_constants.csv"
check "the network has learnt" awk -F, 'NR > 1 { e += ($3 - $2) ^ 2 } END { exit !(NR == 49 && e / 48 < 0.01) }' \
  "$scratch/tau/time_constants.csv"
# The output is affine in the motor neuron's potential: the same factor between any two steps.
check "the potentials belong to the output" awk -F, 'NR == 2 { y = $3; v = $4 } NR == 6 { f = ($3 - y) / ($4 - v) }
  NR > 6 && (($3 - y) - f * ($4 - v)) ^ 2 > 1e-8 { bad = 1 } END { exit bad }' "$scratch/tau/time_constants.csv"
check "time_constants plots" plotted "$scratch/tau/time_constants.png"
check "time_constants draws the wiring" test -s "$scratch/tau/time_constants_wiring.png"
check "another size plots too" "$programs/time_constants" --units 16 --epochs 2 --quiet --out "$scratch/tau16"
exits 1 "AutoNCP" "$programs/time_constants" --units 2
exits 2 "--units: " "$programs/time_constants" --units 100000
exits 2 "--seed = -1, which is not a number or out of range" "$programs/time_constants" --seed -1

"$programs/pruning" --epochs 300 --rounds 4 --out "$scratch/pruned" >"$scratch/pruned.txt" || failures=$((failures + 1))
check "pruning goes round by round" test "$(cut -d, -f1,2 "$scratch/pruned/pruning.csv" | tr '\n' ' ')" = \
  "round,synapses 0,80 1,60 2,45 3,34 4,25 "
check "what is pruned is trained back" holds "$scratch/pruned/pruning.csv" '$4 < 0.02 && $4 < $3'
check "pruning says how few do" grep -q 'of 80 synapses do for a loss below 0.01' "$scratch/pruned.txt"
check "pruning plots" plotted "$scratch/pruned/pruning.png"
for picture in before after; do check "pruning draws the wiring $picture" test -s "$scratch/pruned/pruning_$picture.png"; done
"$programs/pruning" --epochs 1 --fraction 1 --rounds 5 --out "$scratch/all" >"$scratch/all.txt" || failures=$((failures + 1))
check "one way from the inputs to the output is left, and no more goes" awk -F, 'END { exit !(NR == 3 && $2 >= 1 && $2 <= 8) }' \
  "$scratch/all/pruning.csv"
exits 2 "--fraction: Value 2 not in range" "$programs/pruning" --fraction 2
exits 2 "--fraction = nan, which is not a number or out of range" "$programs/pruning" --fraction nan
exits 2 "--good-loss: Value -1 not in range" "$programs/pruning" --good-loss -1
exits 2 "--seed = 18446744073709551616, which is not a number or out of range" "$programs/pruning" --seed 18446744073709551616
exits 2 "--learning-rate: Value 1e39 not in range" "$programs/pruning" --learning-rate 1e39
check "no file is left unfinished" test -z "$(find "$scratch" -name '*unfinished*')"

if ((failures)); then exit 1; fi
