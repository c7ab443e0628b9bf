# SPDX-License-Identifier: BSD-3-Clause
"""A chart of curves over training steps: white page, legend beside or above the curves, never on them."""

import math
from dataclasses import dataclass

import numpy as np
from paraview import simple

from . import page
from .ticks import ROUND

SOLID, DASHED = "1", "2"
LEFT, RIGHT = "0", "1"


@dataclass
class Curve:
    """How a column is drawn. Without a label it stays out of the legend."""

    column: str
    colour: str
    label: str = ""
    style: str = SOLID
    thickness: float = 2
    opacity: float = 1
    axis: str = LEFT


def log_range(values):
    """Limits of a logarithmic axis around all positive finite values: numbers 1, 2 or 5 times a power of ten."""
    values = values[np.isfinite(values) & (values > 0)]
    if not len(values):
        return 0.1, 10.0
    low, high = float(values.min()), float(values.max())
    below = 10.0 ** math.floor(math.log10(low))
    bottom = max(step * below for step in ROUND if step * below <= low * (1 + 1e-9))
    above = 10.0 ** math.floor(math.log10(high))
    top = min(step * above for step in (*ROUND, 10.0) if step * above >= high * (1 - 1e-9))
    return (bottom, top) if top >= 10 * bottom else (bottom / math.sqrt(10), top * math.sqrt(10))


def decades(low, high):
    """Labels of a logarithmic axis."""
    powers = range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1)
    return [10.0**power for power in powers]


class Chart:
    """An XY chart that fills a picture."""

    def __init__(self, size, left_title, right_title=None):
        self._shown = None
        self.view = simple.CreateView("XYChartView")
        view = self.view
        view.ViewSize = list(size)
        view.SortByXAxis = 0
        view.HideTimeMarker = 1
        view.BottomAxisTitle, view.LeftAxisTitle = "training step", left_title
        view.LeftAxisLogScale = 1
        view.ShowRightAxisGrid = 0
        view.ChartTitleAlignment = "Left"
        view.ChartTitleFontSize, view.ChartTitleColor, view.ChartTitleBold = page.font(size, 15), page.INK, 0
        view.LegendFontSize, view.LegendSymbolWidth = page.font(size, 13), page.font(size, 30)
        view.LegendLocation = "TopRight"
        view.ChartTitleFontFamily = view.LegendFontFamily = "Arial"
        axes = ["Bottom", "Left"]
        if right_title:
            view.RightAxisTitle = right_title
            axes.append("Right")
        for axis in axes:
            for part, points in (("Title", 15), ("Label", 13)):
                setattr(view, f"{axis}Axis{part}FontFamily", "Arial")
                setattr(view, f"{axis}Axis{part}FontSize", page.font(size, points))
                setattr(view, f"{axis}Axis{part}Color", page.INK)
                setattr(view, f"{axis}Axis{part}Bold", 0)
            setattr(view, f"{axis}AxisColor", page.GREY)
            setattr(view, f"{axis}AxisGridColor", page.FAINT)
            setattr(view, f"{axis}AxisUseCustomRange", 1)
            setattr(view, f"{axis}AxisUseCustomLabels", 1)

    def show(self, source):
        """Draws the columns of a table, those that `draw` names."""
        self._shown = simple.Show(source, self.view, "XYChartRepresentation")
        self._shown.AttributeType = "Row Data"
        self._shown.UseIndexForXAxis = 0
        self._shown.XArrayName = "step"
        self._shown.SeriesVisibility = []

    def draw(self, curves):
        """Sets which columns are drawn and how; the first curves lie beneath the last."""
        shown = self._shown

        def pairs(value):
            return [text for curve in curves for text in (curve.column, *value(curve))]

        shown.SeriesLabel = pairs(lambda curve: [curve.label])
        shown.SeriesColor = pairs(lambda curve: map(str, page.rgb(curve.colour)))
        shown.SeriesLineStyle = pairs(lambda curve: [curve.style])
        shown.SeriesLineThickness = pairs(lambda curve: [str(curve.thickness)])
        shown.SeriesOpacity = pairs(lambda curve: [str(curve.opacity)])
        shown.SeriesMarkerStyle = pairs(lambda curve: ["0"])
        shown.SeriesPlotCorner = pairs(lambda curve: [curve.axis])
        shown.SeriesVisibility = [curve.column for curve in curves]

    def title(self, title, status):
        """Title of the picture, and where the training stands."""
        page.keep_words_clean()
        self.view.ChartTitle = f"{title}\n{status}".rstrip("\n")

    def axis(self, name, low, high, labels):
        """Limits and labels of the axis 'Bottom', 'Left' or 'Right'."""
        setattr(self.view, f"{name}AxisRangeMinimum", low)
        setattr(self.view, f"{name}AxisRangeMaximum", high)
        places_and_words = [text for label in labels for text in (repr(float(label)), f"{label:g}")]
        setattr(self.view, f"{name}AxisLabels", places_and_words)
