#!/usr/bin/env bash
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# model_programs_test.sh FOLDER: runs the programs that read model files as a user would, and with files and calls that
# make no sense.
set -uo pipefail

# shellcheck source=tests/examples/support.sh
source "$(dirname "${BASH_SOURCE[0]}")/support.sh"
cd "$scratch" || exit 1

run=$programs/run_model
model=$data/ltc_linear.safetensors
printf '0.1,0.2,0.3\n-0.1,0,1e-3\n' >x.csv
check "run_model prints a row per step" test "$("$run" "$model" --input x.csv | wc -l)" = 2
"$run" "$model" --input x.csv --output y.csv --final-state h.csv
check "the same to a file" cmp y.csv <("$run" "$model" --input x.csv)
check "the final state is one row of units" test "$(tr -cd , <h.csv | wc -c)-$(wc -l <h.csv)" = 13-1
check "17 digits in double" grep -qE '^-?0\.0*[1-9][0-9]{15,16},' y.csv
printf '\xef\xbb\xbfa,b,c\r\n +0.1 ,\t.2,3e-1\r\n-0.1,-0,0.001\r\n\r\n' >header.csv
check "a header, blanks and line ends of all kinds change nothing" cmp y.csv <("$run" "$model" --input header.csv)
tail -1 x.csv >rest.csv
head -1 x.csv >first.csv
"$run" "$model" --input first.csv --final-state between.csv >both.csv
"$run" "$model" --input rest.csv --initial-state between.csv >>both.csv
check "a sequence may be run in two parts" cmp y.csv both.csv
printf '1\n1\n' >t.csv
check "elapsed times are 1 by default" cmp y.csv <("$run" "$model" --input x.csv --timespans t.csv)
check "standard input is a file like any other" cmp y.csv <("$run" "$model" --input /dev/stdin <x.csv)
mkfifo pipe
"$run" "$model" --input x.csv --output pipe &
check "a pipe is written to, not replaced" cmp y.csv pipe
wait
check "the pipe is still there" test -p pipe
"$run" "$model" --input x.csv --output /dev/stdout >redirected.csv
check "standard output is a file like any other" cmp y.csv redirected.csv
echo before >target.csv
chmod 600 target.csv
ln -s target.csv link.csv
"$run" "$model" --input x.csv --output link.csv
check "a link is followed" cmp y.csv target.csv
check "a link stays a link" test -L link.csv
check "a file keeps its mode" test "$(stat -c %a target.csv)" = 600

exits 2 "MODEL" "$run"
exits 2 "--input" "$run" "$model"
exits 2 "--precision" "$run" "$model" --input x.csv --precision half
exits 2 "--ode-unfolds" "$run" "$model" --input x.csv --ode-unfolds 0
exits 2 "--ode-unfolds" "$run" "$model" --input x.csv --ode-unfolds 99999999999
exits 2 "--epsilon" "$run" "$model" --input x.csv --epsilon -1
exits 2 "--epsilon" "$run" "$model" --input x.csv --epsilon nan
exits 2 "--mode" "$run" "$model" --input x.csv --mode fast
exits 2 "--colour" "$run" "$model" --input x.csv --colour red
exits 1 "cannot read nothing: No such file" "$run" nothing --input x.csv
exits 1 "cannot read .: Is a directory" "$run" . --input x.csv
exits 1 "x.csv: no safetensors file" "$run" x.csv --input x.csv
exits 1 "more than one model" "$run" "$data/training_random.safetensors" --input x.csv
exits 1 "cannot have 5" "$run" "$model" --input x.csv --outputs 5
exits 1 "cannot read nothing: No such file" "$run" "$model" --input nothing
exits 1 "cannot read .: Is a directory" "$run" "$model" --input .
echo '1,2' >narrow.csv
exits 1 "narrow.csv: must have a column per input of the model, 3, got 2" "$run" "$model" --input narrow.csv
printf '1,2,3\n1,2\n' >ragged.csv
exits 1 "ragged.csv, line 2: must have 3 columns, got 2" "$run" "$model" --input ragged.csv
printf '1,2,3\n1,x,3\n' >words.csv
exits 1 "words.csv, line 2, column 2: must be a number, got 'x'" "$run" "$model" --input words.csv
printf '1,x,3\n' >word.csv
exits 1 "word.csv, line 1, column 2: must be a number, got 'x'" "$run" "$model" --input word.csv
printf '1,,3\n' >gap.csv
exits 1 "gap.csv, line 1, column 2: must be a number, got nothing" "$run" "$model" --input gap.csv
printf '1,nan,3\n' >nan.csv
exits 1 "nan.csv, line 1, column 2: must be finite, got 'nan'" "$run" "$model" --input nan.csv
: >empty.csv
exits 1 "empty.csv: there are no numbers" "$run" "$model" --input empty.csv
printf '"a, b",c,"d ""e"""\n"0.1",0.2, "3e-1" \n-0.1,"-0",0.001\n' >quoted.csv
check "numbers and names may be in quotes" cmp y.csv <("$run" "$model" --input quoted.csv)
printf '"a\nb",c,d\r0.1,.2,0.3\r-0.1,0,1e-3' >old.csv
check "a name may have a line end, and a line end may be a carriage return" cmp y.csv <("$run" "$model" --input old.csv)
for missing in 'NA,NA,NA' ',,' '"","",""' 'n/a,-,null'; do
  printf '%s\n1,2,3\n' "$missing" >missing.csv
  exits 1 "missing.csv, line 1, column 1: must be a number, got " "$run" "$model" --input missing.csv
done
printf '1,2,3\n\n1,2,3\n' >blank.csv
exits 1 "blank.csv, line 2, column 1: must be a number, got a blank line" "$run" "$model" --input blank.csv
printf '\n1,2,3\n' >blank.csv
exits 1 "blank.csv, line 1, column 1: must be a number, got a blank line" "$run" "$model" --input blank.csv
printf '1\n\n1\n' >blank.csv
exits 1 "blank.csv, line 2, column 1: must be a number, got a blank line" "$run" "$model" --input x.csv --timespans blank.csv
printf '1\n1\n\n' >blank.csv
exits 1 "blank.csv, line 3, column 1: must be a number, got a blank line" "$run" "$model" --input x.csv --timespans blank.csv
printf '1,"0,5",3\n' >comma.csv
exits 1 "comma.csv, line 1, column 2: must be a number, got '0,5'" "$run" "$model" --input comma.csv
printf '"a\nb",c,d\n1,"2,3\n' >open.csv
exits 1 "open.csv, line 3, column 2: a quote is not closed" "$run" "$model" --input open.csv
printf '1,"2"3,4\n' >behind.csv
exits 1 "behind.csv, line 1, column 2: there must be a comma behind the closing quote" "$run" "$model" --input behind.csv
printf '1,2,1e999\n' >large.csv
exits 1 "large.csv, line 1, column 3: must be finite, got '1e999'" "$run" "$model" --input large.csv
printf '0.1,0.2,0.3\n-0.1,1e-999,1e-3\n' >tiny.csv
check "what is too small to differ from 0 is 0" cmp y.csv <("$run" "$model" --input tiny.csv)
exits 1 "must have a row per time step, (2, 1), got (2, 3)" "$run" "$model" --input x.csv --timespans x.csv
printf '1\n-1\n' >back.csv
exits 1 "elapsed time" "$run" "$model" --input x.csv --timespans back.csv
exits 1 "must be one row, (1, state_size = 14), got (2, 3)" "$run" "$model" --input x.csv --initial-state x.csv
exits 1 "cannot write /nowhere/y.csv: No such file" "$run" "$model" --input x.csv --output /nowhere/y.csv
if [[ -c /dev/full ]]; then
  exits 1 "cannot write /dev/full: No space left" "$run" "$model" --input x.csv --output /dev/full
  check "a device is still there" test -c /dev/full
fi
head -c 1000 "$model" >short.safetensors
echo before >kept.csv
exits 1 "short.safetensors: " "$run" short.safetensors --input x.csv --output kept.csv
check "what fails overwrites nothing" test "$(cat kept.csv)" = before
check "nothing is left unfinished" test -z "$(find . -name '*unfinished*')"

inspect=$programs/inspect_model
"$inspect" "$data/ltc_sine_auto_ncp.safetensors" --constraints explicit >card.txt
check "the card has kind and sizes" grep -qx 'Model: LTC, 2 inputs, 8 units, 1 outputs' card.txt
check "the card has the options" grep -q 'unfolds 6, epsilon 1e-08, constraints explicit' card.txt
check "the card has the synapses" grep -q 'Synapses: 11 of 64' card.txt
check "the card has the parameters" grep -qx 'Parameters: 350' card.txt
check "the card has the metadata" grep -q '  case: {"name": "ltc_sine_auto_ncp"' card.txt
check "the card says that another program wrote the file" grep -q 'Another program wrote the file' card.txt
check "the card has a tensor's range" grep -qE 'param.rnn_cell.cm +F64 +\(8\) +8 ' card.txt
"$inspect" "$data/cfc_wired_auto_mixed.safetensors" >card.txt
check "the card has a wired CfC's layers" grep -q 'Wiring: layers 11 -> 6 -> 3' card.txt
"$inspect" "$data/../fuzz/corpus/stack_dropout" >card.txt
check "the card of a stack has its layers" grep -qx 'Layer: Dropout, 2 inputs, 2 units, 2 outputs' card.txt
check "the card has the options of a dropout" grep -qx 'Options: share 0.25, seed 3' card.txt
check "the card has the options of a normalization" grep -qx 'Options: epsilon 0.1' card.txt
check "the card has the tensors of a GRU" grep -qE '0.weight_hh_l0 +F32 +\(6, 2\) +12 ' card.txt
exits 2 "MODEL" "$inspect"
exits 1 "cannot read nothing: No such file" "$inspect" nothing

if ((failures)); then exit 1; fi
