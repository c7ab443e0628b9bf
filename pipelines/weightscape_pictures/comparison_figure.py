# SPDX-License-Identifier: BSD-3-Clause
"""Runs against one another: what they reached over what they differ in, and their curves over the steps."""

import numpy as np

from . import history, page, panel, runs as run_folders
from .joint_walk import JointWalk
from .lettering import CENTRE
from .panel import START, Axis, Panel
from .sheet import Sheet
from .varied import Varied, styles_of

USUAL = (1600, 1000)
_HEADER, _LEGEND = 96, 235
_LEFT, _BELOW, _ABOVE, _GAP = 78, 62, 46, 20  # around each plot
_AROUND = 0.06  # free part of the range around values
_ROOM = 10.0  # how many times the range of the runs that are well a run that is not may widen it
_MOST_NAMES = 12  # of values in the legend


def _range(well, sick):
    """Positive values that an axis is to show: those of runs that are well, and of the others what is not far off."""
    well, sick = ([values[np.isfinite(values) & (values > 0)] for values in group] for group in (well, sick))
    well, sick = (np.concatenate([np.empty(0), *group]) for group in (well, sick))
    if not len(well):
        return sick
    near = sick[(sick > well.min() / _ROOM) & (sick < well.max() * _ROOM)]
    return np.concatenate([well, near])


class ComparisonFigure:
    """The page. `panels` by name: choice, loss, error, weights, gradients, walk."""

    def __init__(self, runs, by=None, layer=None, size=USUAL):
        self.runs, self.size = runs, size
        self.varied = Varied(runs, by)
        self.styles, self.style_words = styles_of(self.varied, runs)
        self.layer = self._layer(layer)
        self.unit = min(size[0] / USUAL[0], size[1] / USUAL[1])
        self.walk = self._joint_walk()
        self.panels = {
            "choice": self._choice(0, 0),
            "loss": self._over_steps("loss of the batches, running mean", 1, 0, "loss", self._mean),
            "error": self._over_steps("validation error [%]", 2, 0, None, self._error),
            "weights": self._over_steps(f"{self.layer}: norm of the weights", 0, 1, f"{self.layer}_weight_l2"),
            "gradients": self._over_steps(f"{self.layer}: norm of the gradient, running mean", 1, 1,
                                          f"{self.layer}_gradient_l2", self._mean),
            "walk": self._walk_panel(2, 1),
        }

    # What is shown.

    def _layer(self, wanted):
        there = self.runs[0].walks() + [name for name in self.runs[0].layers() if name not in self.runs[0].walks()]
        layer = wanted or (there[0] if there else None)
        for run in self.runs:
            if layer not in run.layers():
                raise ValueError(f"layer={layer}: {run.folder} has no such layer; it has {', '.join(run.layers())}")
        return layer

    def _joint_walk(self):
        """The walks in one plane, where all runs have kept them, of the same network; else None."""
        specs = {(run.record.get("net") or {}).get("spec") for run in self.runs}
        if len(specs) > 1 or not all(self.layer in run.walks() for run in self.runs):
            return None
        walk = JointWalk(self.runs, self.layer)
        return walk if any(len(points) for _, points in walk.paths) else None

    @staticmethod
    def _mean(values):
        return history.running_mean(np.where(np.isfinite(values), values, np.nan))

    def floor(self):
        """The error, in percent, of half an image: where a logarithmic axis shows none."""
        return 100 * 0.5 / max([1, *(run.validation_images() for run in self.runs)])

    def _error(self, run):
        """Steps at which validation was measured, and the last one, and the errors: rows in between repeat them."""
        accuracy, loss = run.column("validation_accuracy"), run.column("validation_loss")
        rows = np.flatnonzero(np.isfinite(accuracy))
        accuracy, loss = accuracy[rows], loss[rows]
        is_new = np.concatenate([[True], (np.diff(accuracy) != 0) | (np.diff(loss) != 0)])[: len(rows)]
        is_new[-1:] = True
        steps, errors = run.column("step")[rows[is_new]], 100 * (1 - accuracy[is_new])
        # What was measured after the last step is in no row.
        if run.status == run_folders.COMPLETE and np.isfinite(run.validation()[1]):
            before = steps < run.column("step")[-1]
            steps = np.append(steps[before], run.column("step")[-1])
            errors = np.append(errors[before], 100 * (1 - run.validation()[1]))
        return steps, np.maximum(errors, self.floor())

    def _well(self, values):
        sick = [run.has_diverged() for run in self.runs]
        return _range([v for v, bad in zip(values, sick) if not bad], [v for v, bad in zip(values, sick) if bad])

    # Where it is shown.

    def _box(self, column, row):
        width, height = self.size[0] / self.unit, self.size[1] / self.unit
        wide, high = (width - _LEGEND) / 3, (height - _HEADER) / 2
        left, top = column * wide, height - _HEADER - row * high
        box = left + _LEFT, top - high + _BELOW, left + wide - _GAP, top - _ABOVE
        return tuple(self.unit * edge for edge in box)

    def _steps_axis(self):
        last = max(1.0, *(float(run.column("step").max(initial=1)) for run in self.runs))
        return panel.linear_axis(0, last)

    def _over_steps(self, title, column, row, name, smooth=None):
        """A panel with a curve for each run; its `curves` are (steps, values), its `raw` the values before a mean."""
        raw = None
        if name is None:
            curves = [smooth(run) for run in self.runs]
        else:
            raw = [(run.column("step"), run.column(name)) for run in self.runs]
            curves = [(steps, smooth(values) if smooth else values) for steps, values in raw]
        values = self._well([values for _, values in curves])
        made = Panel(title, self._box(column, row), self._steps_axis(), self._up(values, name), self.unit, "training step")
        made.curves, made.raw = curves, raw if smooth else None
        return made

    def _up(self, values, name):
        """Norms of weights change by parts of themselves, all else by orders of magnitude."""
        if name and name.endswith("_weight_l2") and len(values) and values.max() < 10 * values.min():
            room = _AROUND * max(float(np.ptp(values)), 1e-3 * float(values.max()))
            return panel.linear_axis(float(values.min()) - room, float(values.max()) + room)
        return panel.log_axis(values)

    def _choice(self, column, row):
        """Validation error at the end over the option; its `points` are (place on the axis, error), NaN for none."""
        varied = self.varied
        errors = np.array([100 * (1 - run.validation()[1]) for run in self.runs])
        errors = np.maximum(errors, self.floor())
        if varied.is_log:
            room = (varied.high / varied.low) ** _AROUND
            across = Axis(varied.low / room, varied.high * room, True)
        else:
            room = (varied.high - varied.low or 1.0) * (_AROUND if varied.is_number else 0.15)
            across = Axis(varied.low - room, varied.high + room)
        made = Panel("validation error at the end [%]", self._box(column, row), across, panel.log_axis(errors),
                     self.unit, varied.by)
        across.marks = next(marks for marks in (varied.labels(), varied.labels(0), []) if made.has_room_for(marks))
        made.points = list(zip(varied.values, errors))
        return made

    def _walk_panel(self, column, row):
        if self.walk is None:
            title = f"{self.layer}: distance from the start"
            return self._over_steps(title, column, row, f"{self.layer}_distance_l2")
        paths = [points for _, points in self.walk.paths]
        well = [p for p, run in zip(paths, self.runs) if len(p) and not run.has_diverged()] or [p for p in paths if len(p)]
        points = np.concatenate([np.zeros((1, 2)), *well])
        shares = " + ".join(f"{100 * share:.0f} %" for share in self.walk.explained)
        box = self._box(column, row)
        across, up = _window(points, box)
        made = Panel(f"{self.layer}: walks in one plane ({shares})", box, across, up, self.unit,
                     "component 1 (up: component 2)")
        made.curves, made.raw = [(p[:, 0], p[:, 1]) for p in paths], None
        return made

    # Drawing.

    def draw(self):
        """The view."""
        sheet = Sheet(self.size)
        for made in self.panels.values():
            made.draw_frame(sheet)
        for name, made in self.panels.items():
            if name == "choice":
                self._draw_choice(sheet, made)
            else:
                self._draw_curves(sheet, made)
        if self.walk is not None:
            start = self.panels["walk"].placed(0, 0)[0]
            sheet.areas([(panel.disc(start, 4 * self.unit), page.INK)])
        self._draw_legend(sheet)
        view = sheet.draw()
        self._say(view)
        return view

    def _draw_curves(self, sheet, made):
        colours = [self.varied.colour(index) for index in range(len(self.runs))]
        if made.raw:
            strokes = [(points, colours[i]) for i, curve in enumerate(made.raw) for points in made.curve(*curve)]
            sheet.lines(strokes, self.unit, 0.15)
        strokes = [(points, colours[i]) for i, curve in enumerate(made.curves)
                   for points in made.curve(*curve, self.styles[i])]
        sheet.lines(strokes, 2.2 * self.unit)
        self._draw_ends(sheet, made, colours)

    def _draw_ends(self, sheet, made, colours):
        """The last point of each curve that the window shows: a disc, or a cross where the run has diverged."""
        discs, crosses = [], []
        for index, (x, y) in enumerate(made.curves):
            places = made.placed(x, y)
            there = np.flatnonzero(np.isfinite(places).all(axis=1))
            if not len(there):
                continue
            end = places[there[-1]]
            if self.runs[index].has_diverged():
                crosses += [(stroke, colours[index]) for stroke in panel.cross(end, 6 * self.unit)]
            else:
                discs.append((panel.disc(end, 3.5 * self.unit), colours[index]))
        sheet.areas(discs)
        sheet.lines(crosses, 2.5 * self.unit)

    def _draw_choice(self, sheet, made):
        unit = self.unit
        strokes = []
        for rest in dict.fromkeys(self.varied.rest(run) for run in self.runs):
            group = sorted((place, error, index) for index, (place, error) in enumerate(made.points)
                           if self.varied.rest(self.runs[index]) == rest)
            x, y = [place for place, _, _ in group], [error for _, error, _ in group]
            strokes += [(points, page.GREY) for points in made.curve(x, y, self.styles[group[0][2]])]
        sheet.lines(strokes, 1.2 * unit)
        discs, crosses, centres = [], [], []
        for index, (place, error) in enumerate(made.points):
            colour = self.varied.colour(index)
            centre = self.choice_mark(index)
            if self.runs[index].has_diverged() or not np.isfinite(error):
                crosses += [(stroke, colour) for stroke in panel.cross(centre, 6 * unit)]
                continue
            discs.append((panel.disc(centre, 7 * unit), colour))
            if self.runs[index].status != run_folders.COMPLETE:
                centres.append((panel.disc(centre, 4 * unit), page.WHITE))
        sheet.areas(discs)
        sheet.areas(centres)
        sheet.lines(crosses, 2.5 * unit)

    def choice_mark(self, index):
        """The point of the page at which the first panel shows a run: those without an error stand at its top."""
        made = self.panels["choice"]
        place, error = made.points[index]
        if np.isfinite(error):
            return made.placed(place, error)[0]
        return np.array([made.placed(place, made.up.low)[0][0], made.box[3] - 12 * self.unit])

    # Legend and words.

    def _draw_legend(self, sheet):
        unit = self.unit
        left, top = self.size[0] - (_LEGEND - 20) * unit, self.size[1] - (_HEADER + 20) * unit
        words = [(self.varied.by, left, top, 13 * unit, START)]
        names = self.varied.labels(_MOST_NAMES)
        if self.varied.is_number and len(set(self.varied.values)) > _MOST_NAMES:
            top = self._draw_scale(sheet, words, left, top - 30 * unit)
        else:
            # The highest on top, as on an axis; names in their own order.
            names = names[:_MOST_NAMES]
            for value, text in reversed(names) if self.varied.is_number else names:
                top -= 25 * unit
                sheet.lines([([(left, top), (left + 36 * unit, top)], self.varied.colour_at(value))], 4 * unit)
                words.append((_short(text), left + 48 * unit, top, 10.5 * unit, START))
            if len(self.varied.names) > len(names) and not self.varied.is_number:
                top -= 25 * unit
                words.append((f"and {len(self.varied.names) - len(names)} more", left, top, 10.5 * unit, START))
        top -= 20 * unit
        for style, text in enumerate(self.style_words):
            top -= 25 * unit
            strokes = panel._dashed(np.array([(left, top), (left + 36 * unit, top)], float), style, unit)
            sheet.lines([(stroke, page.INK) for stroke in strokes], 2 * unit)
            words.append((_short(text), left + 48 * unit, top, 10.5 * unit, START))
        top -= 45 * unit
        if any(run.has_diverged() for run in self.runs):
            sheet.lines([(stroke, page.INK) for stroke in panel.cross((left + 18 * unit, top), 6 * unit)], 2.5 * unit)
            words.append(("diverged", left + 48 * unit, top, 10.5 * unit, START))
            top -= 25 * unit
        if any(run.status not in (run_folders.COMPLETE, run_folders.DIVERGED) for run in self.runs):
            sheet.areas([(panel.disc((left + 18 * unit, top), 7 * unit), page.INK)])
            sheet.areas([(panel.disc((left + 18 * unit, top), 4 * unit), page.WHITE)])
            words.append(("not complete", left + 48 * unit, top, 10.5 * unit, START))
        sheet.words(words, page.INK)

    def _draw_scale(self, sheet, words, left, top):
        """A bar of all colours, with marks. Returns where it ends."""
        unit, varied, cells = self.unit, self.varied, 100
        high = 260 * unit
        areas = []
        for index in range(cells):
            low_edge, high_edge = top - high + high * index / cells, top - high + high * (index + 1) / cells
            corners = [(left, low_edge), (left + 18 * unit, low_edge), (left + 18 * unit, high_edge), (left, high_edge)]
            part = (index + 0.5) / cells
            value = varied.low * (varied.high / varied.low) ** part if varied.is_log else varied.low + part * (
                varied.high - varied.low)
            areas.append((corners, varied.colour_at(value)))
        sheet.areas(areas)
        for value, text in varied.labels():
            y = top - high + high * varied.place(value)
            sheet.lines([([(left + 18 * unit, y), (left + 25 * unit, y)], page.INK)], unit)
            words.append((text, left + 32 * unit, y, 10 * unit, START))
        return top - high

    def best(self):
        """The number of the run with the highest validation accuracy, the lowest loss among equals; None without any."""
        found = [(-accuracy, loss, index) for index, run in enumerate(self.runs)
                 for loss, accuracy in [run.validation()] if np.isfinite(accuracy)]
        return min(found)[2] if found else None

    def _say(self, view):
        kinds = [f"{len(self.runs)} runs"]
        for what, count in (("diverged", sum(run.has_diverged() for run in self.runs)),):
            if count:
                kinds.append(f"{count} {what}")
        page.Words(view, self.size, 24, (0.018, 0.945), bold=1).say(f"Runs compared by {self.varied.by}")
        text = ", ".join(kinds)
        best = self.best()
        if best is not None:
            run = self.runs[best]
            named = " ".join(part for part in (f"{self.varied.by}={self.varied.words[best]}", self.varied.rest(run)) if part)
            text += f"; best: {_short(named, 90)}, validation accuracy {100 * run.validation()[1]:.2f} %"
        page.Words(view, self.size, 16, (0.018, 0.912), colour=page.GREY).say(text)


def _short(text, most=26):
    return text if len(text) <= most else text[: most - 3] + "..."


def _window(points, box):
    """Axes that show all points, with the same scale across and up."""
    low, high = points.min(0), points.max(0)
    wide, tall = box[2] - box[0], box[3] - box[1]
    scale = max((high[0] - low[0]) / wide, (high[1] - low[1]) / tall, 1e-12) * (1 + 2 * _AROUND)
    middle = (low + high) / 2
    half = scale * np.array([wide, tall]) / 2
    return (panel.linear_axis(float(middle[i] - half[i]), float(middle[i] + half[i])) for i in range(2))
