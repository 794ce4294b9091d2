#!/usr/bin/env bash
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# run.sh FOLDER: runs the programs of this folder, which were built in FOLDER, by several ranks. First, any number of
# ranks must come to the same bits. Then something happens to a rank: the job must end soon, with one message, and what
# it saved must be resumed by another number of ranks. Ends with 77 where there is no MPI.
set -euo pipefail

folder=$1
if [[ ! -x $folder/elegans_mpi_faults ]] || ! command -v mpirun >/dev/null; then
  echo "skipped: there is no MPI (Debian's libopenmpi-dev and openmpi-bin)"
  exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

options=()
if mpirun --version | grep -q "Open MPI"; then
  options=(--oversubscribe)
  if ((EUID == 0)); then options+=(--allow-run-as-root); fi
  # In a container, a process may not read the memory of another.
  export OMPI_MCA_btl_vader_single_copy_mechanism=none
fi
ranks() {  # ranks N PROGRAM...
  local number=$1
  shift
  mpirun "${options[@]}" "${more[@]}" -n "$number" "$@"
}
more=()

for number in 1 2 3 4 7; do ranks "$number" "$folder/elegans_mpi_shared_training"; done

failures=0
complain() {
  echo "$*"
  failures=$((failures + 1))
}

cd "$scratch"
wanted=$(ranks 1 "$folder/elegans_mpi_faults" none 0 whole)
for number in 3 7; do
  rm -f whole
  [[ $(ranks "$number" "$folder/elegans_mpi_faults" none 0 whole) == "$wanted" ]] ||
    complain "$number ranks end otherwise"
done
echo "the hash is $wanted for 1, 3 and 7 ranks"

# fault NAME RANK MESSAGE: happens to one of three ranks. One line may say so. Two ranks resume.
fault() {
  local name=$1 rank=$2 message=$3 status=0 seconds=0 line
  rm -f saved saved.fault
  # mpirun's report of a rank that aborts the job would be a second message; that of a killed rank is the only one.
  if [[ $name != kill && ${options[*]} == *oversubscribe* ]]; then more=(--quiet); fi
  ranks 3 "$folder/elegans_mpi_faults" "$name" "$rank" saved >out 2>err || status=$?
  if [[ -e saved.fault ]]; then
    seconds=$(awk -v now="$(date +%s.%N)" -v then="$(stat -c %.Y saved.fault)" 'BEGIN { printf "%.1f", now - then }')
    awk -v seconds="$seconds" 'BEGIN { exit !(seconds < 5) }' || complain "$name: the job took $seconds s to end"
  fi
  ((status != 0)) || complain "$name: the job ended with 0"
  [[ ! -s out ]] || complain "$name: the training went on"
  line=$(grep '^elegans: \|noticed that process' err || true)
  if [[ $line != *"$message"* || $line == *$'\n'* ]]; then
    complain "$name: wanted one message, '$message'; got:"
    cat err
  fi
  more=()
  [[ $(ranks 2 "$folder/elegans_mpi_faults" none 0 saved 2>err) == "$wanted" ]] ||
    complain "$name: what was saved does not go on"
  # A rank that is killed while it writes leaves half a file, which the next one removes.
  if compgen -G ".*unfinished" >/dev/null; then complain "$name: half a file is left"; fi
  echo "$name: ended after $seconds s with '$line'"
}
fault kill 1 "signal 9 (Killed)"
fault kill 0 "signal 9 (Killed)"
fault exception 2 "elegans: rank 2 of 3: the sensor has gone"
fault caught 1 "elegans: rank 1 of 3: left a shared training by an exception, which ends the job"
fault nan 1 "elegans: rank 1 of 3: fit: the loss became nan in epoch 4 of 8, batch 2: x is nan at step 0, sample "
fault disk 0 "elegans: rank 0 of 3: cannot write saved: File too large"
fault options 1 "elegans: rank 1 of 3: fit: process 1 trains otherwise than process 0: optimizer beta1 was 0.9, is 0.5"
((failures == 0))
