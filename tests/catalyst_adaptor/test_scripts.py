# SPDX-License-Identifier: BSD-3-Clause
"""Scripts that fail: found before the start where that is possible, told once, and never the end of the host."""

import csv
import time

import pytest

import hosts

PRODUCER = "source = PVTrivialProducer(registrationName='weights_conv1')\n"


@pytest.mark.parametrize("name, text, words", [
    ("syntax", "this is no Python\n", "syntax.py:5: SyntaxError"),
    ("nosuch", "PVTrivialProducer(registrationName='nosuch')\n", "there is no channel 'nosuch'; there are: weights_conv1"),
    ("raises", PRODUCER + "1 / 0\n", "raises.py:6: ZeroDivisionError"),
    ("leaves", PRODUCER + "import sys\nsys.exit(0)\n", "leaves.py: "),
    ("old", PRODUCER + "Threshold(Input=source).NoSuchProperty = 1\n", "NoSuchProperty"),
    ("dies", PRODUCER + "import os\nos.kill(os.getpid(), 11)\n", "signal 11"),
])
def test_found_before_the_start(tmp_path, name, text, words):
    outcome = hosts.run(tmp_path / "out", hosts.script(tmp_path, name + ".py", text))
    assert outcome.status == 2
    assert words in outcome.errors
    assert len(outcome.errors.splitlines()) == 1


def test_a_script_that_never_ends_is_found_before_the_start(tmp_path):
    begin = time.monotonic()
    outcome = hosts.run(tmp_path / "out", hosts.script(tmp_path, "loop.py", PRODUCER + "while True:\n    pass\n"), seconds=2)
    assert outcome.status == 2
    assert "loop.py" in outcome.errors
    assert time.monotonic() - begin < 60


@pytest.mark.parametrize("name, body, words", [
    ("throws", "raise ValueError('at three')", "ValueError: at three"),
    ("leaves", "import sys; sys.exit(0)", "the script ended itself"),
])
def test_a_failure_at_a_step_is_told_once(tmp_path, name, body, words):
    text = PRODUCER + "def catalyst_execute(info):\n    if info.timestep >= 3:\n        %s\n" % body
    outcome = hosts.run(tmp_path / "out", hosts.script(tmp_path, name + ".py", text), steps=20)
    assert outcome.status == 0
    assert outcome.failures == 18
    told = [line for line in outcome.errors.splitlines() if words in line]
    assert len(told) == 1
    assert "%s.py:8" % name in told[0] and "step 3" in told[0]
    assert "17 more times" in outcome.errors
    assert len(outcome.errors.splitlines()) < 5


def test_a_loop_at_a_step_is_interrupted_and_not_run_again(tmp_path):
    text = PRODUCER + "def catalyst_execute(info):\n    while info.timestep >= 3:\n        pass\n"
    other = hosts.script(tmp_path, "other.py", PRODUCER + "def catalyst_execute(info):\n    print('step', info.timestep)\n")
    outcome = hosts.run(tmp_path / "out", hosts.script(tmp_path, "loop.py", text), other, seconds=2)
    assert outcome.status == 0
    assert outcome.failures == 1
    assert "took too long" in outcome.errors and "not run again" in outcome.errors
    # The other script goes on, and what it prints is seen.
    assert "step 10" in outcome.errors


def test_arguments_reach_their_script(tmp_path):
    text = PRODUCER + "arguments = catalyst.get_args()\ndef catalyst_execute(info):\n    print(arguments)\n"
    path = hosts.script(tmp_path, "arguments.py", text)
    outcome = hosts.run(tmp_path / "out", "%s,layer=conv2,every=5" % path, "%s,x=1" % path, steps=0)
    assert outcome.status == 0
    assert "['--layer=conv2', '--every=5']" in outcome.errors
    assert "['--x=1']" in outcome.errors


EXPORTED = """
image = XMLImageDataReader(registrationName='weights_conv1.vti', FileName=['/nowhere/weights_conv1.vti'])
image.CellArrayStatus = ['weight', 'filter']
image.TimeArray = 'None'
view = CreateView('RenderView')
view.ViewSize = [200, 150]
display = Show(image, view)
display.Representation = 'Surface'
extractor = CreateExtractor('PNG', view, registrationName='PNG1')
extractor.Trigger = 'TimeStep'
extractor.Trigger.Frequency = 4
extractor.Writer.FileName = 'mine_{timestep:06d}.png'
options.EnableCatalystLive = 1
options.ExtractsOutputDirectory = '/nowhere'
if __name__ == '__main__':
    from paraview.simple import SaveExtractsUsingCatalystOptions
    SaveExtractsUsingCatalystOptions(options)
"""


def test_a_script_saved_by_the_gui_runs_unchanged(tmp_path):
    """It reads an exported file, calls a GUI that is not there, and writes elsewhere: the bridge sees to all three."""
    outcome = hosts.run(tmp_path / "out", hosts.script(tmp_path, "saved.py", EXPORTED))
    assert outcome.status == 0, outcome.errors
    assert (outcome.written, outcome.expected, outcome.failures) == (3, 3, 0)
    database = tmp_path / "out" / "saved.cdb"
    with open(database / "data.csv", newline="") as table:
        rows = list(csv.DictReader(table))
    assert [row["time"] for row in rows] == ["0", "4", "8"]
    for row in rows:
        assert (database / row["FILE"]).read_bytes().startswith(b"\x89PNG")
