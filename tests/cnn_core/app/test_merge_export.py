# SPDX-License-Identifier: BSD-3-Clause
"""export of a run that has a checkpoint with merged units."""

NET = "conv 6 3x3, relu, linear 10"


def test_export_shows_the_widths_of_each_step(program, trained, small_set, tmp_path):
    run = trained("wide", "--net", NET, "--steps", 8)
    program.good("merge", run.last, "--data", small_set, "--keep", 3, "-o",
                 run.checkpoints / "step_00000008.safetensors")
    extents = {}
    for step in (0, 8):
        program.good("export", run.path, "--step", step, "-o", f"out{step}")
        text = (tmp_path / f"out{step}" / "weights_conv1.vti").read_bytes().split(b'WholeExtent="', 1)[1]
        extents[step] = [int(number) for number in text.split(b'"', 1)[0].split()]
    assert extents[0] != extents[8]
