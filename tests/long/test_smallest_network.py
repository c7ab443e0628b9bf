# SPDX-License-Identifier: BSD-3-Clause
"""How few filters are enough: both convolutions merged while the network trains, down to a handful, and beside each a
network that began with so few.

The network and the setting are those of the poster's experiment. Writes the table of docs/results.md to BUILD/smallest.md;
nothing is chosen by the test set but the table's rows, all of which are shown."""
import statistics

import pytest
from trainings import SEEDS, SETTING, train, write_table

EPOCHS = 20
SIZES = ((8, 16), (5, 10), (4, 8), (3, 6), (2, 4))
# What SMALLEST is claimed to keep, in the mean of the seeds.
KEPT, SMALLEST = 0.990, (4, 8)
# At most three filters of a layer in an epoch, so that the network recovers in between.
MERGE = "layers=conv1+conv2,keep={}+{},most=3,every=1epochs"
NET = "conv {} 3x3, relu, maxpool 2, conv {} 3x3, relu, maxpool 2, linear 1024, relu, dropout 0.5, linear 10"


@pytest.fixture(scope="module")
def results(weightscape, mnist, tmp_path_factory):
    """size -> ([test accuracy of each seed, merged], [the same of networks that began so small])."""
    def tested(seed, *options):
        return train(weightscape, mnist, tmp_path_factory.mktemp("smallest") / "run", EPOCHS, seed, *options)["test"]

    return {size: ([tested(seed, "--merge", MERGE.format(*size)) for seed in SEEDS],
                   [tested(seed, "--net", NET.format(*size)) for seed in SEEDS]) for size in SIZES}


def told(values):
    return f"{statistics.fmean(values):.2%} ({min(values):.2%} to {max(values):.2%})"


def test_table(results, build):
    write_table(build / "smallest.md", f"{EPOCHS} epochs, `{' '.join(SETTING)}`, `--merge {MERGE.format('N', 'M')}`",
                ["filters", "merged while training", "so small from the start"],
                [[f"{size[0]}, {size[1]}", told(merged), told(small)] for size, (merged, small) in results.items()])
    assert len(results) == len(SIZES)


def test_the_smallest_that_is_claimed(results):
    assert statistics.fmean(results[SMALLEST][0]) >= KEPT
