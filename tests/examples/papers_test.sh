#!/usr/bin/env bash
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# papers_test.sh FOLDER: runs every task of the program papers on a little data in the formats of the real ones, and
# checks what it learns, what it leaves, and which files it refuses.
set -uo pipefail

# shellcheck source=tests/examples/support.sh
source "$(dirname "${BASH_SOURCE[0]}")/support.sh"

here=$(dirname "${BASH_SOURCE[0]}")
papers=$programs/papers
made=$scratch/data
python3 "$here/make_papers_data.py" "$made"

# run TASK EPOCHS ARGUMENT...: all contenders with one seed
run() {
  local task=$1 epochs=$2
  shift 2
  "$papers" "$task" --data "$made/$task" --seeds 1 --epochs "$epochs" --units 16 --out "$scratch/results" "$@"
}
# learns FILE MODEL EXPRESSION: the test score, s, of the model makes the awk expression true
learns() {
  check "papers: $1, $2: $3, got $(grep "^$2," "$scratch/results/$1.csv")" \
    awk -F, -v model="$2" "\$1 == model { s = \$4; found = 1; if (!($3)) exit 1 } END { if (!found) exit 1 }" \
    "$scratch/results/$1.csv"
}

run half_cheetah 10 >"$scratch/half_cheetah.txt"
check "papers cuts recordings into sequences" \
  grep -q 'Sequences of 32 steps and 17 inputs: 40 for training, 20 for validation, 40 for the test' "$scratch/half_cheetah.txt"
check "papers prints a published row" grep -qE '^ltc +1 .* 2.3080 \+- 0.0150 ' "$scratch/half_cheetah.txt"
# Without a prediction the error is about 12.
learns half_cheetah ltc 's < 5.5'
learns half_cheetah ltc_of_ncps 's < 6.5'
learns half_cheetah cfc 's < 6.5'
learns half_cheetah lstm 's < 9'
for model in ltc ncp cfc; do
  check "papers plots the prediction of $model" plotted "$scratch/results/half_cheetah_${model}_1_prediction.png"
  check "papers plots the losses of $model" plotted "$scratch/results/half_cheetah_${model}_1_losses.png"
done
check "papers plots the table" plotted "$scratch/results/half_cheetah.png"
check "papers writes a table" holds "$scratch/results/half_cheetah_table.csv" '$2 == 1 && $3 > 0 && $4 == 0 && $7 > 300'

run gesture 30 --quiet
learns gesture ltc 's > 0.9'
learns gesture cfc 's > 0.9'
run occupancy 8 --quiet
learns occupancy ltc 's > 0.95'
learns occupancy ncp 's > 0.9'
run ozone 20 --quiet
learns ozone cfc 's > 0.8'
run ozone 15 --quiet --protocol mended
learns ozone_mended cfc 's > 0.8'
run traffic 40 --quiet --model ltc
learns traffic ltc 's < 0.3'
run traffic 10 --quiet --model ltc --protocol mended
learns traffic_mended ltc 's < 0.3'
run smnist 60 --quiet --model lstm
learns smnist lstm 's > 0.7'
run walker2d 8 --quiet
learns walker2d ltc 's < 0.15'
learns walker2d cfc 's < 0.15'
learns walker2d mixed_cfc 's < 0.25'
learns walker2d cfc_pure 's < 1'
run xor 40 --quiet --write-test --model mixed_cfc
learns xor mixed_cfc 's > 0.75'

# The trained models are files that run_model runs, with the test score of the table.
score() { python3 "$here/repeat_test_error.py" "$@"; }
near() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a != "" && b != "" && (a - b) ^ 2 <= (1e-4 * b) ^ 2) }'; }
for model in ltc_of_ncps cfc; do
  error=$(awk -F, -v model="$model" '$1 == model { print $4 }' "$scratch/results/half_cheetah.csv")
  again=$(score half_cheetah "$programs/run_model" "$scratch/results/half_cheetah_${model}_1_model.safetensors" 32 10 \
    "$made"/half_cheetah/trace_00{05,06,07,08,09,10,11,12,13,14}.npy)
  check "run_model repeats the test error of $model, $error: $again" near "$again" "$error"
done
accuracy=$(awk -F, '$1 == "mixed_cfc" { print $4 }' "$scratch/results/xor.csv")
again=$(score xor "$programs/run_model" "$scratch/results/xor_mixed_cfc_1_model.safetensors" "$scratch/results" 50)
check "run_model repeats the accuracy of mixed_cfc, $accuracy: $again" near "$again" "$accuracy"

# What is finished is read back; a checkpoint goes on; runs side by side change no number.
before=$(cat "$scratch/results/gesture.csv")
run gesture 30 >"$scratch/gesture.txt"
check "papers trains nothing twice" test "$before" = "$(cat "$scratch/results/gesture.csv")"
check "papers shows what was finished" grep -qE '^ltc +1 ' "$scratch/gesture.txt"
"$papers" occupancy --data "$made/occupancy" --model ncp --seeds 2 --epochs 3 --units 16 --threads 2 --quiet --out "$scratch/parts"
"$papers" occupancy --data "$made/occupancy" --model ncp --seeds 2 --epochs 8 --units 16 --threads 2 --quiet --out "$scratch/parts"
check "papers goes on where it stopped" cmp "$scratch/parts/occupancy_ncp_1_losses.csv" "$scratch/results/occupancy_ncp_1_losses.csv"
check "papers says where it went on" holds "$scratch/parts/occupancy.csv" '$3 == 8 && $9 == 3'
check "papers gives each seed a row" test "$(wc -l <"$scratch/parts/occupancy.csv")" = 3
cp -r "$made/occupancy" "$scratch/other"
cp "$scratch/other/test_2.npy" "$scratch/other/training.npy"
exits 1 "must have a set for each of 54 sequences, got 134" \
  "$papers" occupancy --data "$scratch/other" --out "$scratch/parts"
exits 1 "the checkpoint is of another run" \
  "$papers" occupancy --data "$made/occupancy" --model ncp --seeds 2 --epochs 8 --units 12 --quiet --out "$scratch/parts"

"$papers" xor --help >"$scratch/help.txt"
check "papers explains itself" grep -q -- '--protocol' "$scratch/help.txt"
run xor 40 --quiet --protocol mended --model mixed_cfc
learns xor_mended mixed_cfc 's > 0.75'
exits 1 "is of epoch 40, behind the last, 1" \
  "$papers" xor --data "$made/xor" --seeds 1 --epochs 1 --units 16 --model mixed_cfc --out "$scratch/results"
"$papers" xor --data "$made/xor" --seeds 1 --epochs 1 --units 16 --quiet --out "$scratch/once"
check "papers trains every contender of xor" holds "$scratch/once/xor_table.csv" '$3 > 0.3 && $5 > 0.4'

# Files that are cut off, or something else, get one line.
# broken TASK FILE TEXT: with the file cut off by a byte, and with other bytes
broken() {
  local task=$1 file=$2 text=$3 folder=$scratch/broken
  rm -rf "$folder"
  cp -r "$made/$task" "$folder"
  head -c -1 "$made/$task/$file" >"$folder/$file"
  exits 1 "$file: $text" "$papers" "$task" --data "$folder" --out "$scratch/none"
  head -c 100 /dev/zero >"$folder/$file"
  exits 1 "$file: no NumPy file" "$papers" "$task" --data "$folder" --out "$scratch/none"
  rm "$folder/$file"
  exits 1 "$file" "$papers" "$task" --data "$folder" --out "$scratch/none"
}
for file in features phase set; do broken gesture "$file.npy" "must have"; done
for file in training test_1 test_2 set; do broken occupancy "$file.npy" "must have"; done
for file in features ozone_day set_as_published; do broken ozone "$file.npy" "must have"; done
for file in training_rows test_rows training_labels test_labels; do broken smnist "$file.npy" "must have"; done
for file in rollouts kept; do broken walker2d "$file.npy" "must have"; done
for file in training test; do broken xor "$file.npy" "must have"; done

# foreign TASK FILE TEXT: with standard input as that file
foreign() {
  rm -rf "$scratch/foreign"
  cp -r "$made/$1" "$scratch/foreign"
  cat >"$scratch/foreign/$2"
  exits 1 "$2$3" "$papers" "$1" --data "$scratch/foreign" --out "$scratch/none"
}
foreign traffic traffic.csv ": must have 9 columns" < <(printf 'a,b\n1,2\n')
foreign traffic traffic.csv ", line 3: must have 9 columns, got 2" < <(head -n 2 "$made/traffic/traffic.csv"; echo 1,2)
foreign traffic traffic.csv ", line 2, column 9: must be a number, got 'many'" < \
  <(head -n 1 "$made/traffic/traffic.csv"; echo 0,1,9,0,288,0,0,40,many)
foreign walker2d rollouts.csv ": must have number, steps and set of rollouts" < <(head -n 5 "$made/walker2d/rollouts.csv")
foreign gesture recordings.csv ": must have person, story and frames" < <(printf 'person,story,frames\n0,1,12\n')
foreign gesture phase.npy ": must hold values of type |u1" <"$made/xor/test.npy"
foreign gesture set.npy ": must have a set for each of" <"$made/gesture/phase.npy"
foreign xor test.npy ": must hold values of type <u4" <"$made/gesture/phase.npy"
foreign occupancy test_1.npy ": must be (any number of) x 6 values" <"$made/gesture/features.npy"
foreign smnist training_rows.npy ": ends within image" <"$made/smnist/training_labels.npy"
exits 1 "must have 25 recordings, *.npy, got 0" "$papers" half_cheetah --data "$scratch/none" --out "$scratch/none"
exits 1 "cannot read" "$papers" half_cheetah --data /nowhere --out "$scratch/none"
mkdir "$scratch/out_of_others"
echo text >"$scratch/out_of_others/gesture.csv"
exits 1 "gesture.csv, line 1: must have 10 columns, got 1" "$papers" gesture --data "$made/gesture" --out "$scratch/out_of_others"

exits 2 "TASK" "$papers"
exits 2 "TASK" "$papers" chess --data "$made/xor"
exits 2 "--data" "$papers" gesture
exits 2 "--protocol" "$papers" gesture --data "$made/gesture" --protocol mended
exits 2 "--write-test" "$papers" gesture --data "$made/gesture" --write-test
exits 2 "--seeds" "$papers" gesture --data "$made/gesture" --seeds 0
exits 2 "--model" "$papers" gesture --data "$made/gesture" --model ctrnn
exits 1 "--model must be all or one of ltc, ncp, lstm, cfc, got cfc_pure" \
  "$papers" gesture --data "$made/gesture" --model cfc_pure --out "$scratch/none"

check "no file is left unfinished" test -z "$(find "$scratch" -name '*unfinished*')"
if ((failures)); then exit 1; fi
