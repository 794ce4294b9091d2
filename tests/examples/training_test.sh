#!/usr/bin/env bash
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# training_test.sh FOLDER: runs the programs that train on larger tasks with a little data, and checks their numbers.
set -uo pipefail

# shellcheck source=tests/examples/support.sh
source "$(dirname "${BASH_SOURCE[0]}")/support.sh"

cheetah=$programs/half_cheetah
recordings=$scratch/recordings
mkdir "$recordings"
python3 "$(dirname "${BASH_SOURCE[0]}")/make_recordings.py" "$recordings"
small=("$recordings" --validation 1 --test 1 --training 2 --window 16 --units 8 --batch-size 4)
"$cheetah" "${small[@]}" --epochs 6 --out "$scratch/whole" >"$scratch/whole.txt"
check "half_cheetah cuts its sequences" grep -q '22 for training, 11 for validation, 11 for the test' "$scratch/whole.txt"
for model in ltc ncp cfc; do
  losses=$scratch/whole/half_cheetah_${model}_1_losses.csv
  check "half_cheetah trains the $model" awk -F, 'NR == 2 { first = $3 } END { exit !(NR == 7 && $3 < first) }' "$losses"
  check "half_cheetah plots the $model" plotted "$scratch/whole/half_cheetah_${model}_1_prediction.png"
done
check "half_cheetah writes its table" holds "$scratch/whole/half_cheetah.csv" '$4 > 0 && $4 < 100 && $2 > 300'
# The trained models are files that run_model runs, with the test error of the table.
score() { python3 "$(dirname "${BASH_SOURCE[0]}")/repeat_test_error.py" "$@"; }
near() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a != "" && b != "" && (a - b) ^ 2 <= (1e-4 * b) ^ 2) }'; }
for model in ltc ncp cfc; do
  error=$(awk -F, -v model="$model" '$1 == model { print $4 }' "$scratch/whole/half_cheetah.csv")
  again=$(score half_cheetah "$programs/run_model" "$scratch/whole/half_cheetah_${model}_1_model.safetensors" \
    "$recordings/trace_0001.npy" 16 10)
  check "run_model repeats the test error of half_cheetah's $model, $error: $again" near "$again" "$error"
done
# Three epochs, and then three more, are six.
"$cheetah" "${small[@]}" --model ltc --epochs 3 --quiet --out "$scratch/parts"
"$cheetah" "${small[@]}" --model ltc --epochs 6 --quiet --out "$scratch/parts"
check "half_cheetah goes on where it stopped" cmp "$scratch/parts/half_cheetah_ltc_1_losses.csv" "$scratch/whole/half_cheetah_ltc_1_losses.csv"
exits 1 "must have 25 recordings, *.npy, got 4" "$cheetah" "$recordings" --out "$scratch/none"
exits 1 "cannot read" "$cheetah" /nowhere --out "$scratch/none"
mkdir "$scratch/bad"
for i in 0 1 2; do head -c $((100 * i + 7)) "$recordings/trace_0000.npy" >"$scratch/bad/$i.npy"; done
exits 1 "0.npy: no NumPy file" "$cheetah" "$scratch/bad" --validation 1 --test 1 --training 1 --out "$scratch/none"
exits 2 "DATA" "$cheetah"
exits 2 "--model" "$cheetah" "$recordings" --model lstm

xor=$programs/bit_stream_xor
"$xor" --epochs 2 --training 300 --test 50 --units 8 --ltc-units 4 --out "$scratch/one" --threads 1 --write-test \
  >"$scratch/xor.txt"
"$xor" --epochs 2 --training 300 --test 50 --units 8 --ltc-units 4 --out "$scratch/two" --threads 3 --quiet
for model in ltc cfc mixed_cfc; do
  check "bit_stream_xor is the same with more threads: $model" cmp "$scratch/one/xor_$model.csv" "$scratch/two/xor_$model.csv"
  check "bit_stream_xor logs the $model" holds "$scratch/one/xor_$model.csv" '$6 >= 0 && $6 <= 1 && $2 > 0.5 && $2 < 1'
done
for model in ltc cfc mixed_cfc; do
  accuracy=$(awk -F, -v model="$model" '$1 == model { print $4 }' "$scratch/one/xor.csv")
  again=$(score bit_stream_xor "$programs/run_model" "$scratch/one/xor_$model.safetensors" "$scratch/one" 50)
  check "run_model repeats the accuracy of bit_stream_xor's $model, $accuracy: $again" near "$again" "$accuracy"
done
check "bit_stream_xor prints a table" grep -qE '^mixed_cfc +[0-9]+' "$scratch/xor.txt"
check "bit_stream_xor plots" plotted "$scratch/one/xor.png"
exits 2 "--batch-size" "$xor" --batch-size 0
exits 2 "--seed = -1, which is not a number or out of range" "$xor" --seed -1
exits 2 "--training: " "$xor" --training 1000000000

check "no file is left unfinished" test -z "$(find "$scratch" -name '*unfinished*')"
if ((failures)); then exit 1; fi
