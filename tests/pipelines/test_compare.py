# SPDX-License-Identifier: BSD-3-Clause
"""Runs against one another: each curve and mark is where its run's rows are, in the colour of what the run varies."""

import csv
import json
import shutil
import struct
import subprocess

import numpy as np
import pytest
from PIL import Image

STEPS = 400
SKETCH = 64
SCALARS = ("step", "epoch", "time_s", "loss", "accuracy", "learning_rate", "validation_loss", "validation_accuracy")
NORMS = tuple(f"conv1_{kind}_l2" for kind in ("weight", "gradient", "distance"))


class FakeRun:
    """A folder as a training leaves it; `columns` are arrays or numbers, `sketch` an array (rows, up to 64)."""

    def __init__(self, folder, status="complete", steps=STEPS, accuracy=0.9, sketch=None, history=True, spec="net",
                 options=None, **columns):
        folder.mkdir(parents=True)
        self.folder = folder
        self.columns = {name: np.zeros(steps + 1) for name in (*SCALARS, *NORMS, "conv1_w0", "conv1_w1")}
        self.columns["step"] = np.arange(steps + 1.0)
        for name, value in {"loss": 1.0, "validation_accuracy": accuracy, "conv1_weight_l2": 2.0,
                            "conv1_gradient_l2": 0.5, **columns}.items():
            self.columns[name] = np.broadcast_to(np.asarray(value, float), steps + 1)
        self.sketch = np.zeros((steps + 1, SKETCH))
        if sketch is not None:
            self.sketch[:, : sketch.shape[1]] = sketch
        record = {"status": status, "options": {"lr": 0.001, "optimizer": "adam", **(options or {})},
                  "net": {"spec": spec}, "data": {"validation": 5000},
                  "validation": {"loss": 0.1, "accuracy": accuracy}}
        (folder / "run.json").write_text(json.dumps(record))
        (self.write_history if history else self.write_metrics)()

    def write_history(self, torn=b""):
        columns = [[name, "<f8", 1] for name in self.columns] + [["conv1_sketch", "<f4", SKETCH]]
        head = json.dumps({"version": 1, "columns": columns}).encode()
        types = [(name, "<f8") for name in self.columns] + [("conv1_sketch", "<f4", (SKETCH,))]
        rows = np.zeros(len(self.sketch), types)
        for name, values in self.columns.items():
            rows[name] = values
        rows["conv1_sketch"] = self.sketch
        (self.folder / "history.ws").write_bytes(b"WSHIST1\n" + struct.pack("<Q", len(head)) + head + rows.tobytes() + torn)

    def write_metrics(self):
        names = [*SCALARS, *NORMS]
        with open(self.folder / "metrics.csv", "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(names)
            for index in range(1, len(self.sketch)):
                writer.writerow("" if np.isnan(value := self.columns[name][index]) else repr(float(value)) for name in names)


@pytest.fixture
def fake(tmp_path):
    """fake('name', lr=0.1, ...): the path of a run; an option of train is given in `options`."""
    return lambda name, **how: FakeRun(tmp_path / name, **how)


class Comparison:
    """A figure, and its picture, which is drawn when it is first asked for: an array [row, column, rgb]."""

    def __init__(self, figure, path):
        self.figure, self.panels, self.varied = figure, figure.panels, figure.varied
        self._path, self._picture = path, None

    @property
    def picture(self):
        from weightscape_pictures import sheet

        if self._picture is None:
            sheet.save(self.figure.draw(), str(self._path), self.figure.size)
            self._picture = picture_in(self._path)
        return self._picture

    def assert_coloured(self, at, colour):
        assert distance_at(self.picture, at, colour) <= 14, (at, colour)


@pytest.fixture
def compare(display, pipelines, tmp_path):
    """compare(runs, ...): a Comparison."""
    pytest.importorskip("paraview", reason="no paraview: apt-get install python3-paraview")
    from weightscape_pictures import runs
    from weightscape_pictures.comparison_figure import ComparisonFigure

    def make(fakes, *arguments):
        return Comparison(ComparisonFigure(runs.read([fake.folder for fake in fakes]), *arguments), tmp_path / "made.png")

    return make


def picture_in(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def distance_at(picture, at, colour, reach=1):
    """How far the nearest pixel around a point of the page is from a colour."""
    x, y = at
    row, column = int(picture.shape[0] - y), int(x)
    around = picture[row - reach : row + reach + 1, column - reach : column + reach + 1].reshape(-1, 3)
    return np.abs(around - 255 * np.array(colour)).max(axis=1).min()


LEVELS = (0.5, 1.0, 2.0, 4.0)


@pytest.fixture
def four(fake):
    """Runs whose curves lie apart: their rates are a decade apart."""
    return [fake(f"r{i}", options={"lr": 10.0 ** (i - 4)}, loss=level, conv1_weight_l2=level, conv1_gradient_l2=level,
                 accuracy=1 - level / 100) for i, level in enumerate(LEVELS)]


def test_each_run_is_where_its_rows_are_in_the_colour_of_its_value(compare, four):
    made = compare(four)
    assert made.varied.by == "lr" and made.varied.is_log
    colours = [made.varied.colour(index) for index in range(4)]
    assert len(set(colours)) == 4
    for name in ("loss", "weights", "gradients"):
        for step in (60, 200, 340):
            for level, colour in zip(LEVELS, colours):
                made.assert_coloured(made.panels[name].placed(step, level)[0], colour)
    places = []
    for index, (level, colour) in enumerate(zip(LEVELS, colours)):
        made.assert_coloured(made.panels["error"].placed(200, level)[0], colour)
        at = made.panels["choice"].placed(10.0 ** (index - 4), level)[0]
        assert made.figure.choice_mark(index) == pytest.approx(at)
        made.assert_coloured(at, colour)
        places.append(at)
    # Decades are equally far apart, and a smaller error is lower.
    assert np.diff([x for x, _ in places]) == pytest.approx([np.ptp([x for x, _ in places]) / 3] * 3)
    assert sorted(y for _, y in places) == [y for _, y in places]
    assert made.figure.best() == 0


def test_numbers_get_a_scale_and_names_a_palette(compare, fake):
    from weightscape_pictures import page, varied

    names = compare([fake(f"n{i}", options={"optimizer": name}) for i, name in enumerate(("sgd", "adam"))]).varied
    assert names.by == "optimizer" and not names.is_number
    assert [names.colour(i) for i in range(2)] == [tuple(page.rgb(c)) for c in page.LAYER_COLOURS[:2]]
    near = compare([fake(f"m{i}", options={"momentum": value}) for i, value in enumerate((0.5, 0.7, 0.9))]).varied
    assert near.is_number and not near.is_log
    assert near.colour(1) == pytest.approx(varied.sequential(0.5))


def test_a_second_option_is_told_by_the_style(compare, fake):
    made = compare([fake(f"s{i}{name}", options={"lr": rate, "optimizer": name}, conv1_weight_l2=2 + i + (name == "sgd") / 2)
                    for i, rate in enumerate((0.1, 0.2)) for name in ("adam", "sgd")])
    assert made.varied.by == "lr" and made.figure.style_words == ["optimizer=adam", "optimizer=sgd"]
    shares = []
    for index, level in enumerate((2, 2.5, 3, 3.5)):
        places = [made.panels["weights"].placed(step, level)[0] for step in range(20, 380)]
        shares.append(np.mean([distance_at(made.picture, at, made.varied.colour(index)) < 60 for at in places]))
    assert shares[0] > 0.95 and shares[2] > 0.95, shares
    assert all(0.5 < share < 0.9 for share in shares[1::2]), shares


def test_a_run_that_diverged_ends_in_a_cross(compare, fake):
    bad = np.full(STEPS + 1, 3.0)
    bad[100:] = [np.nan] * 100 + [1e30] * (STEPS - 199)
    made = compare([fake("good", options={"lr": 0.01}, conv1_weight_l2=2.0),
                    fake("bad", options={"lr": 0.1}, status="failed", conv1_weight_l2=bad)])
    colour, panel = made.varied.colour(1), made.panels["weights"]
    made.assert_coloured(panel.placed(60, 3)[0], colour)
    assert distance_at(made.picture, panel.placed(150, 3)[0], colour, 4) > 60
    end = panel.placed(99, 3)[0]
    for stroke in ((4, 4), (-4, 4), (4, -4), (-4, -4)):
        made.assert_coloured(end + stroke, colour)
    # It has no error: a cross at the top, and it is not the best.
    for stroke in ((4, 4), (-4, -4)):
        made.assert_coloured(made.figure.choice_mark(1) + stroke, colour)
    assert made.figure.best() == 0
    # A value far off does not flatten the others.
    assert panel.up.high < 10


def test_a_run_that_is_not_complete_is_a_ring(compare, fake):
    from weightscape_pictures import page

    made = compare([fake("a", options={"lr": 0.01}), fake("b", options={"lr": 0.1}, status="interrupted", accuracy=0.8)])
    made.assert_coloured(made.figure.choice_mark(0), made.varied.colour(0))
    made.assert_coloured(made.figure.choice_mark(1), page.WHITE)
    made.assert_coloured(made.figure.choice_mark(1) + (5.5, 0), made.varied.colour(1))


def test_a_long_run_keeps_its_extremes(compare, fake):
    steps = 200000
    weights = np.full(steps + 1, 2.0)
    weights[123456], weights[654] = 3.0, 1.5
    made = compare([fake("long", options={"lr": 0.01}, steps=steps, conv1_weight_l2=weights),
                    fake("short", options={"lr": 0.1}, conv1_weight_l2=1.0)])
    panel = made.panels["weights"]
    for step, value in ((123456, 2.9), (654, 1.6), (50000, 2.0)):
        assert distance_at(made.picture, panel.placed(step, value)[0], made.varied.colour(0)) < 90
    assert sum(map(len, panel.curve(*panel.curves[0]))) <= 2100


def test_walks_lie_in_one_plane(compare, fake):
    part = np.linspace(0, 1, STEPS + 1)[:, None]
    along, across = np.zeros((1, 5)), np.zeros((1, 5))
    along[0, 1], across[0, 3] = 2.0, 1.0
    made = compare([fake("a", options={"lr": 0.01}, sketch=part * along),
                    fake("b", options={"lr": 0.1}, sketch=part * across)])
    walk, panel = made.figure.walk, made.panels["walk"]
    assert sum(walk.explained) == pytest.approx(1)
    ends = [points[-1] for _, points in walk.paths]
    assert np.hypot(*ends[0]) == pytest.approx(2) and np.hypot(*ends[1]) == pytest.approx(1)
    assert ends[0] @ ends[1] == pytest.approx(0, abs=1e-9)
    for index in range(2):
        for share in (0.3, 0.6, 1.0):
            made.assert_coloured(panel.placed(*(share * ends[index]))[0], made.varied.colour(index))
    # The same scale both ways: a walk twice as long is drawn twice as long.
    start, *drawn = (panel.placed(*point)[0] for point in ((0, 0), *ends))
    lengths = [np.hypot(*(end - start)) for end in drawn]
    assert lengths[0] == pytest.approx(2 * lengths[1])


def test_without_a_common_plane_it_shows_the_distance(compare, fake):
    one = fake("a", options={"lr": 0.01}, conv1_distance_l2=1.0)
    without_history = fake("b", options={"lr": 0.1}, conv1_distance_l2=2.0, history=False)
    other_net = fake("c", options={"lr": 0.1}, spec="another net")
    assert compare([one, other_net]).figure.walk is None
    made = compare([one, without_history])
    assert made.figure.walk is None and "distance" in made.panels["walk"].title
    for index, value in enumerate((1.0, 2.0)):
        made.assert_coloured(made.panels["walk"].placed(200, value)[0], made.varied.colour(index))


def test_many_values_have_a_bar(compare, fake):
    made = compare([fake(f"r{i}", steps=3, options={"lr": 10 ** (-4 + 3 * i / 14)}) for i in range(15)])
    right = made.picture[:, 1600 - 235 + 15 : 1600 - 235 + 38].reshape(-1, 3)
    low, high = np.log(made.varied.low), np.log(made.varied.high)
    for share in (0.02, 0.5, 0.98):
        wanted = 255 * np.array(made.varied.colour_at(float(np.exp(low + share * (high - low)))))
        assert np.abs(right - wanted).max(axis=1).min() <= 14


def test_a_torn_row_is_left_out(compare, four):
    four[0].write_history(torn=b"x" * 100)
    assert len(compare(four).figure.runs[0].column("step")) == STEPS + 1


def test_the_program_draws_the_same_picture(compare, four, weightscape, pipelines, tmp_path):
    expected = compare(four).picture
    (tmp_path / "sweep.json").write_text(json.dumps({"vary": [{"option": "lr"}], "runs": [
        {"name": fake.folder.name} for fake in four] + [{"name": "not begun"}]}))
    told = subprocess.run([weightscape, "compare", tmp_path], capture_output=True, text=True, check=True)
    assert told.stdout == f"picture: {tmp_path}/compare.png\n" and not told.stderr
    assert (picture_in(tmp_path / "compare.png") == expected).all()
    if not shutil.which("pvbatch"):
        pytest.skip("no pvbatch: apt-get install paraview")
    alone = tmp_path / "alone.png"
    subprocess.run(["pvbatch", pipelines / "compare.py", *(fake.folder for fake in four), "--output", alone], check=True,
                   capture_output=True)
    assert (picture_in(alone) == expected).all()


@pytest.mark.parametrize("spoil, words", [
    (lambda run: ["colour"], ["by=colour", "lr"]),
    (lambda run: [None, "conv7"], ["layer=conv7", "conv1"]),
    (lambda run: [(run / "run.json").write_text("{}")][:0], ["run.json", "options"]),
    (lambda run: [(run / "run.json").write_text("{")][:0], ["run.json"]),
    (lambda run: [(run / "history.ws").write_bytes(b"WSHIST1\n" + b"\xff" * 8)][:0], ["history.ws", "head"]),
    (lambda run: [(run / "history.ws").write_bytes(b"")][:0], ["history.ws", "no history"]),
    (lambda run: [(run / "history.ws").unlink()][:0], ["metrics.csv"]),
])
def test_what_cannot_be_compared_is_refused(compare, four, spoil, words):
    arguments = spoil(four[1].folder)
    with pytest.raises(ValueError) as refused:
        compare(four, *arguments)
    assert all(word in str(refused.value) for word in words), refused.value


def test_a_refusal_is_one_line(four, weightscape, tmp_path):
    told = subprocess.run([weightscape, "compare", "-o", "x.png", "--by", "colour", *(fake.folder for fake in four)],
                          capture_output=True, text=True, cwd=tmp_path)
    assert told.returncode == 2 and not told.stdout and not (tmp_path / "x.png").exists()
    assert told.stderr == "weightscape compare: by=colour: the runs have no such option; they differ in lr\n"
