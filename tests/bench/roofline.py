# SPDX-License-Identifier: BSD-3-Clause
"""The layers of all networks under the machine's two roofs: what memory brings, and what multiplies and adds."""
import importlib.util
import sys

from networks import NETWORKS
from networks_table import threads_words

MARKS = {"poster": "o", "lenet5": "s", "vgg": "^"}
COLOURS = {"forward": "#0b4f9e", "backward": "#b3001b"}


def points_of(by_layer):
    """(way, layer, FLOP per byte that must pass through memory, GFLOP/s) of all that have multiplications."""
    for way in COLOURS:
        for group in by_layer[way]:
            if group["flop"]:
                yield way, group["name"].split()[0], group["flop"] / group["bytes"], group["flop"] / group["seconds"] / 1e9


def roof(machine, intensity):
    """GFLOP/s that the machine can reach at so many FLOP per byte."""
    return min(machine["gflops"]["median"], intensity * machine["triad_gb_s"]["median"])


def _panel(axes, found, threads):
    machine = next(iter(found.values()))[threads]["by_layer"]["machine"]
    low, high = 0.5, 500
    ridge = machine["gflops"]["median"] / machine["triad_gb_s"]["median"]
    highest = machine["gflops"]["median"]  # what leaves zeros out may lie above it
    axes.plot([low, ridge, high], [roof(machine, x) for x in (low, ridge, high)], color="#222222", linewidth=1.5)
    for key, of_threads in found.items():
        for way, name, intensity, rate in points_of(of_threads[threads]["by_layer"]):
            highest = max(highest, rate)
            axes.plot(intensity, rate, MARKS[key], color=COLOURS[way], markersize=6)
            axes.annotate(name, (intensity, rate), xytext=(4, 4), textcoords="offset points", fontsize=6)
    axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(1, 1.5 * highest),
             xlabel="FLOP per byte of memory", ylabel="GFLOP/s",
             title=f"{threads_words(threads)}: {machine['gflops']['median']:.0f} GFLOP/s, "
                   f"triad {machine['triad_gb_s']['median']:.1f} GB/s")
    axes.grid(which="both", linewidth=0.3, color="#cccccc")


def draw(found, file):
    """Writes the picture, or says why there is none."""
    if not importlib.util.find_spec("matplotlib"):
        print("  skipped: roofline.png: matplotlib is not installed (Debian: python3-matplotlib)", file=sys.stderr)
        return
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.lines import Line2D

    threads = sorted({number for of_threads in found.values() for number in of_threads}, key=int)
    figure, panels = pyplot.subplots(1, len(threads), figsize=(6 * len(threads), 5), squeeze=False)
    for axes, number in zip(panels[0], threads):
        _panel(axes, {key: of_threads for key, of_threads in found.items() if number in of_threads}, number)
    keys = [Line2D([], [], marker=MARKS[key], color="#222222", linestyle="", label=NETWORKS[key].title) for key in found]
    keys += [Line2D([], [], color=colour, linewidth=4, label=way) for way, colour in COLOURS.items()]
    panels[0][0].legend(handles=keys, fontsize=7, loc="lower right")
    figure.tight_layout()
    figure.savefig(file, dpi=100, metadata={"Software": None})
    print(f"  {file}")
