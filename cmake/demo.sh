#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Trains the poster's network on MNIST for five epochs, in which its first 16 filters become 12, draws all figures in
# situ, and says where the pictures are.
# Each call makes a new run folder, demo/1, demo/2, ...; earlier ones are left alone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

number=1
while [ -e "demo/$number" ]; do
    number=$((number + 1))
done
run=demo/$number
mkdir -p demo

start=$SECONDS
build/release/bin/weightscape train --data data/mnist --epochs 5 --seed 1 --run "$run" \
    --merge layers=conv1,keep=12,most=1,every=1epochs --pipeline pipelines/poster.py,every=100 --insitu-required
/usr/bin/python3 pipelines/contact_sheet.py "$run"

cat <<END

Done in $((SECONDS - start)) s. Look at
    $PWD/$run/contact-sheet.png    all pictures at a glance
    $PWD/$run/images/              each picture (a Cinema database)
    $PWD/$run/metrics.csv          the numbers
What to type next: README.md
END
