# SPDX-License-Identifier: BSD-3-Clause
"""The poster's experiment: 16 filters become 12 while the network trains for 20 epochs, and it loses nothing by it.

Each seed is trained twice, with and without merging, in the same setting. The poster reports 99.12 % of the test set.
Writes the table of docs/results.md to BUILD/merging.md."""
import json

import pytest
from trainings import SEEDS, SETTING, train, write_table

PUBLISHED = 0.9912
MOST_LOST = 0.001
EPOCHS = 20
# The two most similar filters of conv1 become one after epochs 2, 4, 6 and 8.
MERGE = "layers=conv1,keep=12,most=1,every=2epochs"


def widths(folder):
    """Filters of conv1 at the end, and the steps of the merges."""
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    lines = map(json.loads, (folder / "steering.jsonl").read_text(encoding="utf-8").splitlines())
    merges = [line["step"] for line in lines if line.get("action") == "merge"]
    return int(record["net"]["spec"].split()[1]), merges


@pytest.fixture(scope="module")
def results(weightscape, mnist, tmp_path_factory):
    """seed -> (whole, merged, folder of the merged run)."""
    found = {}
    for seed in SEEDS:
        folder = tmp_path_factory.mktemp("merging")
        whole = train(weightscape, mnist, folder / "whole", EPOCHS, seed)
        found[seed] = whole, train(weightscape, mnist, folder / "merged", EPOCHS, seed, "--merge", MERGE), folder / "merged"
    return found


def test_table(results, build):
    rows = [[seed, f"{whole['test']:.2%}", f"{merged['test']:.2%}", f"{merged['test'] - whole['test']:+.2%}",
             f"{whole['validation']:.2%}", f"{merged['validation']:.2%}", ", ".join(map(str, widths(folder)[1]))]
            for seed, (whole, merged, folder) in results.items()]
    write_table(build / "merging.md", f"{EPOCHS} epochs, `{' '.join(SETTING)}`, `--merge {MERGE}`",
                ["seed", "test, 16 filters", "test, merged to 12", "difference", "validation, 16", "validation, 12",
                 "merged after steps"], rows)
    assert len(rows) == len(SEEDS)


@pytest.mark.parametrize("seed", SEEDS)
def test_sixteen_become_twelve(results, seed):
    filters, merges = widths(results[seed][2])
    assert filters == 12 and len(merges) == 4


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost(results, seed):
    whole, merged, _ = results[seed]
    assert merged["test"] >= PUBLISHED
    assert merged["test"] >= whole["test"] - MOST_LOST
