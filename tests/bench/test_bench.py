# SPDX-License-Identifier: BSD-3-Clause
"""What the benchmarks compute from what they measure, and that their programs do the work they are said to do."""
import types

import document
import figures
import layer_work
import networks
import networks_table
import numpy
import part_networks
import part_target
import part_training
import pytest
import roofline
import ways
from networks import Network
from program import Failed

SMALL = Network("small", "conv 5 3x3, relu, maxpool 2, conv 4 3x3 valid, relu, linear 12, relu, dropout 0.5, linear 6",
                (2, 9, 11), 6)
IMAGES = 40


def spread(value):
    return figures.spread([value])


@pytest.fixture
def files(tmp_path):
    noise = numpy.random.default_rng(3)
    for name, values in (("images", noise.integers(0, 256, IMAGES * 2 * 9 * 11)), ("labels", noise.integers(0, 6, IMAGES))):
        (tmp_path / name).write_bytes(values.astype(numpy.uint8).tobytes())
    return tmp_path / "images", tmp_path / "labels"


def test_flop_of_the_posters_network():
    # conv1 sees 9 taps at 28 x 28, conv2 16 * 9 at 14 x 14, then 1568 x 1024 and 1024 x 10; two FLOP each. Backward takes
    # twice as many, but for conv1, whose input needs no gradient.
    forward = 2 * (16 * 9 * 784 + 32 * 144 * 196 + 1568 * 1024 + 1024 * 10)
    assert networks.flop_of(networks.NETWORKS["poster"], False) == forward
    assert networks.flop_of(networks.NETWORKS["poster"], True) == 3 * forward - 2 * 16 * 9 * 784 == 15565824


def test_shapes_of_lenet5():
    layers = {layer.name: layer for layer in networks.layers_of(networks.NETWORKS["lenet5"])}
    assert layers["conv1"].out == (6, 28, 28)
    assert layers["conv2"].out == (16, 10, 10) and layers["conv2"].weights == 16 * 6 * 25
    assert layers["fc1"].inside == (16, 5, 5) and layers["fc1"].weights == 400 * 120
    assert [layers[name].forward_flop() for name in ("fc2", "fc3")] == [2 * 120 * 84, 2 * 84 * 10]


def test_stride_and_uneven_sizes():
    layer, pool = networks.layers_of(Network("", "conv 3 3x5 stride 2, maxpool 3 stride 2", (1, 10, 13)))
    assert layer.out == (3, 5, 7) and pool.out == (3, 2, 3)


def test_layers_done_in_one_are_one():
    seconds = {layer.name: 0.0 for layer in networks.layers_of(networks.NETWORKS["poster"])}
    seconds.update(conv1=1.0, conv2=2.0, pool2=2.5, fc1=3.0, fc2=4.0)
    found = layer_work.forward_groups(networks.NETWORKS["poster"], 2, seconds)
    assert [group["name"] for group in found] == ["conv1 relu1 pool1", "conv2 relu2", "pool2", "fc1 relu3 drop1", "fc2"]
    assert [group["seconds"] for group in found] == [1, 2, 2.5, 3, 4]
    assert found[0]["flop"] == 2 * 2 * 16 * 9 * 784
    assert found[0]["bytes"] == 4 * (2 * (784 + 16 * 196) + 144)
    seconds = {layer.name: 0.5 * (layer.kind != "relu" and layer.name != "conv1") for layer in networks.layers_of(SMALL)}
    backward = layer_work.backward_groups(SMALL, 1, seconds)
    assert [group["name"] for group in backward] == ["fc2", "drop1 relu3", "fc1 relu2", "conv2", "pool1 relu1 conv1"]
    assert backward[3]["flop"] == 2 * 2 * 4 * 5 * 9 * (2 * 3)
    assert backward[4]["flop"] == 2 * 2 * 5 * 9 * 99  # no gradient of the images
    assert backward[4]["bytes"] == 4 * (2 * 9 * 11 + 5 * 4 * 5 + 2 * 5 * 2 * 9)


def test_best_of_a_family_and_share_of_the_peak():
    rates = {"weightscape": spread(3000.0), "weightscape, zeros multiplied": spread(2000.0), "pytorch": spread(1000.0),
             "pytorch, channels last, passive": spread(1500.0),
             "onednn": spread(6000.0)}
    cell = {"rates": rates, "machine": {"gflops": spread(100.0)}, "flop_per_image": 15565824}
    assert networks_table.best_of(rates, "pytorch") == 1500
    assert networks_table.best_of(rates, "openblas") is None
    assert networks_table.share_of_peak(cell) == pytest.approx(3000 * 15565824 / 100e9)
    assert networks_table.row_of("32", cell) == ["32", "3,000", "47 %", "2,000", "31 %", "1,500", "2.00", "6,000", "0.50", "skipped", "-"]


def test_the_machines_rates_are_those_of_all_rounds():
    cells = [{"machine": {"gflops": figures.spread(values), **{key: spread(9.0) for key in
                                                               ("read_gb_s", "copy_gb_s", "triad_gb_s")}}}
             for values in ([100.0, 90.0], [20.0, 80.0, 95.0])]
    assert networks_table.machine_words(cells) == "90 GFLOP/s, read 9.0, copy 9.0, triad 9.0 GB/s"


def test_each_round_begins_with_another_way():
    assert [part_networks.turned([1, 2, 3, 4], number, 3) for number in range(3)] == [[1, 2, 3, 4], [2, 3, 4, 1], [3, 4, 1, 2]]


def test_roof():
    machine = {"gflops": spread(100.0), "triad_gb_s": spread(20.0)}
    assert [roofline.roof(machine, intensity) for intensity in (1, 5, 50)] == [20, 100, 100]


def test_median_of_times_to_a_target():
    course = [{"seconds": 3.0, "accuracy": 0.99}, {"seconds": 6.0, "accuracy": 0.992}, {"seconds": 9.0, "accuracy": 0.991}]
    assert part_target.first_at(course, 0.992) == 6 and part_target.first_at(course, 0.9921) is None
    assert part_target.median_of([5.0, None, 3.0, 4.0, None]) == 5 and part_target.median_of([None, 1.0, None]) is None


def test_only_what_is_between_marks_is_written():
    text = "head\n<!-- rates: written by tests/bench/document.py -->\nold\n<!-- end of rates -->\ntail\n"
    assert document.filled(text, "rates", ["new", "lines", ""]) == text.replace("old", "new\nlines")
    with pytest.raises(SystemExit, match="no marks for layers"):
        document.filled(text, "layers", [])


def test_what_a_training_is_compared_with():
    rates = {name: figures.spread(values) for name, values in
             {ways.OURS: [9.0, 8.0], ways.DENSE: [7.0, 7.0], "pytorch": [1.0, 3.0], "pytorch, channels last": [2.0, 2.5]}.items()}
    assert networks_table.fastest_of(rates, "pytorch") == "pytorch, channels last"
    assert networks_table.fastest_of({ways.OURS: spread(9.0), ways.DENSE: spread(7.0)}, "pytorch") is None
    assert part_training.quotients([8.0, 9.0], [2.0, 3.0])["values"] == [4, 3]


def test_the_table_of_trainings():
    found = {"rates": {ways.OURS: spread(9000.0), ways.DENSE: spread(5000.0), "pytorch": spread(3000.0)}, "best": "pytorch",
             "ratio": figures.spread([2.0, 3.0, 4.0]), "of_peak": {ways.OURS: spread(1.2), ways.DENSE: spread(0.7512)}}
    rows, scaling = part_training.rows_of([{"instructions": "avx2", "threads": {"1": found}, "scaling": None}])
    assert rows == [part_training.HEAD, ["avx2", "1", "9,000", "120.0 %", "5,000", "75.1 %", "3,000", "3.00", "2.50 to 3.50"]]
    assert scaling == []
    alone = part_training.row_of("avx2", "2", {**found, "best": None, "ratio": None})
    assert alone[-3:] == ["skipped", "-", "-"] and len(alone) == len(part_training.HEAD)
    assert part_training.scaling_words(["1", "2"], {ways.OURS: figures.spread([1.5, 1.7]), ways.DENSE: spread(1.9)}) == (
        "2 threads beside 1: 1.60 times (as it is; quartiles 1.55 to 1.65), "
        "1.90 times (zeros multiplied; quartiles 1.90 to 1.90)")


def test_the_document_has_all_marks():
    text = document.DOCUMENT.read_text(encoding="utf-8")
    for name in ("machine", "training", "rates", "layers", "start"):
        document.filled(text, name, [])


def test_the_program_has_the_layers_that_are_counted(build, files, tmp_path):
    layers = networks.layers_of(SMALL)
    way = ways.Way("ours", [build / "bin/rate_weightscape", *part_networks.arguments_of(SMALL, 1, files)], {})
    try:
        way.ask("parameters", tmp_path / "parameters")
        told = way.ask("layers", 4, 0.01)
        assert list(told["layers"]) == [*(layer.name for layer in layers), "loss"]
        taken = sum(sum(seconds) for seconds in told["layers"].values()) + told["update_s"]
        assert 0 < taken <= told["step_s"]
        assert way.ask("infer", 8, 0.01)["images_per_second"] > 0
    finally:
        way.close()
    parameters = sum(layer.weights + layer.out[0] for layer in layers if layer.weights)
    assert (tmp_path / "parameters").stat().st_size == 4 * parameters


def without_torch(build, found=ways.found):
    """What is there of the quick ones; on some machines there is only our own."""
    return {**found(build), "pytorch": "left out here"}


def test_all_ways_train_the_same(build, files, tmp_path, monkeypatch):
    monkeypatch.setattr(ways, "found", without_torch)
    part_networks.check(build, SMALL, files, tmp_path)


def test_a_training_takes_turns_to_its_end(build, files, tmp_path, monkeypatch):
    monkeypatch.setattr(ways, "found", without_torch)
    monkeypatch.setattr(part_training, "BATCH", 4)
    for module in (part_training, part_networks):
        monkeypatch.setattr(module, "SECONDS", 0.01)
    options = types.SimpleNamespace(threads=None, rounds=None)
    found = part_training.measure(build, SMALL, files, tmp_path / "parameters", {"CNN_KERNELS": "plain"}, options, steps=3)
    assert found["instructions"] == "plain" and list(found["threads"]) == ["1", "2"]
    for place in found["threads"].values():
        assert place["steps"] >= 3 and place["best"] is None and place["ratio"] is None
        assert set(place["rates"]) == {ways.OURS, ways.DENSE}
        assert all(rate > 0 for rates in place["rates"].values() for rate in rates["values"])
    assert found["scaling"][ways.DENSE]["median"] > 0
    options.rounds, options.threads = 2, [1]
    found = part_training.measure(build, SMALL, files, tmp_path / "parameters", {}, options, steps=1)
    assert len(found["threads"]["1"]["rates"][ways.OURS]["values"]) == 2 and found["scaling"] is None


def test_a_way_that_trains_another_network_is_refused(build, files, tmp_path, monkeypatch):
    program, other = build / "bin/rate_weightscape", Network("", SMALL.spec.replace("maxpool 2, ", ""), SMALL.shape, 6)
    both = [(name, [program, *part_networks.arguments_of(network, 1, files)], {}) for name, network in
            (("ours", networks.without_dropout(SMALL)), ("other", networks.without_dropout(other)))]
    monkeypatch.setattr(ways, "commands", lambda *_: iter(both))
    with pytest.raises(Failed, match="not the same training"):
        part_networks.check(build, SMALL, files, tmp_path)


def test_the_machine_is_measured(build):
    peak = part_networks.Peak(build, 1)
    told = peak.ask(0.02)
    peak.close()
    assert told["instructions"] in ("plain", "avx2", "avx512")
    assert all(told[key] > 0 for key in ("gflops", "read_gb_s", "copy_gb_s", "triad_gb_s"))
