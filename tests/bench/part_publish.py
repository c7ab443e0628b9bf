# SPDX-License-Identifier: BSD-3-Clause
"""publish: handing over a frame of 15 million floats beside a plain copy of them, by bench_publish."""
import json
import subprocess

import figures

RUNS = 7


def run(program, options):
    runs = options.rounds or RUNS
    told = [json.loads(subprocess.run([program.path.with_name("bench_publish")], check=True, stdout=subprocess.PIPE,
                                      text=True).stdout) for _ in range(runs)]
    result = {"runs": runs}
    for name, each in (("alone", told), ("followed", [values["followed"] for values in told])):
        result[name] = {key: figures.spread([values[key] for values in each])
                        for key in ("publish_s", "memcpy_s", "ratio")}
    figures.print_spreads(f"a frame of 60 MB, {runs} runs", [
        (f"{what}{words}", result[name][key], form)
        for name, words in (("alone", ""), ("followed", ", with a reader"))
        for what, key, form in (("seconds to publish", "publish_s", "{:.5f}"), ("seconds to copy", "memcpy_s", "{:.5f}"),
                                ("ratio", "ratio", "{:.3f}"))])
    return result
