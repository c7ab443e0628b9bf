# SPDX-License-Identifier: BSD-3-Clause
"""Scripts as people write them: what the bridge must not trip over."""
import csv
import os
import re
import subprocess

import hosts

PRODUCER = "source = PVTrivialProducer(registrationName='weights_conv1')\n"

PICTURE = """
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
"""


def test_properties_that_the_gui_saves_for_a_reader(tmp_path):
    outcome = hosts.run(tmp_path / "out", hosts.script(tmp_path, "saved.py", PICTURE))
    assert (outcome.status, outcome.written, outcome.failures) == (0, 3, 0), outcome.errors


def test_a_script_may_be_called_like_a_module_of_python(tmp_path):
    scripts = [hosts.script(tmp_path, name, PRODUCER + "def catalyst_execute(info):\n    print('this is', %r)\n" % name)
               for name in ("random.py", "json.py", "two words.v2.py")]
    outcome = hosts.run(tmp_path / "out", *scripts, steps=0)
    assert (outcome.status, outcome.failures) == (0, 0), outcome.errors
    for script in scripts:
        assert "this is %s" % script.name in outcome.errors


def test_a_script_may_make_its_pipeline_when_it_first_runs(tmp_path):
    text = """
made = []


def catalyst_execute(info):
    if not made:
        made.append(PVTrivialProducer(registrationName='weights_conv2'))
    made[0].UpdatePipeline(info.time)
    print('step', info.timestep, made[0].GetDataInformation().GetNumberOfCells())
"""
    outcome = hosts.run(tmp_path / "out", hosts.script(tmp_path, "late.py", text), steps=2)
    assert (outcome.status, outcome.failures) == (0, 0), outcome.errors
    assert "step 0 49" in outcome.errors and "step 2 49" in outcome.errors


def test_a_view_made_at_a_step_without_a_display_does_not_end_the_host(tmp_path):
    text = PRODUCER + """
def catalyst_execute(info):
    view = CreateView('RenderView')
    Show(source, view)
    Render(view)
"""
    empty = tmp_path / "empty"
    empty.mkdir()
    outcome = hosts.run(tmp_path / "out", hosts.script(tmp_path, "late.py", text), steps=3,
                        environment=hosts.without_display(PATH=str(empty)))
    assert outcome.status == 0, outcome.errors


def test_a_view_made_at_a_step_gets_a_display(tmp_path):
    text = PRODUCER + """
def catalyst_execute(info):
    view = CreateView('RenderView')
    Show(source, view)
    Render(view)
"""
    outcome = hosts.run(tmp_path / "out", hosts.script(tmp_path, "late.py", text), steps=3)
    assert (outcome.status, outcome.failures) == (0, 0), outcome.errors


def test_a_script_with_extractors_runs_at_their_steps_only(tmp_path):
    text = PICTURE + "\n\ndef catalyst_execute(info):\n    print('step', info.timestep)\n"
    outcome = hosts.run(tmp_path / "out", hosts.script(tmp_path, "both.py", text))
    assert outcome.status == 0, outcome.errors
    assert re.findall(r"step \d+", outcome.errors) == ["step 0", "step 4", "step 8"]


def test_a_script_that_exits_inside_a_filter_does_not_end_the_host(tmp_path):
    text = PRODUCER + """
inner = ProgrammableFilter(Input=source, Script='raise SystemExit(3)')


def catalyst_execute(info):
    inner.UpdatePipeline(info.time)
"""
    outcome = hosts.run(tmp_path / "out", hosts.script(tmp_path, "inner.py", text))
    assert (outcome.status, outcome.failures) == (0, 11), outcome.errors
    assert len(outcome.errors.splitlines()) < 40


def test_the_table_knows_what_a_file_name_does_not(tmp_path):
    text = PICTURE.replace("'mine_{timestep:06d}.png'", "'{timestep:06d}_mine.png'")
    outcome = hosts.run(tmp_path / "out", hosts.script(tmp_path, "saved.py", text))
    assert outcome.status == 0, outcome.errors
    with open(tmp_path / "out" / "saved.cdb" / "data.csv", newline="") as table:
        assert [row["time"] for row in csv.DictReader(table)] == ["0", "4", "8"]


def test_the_host_keeps_its_locale_and_can_begin_again(tmp_path):
    """Two runs in one process."""
    source = tmp_path / "twice.c"
    source.write_text(r'''
#include <stdio.h>
#include <weightscape/insitu.h>
static float weight[8];
int main(int argc, char **argv)
{
    for (int run = 0; run < 2; run++) {
        const char *const scripts[] = {argv[2]};
        ws_options options = {.size = sizeof options, .script_count = 1, .scripts = scripts, .output = argv[1], .transport = WS_INLINE};
        ws_layer layer = {.size = sizeof layer, .kind = WS_CONVOLUTION, .name = "conv1", .shape = {2, 1, 2, 2}, .weight = weight};
        ws_insitu *insitu;
        (void)argc;
        if (ws_insitu_create(&options, &insitu) || ws_insitu_add_layer(insitu, &layer) < 0 || ws_insitu_start(insitu))
            return fprintf(stderr, "%s\n", ws_message()), 2;
        for (uint64_t step = 0; step <= 8; step++) {
            ws_row row = {.size = sizeof row, .step = step};
            ws_insitu_row(insitu, &row);
            if (step >= *ws_insitu_next(insitu) && ws_insitu_show(insitu, step))
                return 3;
        }
        ws_insitu_free(insitu);
    }
    puts("twice");
    return 0;
}
''')
    program = tmp_path / "twice"
    build, root = os.environ["WEIGHTSCAPE_BUILD"], os.environ["WEIGHTSCAPE_SOURCE"]
    subprocess.run(["cc", source, "-I%s/catalyst_adaptor/include" % root, "-L%s/lib" % build, "-lweightscape", "-Wl,-rpath,%s/lib" % build, "-o", program], check=True)
    script = hosts.script(tmp_path, "picture.py", PICTURE)
    done = subprocess.run([program, tmp_path / "o", script], capture_output=True, text=True, env=hosts.without_display(), timeout=100)
    assert (done.returncode, done.stdout) == (0, "twice\n"), done.stderr
