# SPDX-License-Identifier: BSD-3-Clause
"""Tables of what part_networks.py has measured: images per second beside the best of each other way, and the layers."""
import statistics

from networks import NETWORKS
from ways import DENSE, OURS, family_of

MODES = {"train": "training", "infer": "inference"}
OTHERS = ("pytorch", "onednn", "openblas")
TITLES = {"pytorch": "PyTorch", "onednn": "oneDNN", "openblas": "OpenBLAS"}


def fastest_of(rates, family):
    """The variant of a family that has the best median, None where it was left out."""
    return max((name for name in rates if family_of(name) == family), key=lambda name: rates[name]["median"], default=None)


def best_of(rates, family):
    """That median."""
    name = fastest_of(rates, family)
    return rates[name]["median"] if name else None


def share_of_peak(cell, name=OURS):
    """Of the machine's own rate of fused multiplications and additions in the same rounds, dense work counted."""
    return cell["rates"][name]["median"] * cell["flop_per_image"] / 1e9 / cell["machine"]["gflops"]["median"]


def row_of(batch, cell):
    """batch, ours and the share of the peak in both ways, and each other way with the ratio of ours to it."""
    ours = cell["rates"][OURS]
    words = [batch]
    for name in (OURS, DENSE):
        words += [f"{cell['rates'][name]['median']:,.0f}", f"{100 * share_of_peak(cell, name):.0f} %"]
    for family in OTHERS:
        other = best_of(cell["rates"], family)
        words += [f"{other:,.0f}", f"{ours['median'] / other:.2f}"] if other else ["skipped", "-"]
    return words


HEAD = ["batch", "Weightscape", "of peak", "zeros multiplied", "of peak"] + [word for family in OTHERS for word in (TITLES[family], "ratio")]


LAYER_HEAD = ["layer", "ms", "GFLOP/s", "of peak", "of step"]


def _layer_row(name, seconds, flop, by_layer):
    rate = flop / seconds / 1e9
    share = f"{100 * rate / by_layer['machine']['gflops']['median']:.0f} %"
    return [name, f"{1e3 * seconds:.3f}", f"{rate:.1f}" if flop else "", share if flop else "",
            f"{100 * seconds / by_layer['step_s']:.1f} %"]


def layer_rows(by_layer):
    """Milliseconds, GFLOP/s and their share of the peak, and the share of the step."""
    for way in ("forward", "backward"):
        for group in by_layer[way]:
            yield _layer_row(f"{group['name']}, {way}", group["seconds"], group["flop"], by_layer)
        if way == "forward":
            yield _layer_row("loss", by_layer["loss_s"], 0, by_layer)
    yield _layer_row("update (Adam)", by_layer["update_s"], 0, by_layer)


def machine_words(cells):
    """The machine's rates in all rounds of some cells."""
    rates = {key: statistics.median(value for cell in cells for value in cell["machine"][key]["values"])
             for key in ("gflops", "read_gb_s", "copy_gb_s", "triad_gb_s")}
    return (f"{rates['gflops']:.0f} GFLOP/s, read {rates['read_gb_s']:.1f}, copy {rates['copy_gb_s']:.1f}, "
            f"triad {rates['triad_gb_s']:.1f} GB/s")


def threads_words(threads):
    return f"{threads} thread" + ("s" if int(threads) > 1 else "")


def aligned(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  " + "  ".join(word.ljust(width) if not column else word.rjust(width)
                               for column, (word, width) in enumerate(zip(row, widths)))


def marked_table(rows):
    """A table of Markdown."""
    yield "| " + " | ".join(rows[0]) + " |"
    yield "|" + "---|" * len(rows[0])
    for row in rows[1:]:
        yield "| " + " | ".join(row) + " |"


def tables_of(key, threads, place):
    """(title, rows with a head) of one network with so many threads."""
    title = f"{NETWORKS[key].title}, {threads_words(threads)}"
    for mode, words in MODES.items():
        cells = sorted(place[mode].items(), key=lambda item: int(item[0]))
        if cells:
            machine = machine_words([cell for _, cell in cells])
            yield (f"{title}: {words}, images/s (machine: {machine}, {cells[0][1]['instructions']})",
                   [HEAD] + [row_of(batch, cell) for batch, cell in cells])
    yield (f"{title}: layers of a step of {place['by_layer']['batch']} images", [LAYER_HEAD, *layer_rows(place["by_layer"])])


def lines_of(key, threads, place, marked=False):
    for title, rows in tables_of(key, threads, place):
        yield ""
        yield title
        if marked:
            yield ""
        yield from (marked_table if marked else aligned)(rows)
