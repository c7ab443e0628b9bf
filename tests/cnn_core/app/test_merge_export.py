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
    # Tiles of 3 x 3, a gap of 1 between them.
    assert extents[0] != extents[8]


def test_a_checkpoint_of_another_network_is_refused(program, trained, tmp_path):
    run = trained("run", "--net", NET, "--steps", 2)
    other = trained("other", "--net", NET.replace("conv 6", "conv 7"), "--steps", 2)
    (run.checkpoints / "step_00000002.safetensors").write_bytes(other.last.read_bytes())
    result = program("export", run.path, "-o", "out")
    assert result.status == 2 and len(result.errors) == 1 and "with units merged" in result.errors[0], result
    assert not (tmp_path / "out").exists()
