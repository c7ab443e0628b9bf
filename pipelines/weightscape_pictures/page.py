# SPDX-License-Identifier: BSD-3-Clause
"""What all pictures share: page, fonts, words about the state of the training, and the file a picture goes to."""

import math

from paraview import servermanager, simple
from vtkmodules.vtkRenderingFreeType import vtkFreeTypeTools

WHITE = [1.0, 1.0, 1.0]
INK = [0.12, 0.12, 0.14]
GREY = [0.45, 0.45, 0.48]
FAINT = [0.85, 0.85, 0.85]
LAYER_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a5195", "#6b6b6b")
COLOUR = "colour"  # of cells that have their own
_DESIGN_HEIGHT = 768
_DISTANCE = 1000.0


def rgb(colour):
    """'#rrggbb' as three numbers from 0 to 1."""
    return [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]


def font(size, points):
    """A font size that keeps its share of the page."""
    return max(7, round(points * min(size[1] / _DESIGN_HEIGHT, size[0] / 1024)))


def number(value, form="{:.3g}"):
    """A value for people; a dash where there is none."""
    return form.format(value) if math.isfinite(value) else "\u2013"


def status(state):
    """Where the training stands, in two lines."""
    if math.isnan(state["step"]):
        return "no data yet\n"
    where = f"step {state['step']:.0f}"
    if math.isfinite(state["epoch"]):
        where += f", epoch {state['epoch']:.2f}"
    if math.isnan(state["accuracy"]) and math.isnan(state["loss"]):
        return f"{where}\nbefore training" if state["step"] == 0 else f"{where}\n"
    known = f"loss {number(state['loss'])}, accuracy {number(100 * state['accuracy'], '{:.1f}')} %"
    if math.isfinite(state["validation_accuracy"]):
        known += f" (validation {100 * state['validation_accuracy']:.2f} %)"
    return f"{where}\n{known}"


def options(every):
    """Options of a script that runs at each `every`-th step only: a Cinema database is written, nobody is called over Live."""
    from paraview.catalyst import Options

    made = Options()
    made.GenerateCinemaSpecification = 1
    made.EnableCatalystLive = 0
    made.GlobalTrigger = "TimeStep"
    made.GlobalTrigger.Frequency = every
    return made


def keep_words_clean():
    """To be called before a figure is drawn: Words switch this off for the whole process when they are drawn, and
    charts and colour bars that come after them get stray lines around their words."""
    vtkFreeTypeTools.GetInstance().SetScaleToPowerTwo(True)


def save_pictures(view, name, every, size):
    """Writes the view as NAME_STEP.png, every so many steps."""
    extractor = simple.CreateExtractor("PNG", view, registrationName=f"{name}_png")
    extractor.Trigger = "TimeStep"
    extractor.Trigger.Frequency = every
    extractor.Writer.FileName = f"{name}_{{timestep:06d}}.png"
    extractor.Writer.ImageResolution = list(size)
    # A picture takes a quarter less time than with the default, and is a tenth larger.
    extractor.Writer.Format.CompressionLevel = 1
    return extractor


def scene(size):
    """A view of three dimensions: white, flat projection, no decoration, smooth edges."""
    view = simple.CreateView("RenderView")
    view.ViewSize = list(size)
    view.UseColorPaletteForBackground = 0
    view.Background = WHITE
    view.OrientationAxesVisibility = 0
    view.CameraParallelProjection = 1
    # Four samples a pixel cost less than FXAA and, unlike it, leave the colours inside a face alone.
    view.UseFXAA = 0
    view.GetRenderWindow().SetMultiSamples(4)
    return view


def flat_scene(size):
    """A scene that is looked at from above, one unit a pixel, from the lower left."""
    view = scene(size)
    width, height = size
    view.CameraParallelScale = height / 2
    view.CameraFocalPoint = [width / 2, height / 2, 0.0]
    view.CameraPosition = [width / 2, height / 2, _DISTANCE]
    view.CameraViewUp = [0.0, 1.0, 0.0]
    return view


def show_own_colours(shown):
    """Lets a representation show the colours of its cells as they are, without light."""
    shown.ColorArrayName, shown.MapScalars = ["CELLS", COLOUR], 0
    shown.Ambient, shown.Diffuse, shown.Specular = 1.0, 0.0, 0.0


def colour_table():
    """An empty table that runs straight from colour to colour and keeps its range; set its RGBPoints."""
    made = servermanager.rendering.PVLookupTable()
    made.ColorSpace, made.Discretize = "RGB", 0
    made.AutomaticRescaleRangeMode = "Never"
    made.ScalarRangeInitialized = 1
    return made


def legend(view, lookup, size, title):
    """A colour bar at the right of a scene; its numbers are set as CustomLabels."""
    bar = servermanager.rendering.ScalarBarWidgetRepresentation()
    bar.LookupTable = lookup
    bar.Title, bar.ComponentTitle, bar.HorizontalTitle = title, "", 1
    bar.Orientation, bar.WindowLocation = "Vertical", "Any Location"
    bar.Position, bar.ScalarBarLength, bar.ScalarBarThickness = [0.875, 0.2], 0.55, font(size, 18)
    bar.TitleFontFamily = bar.LabelFontFamily = "Arial"
    bar.TitleFontSize, bar.LabelFontSize = font(size, 15), font(size, 14)
    bar.TitleColor = bar.LabelColor = INK
    bar.UseCustomLabels, bar.AddRangeLabels = 1, 0
    # The blank keeps a stray line of the text renderer off the last digit.
    bar.AutomaticLabelFormat, bar.LabelFormat = 0, "%g "
    bar.Enabled = bar.Visibility = 1
    view.Representations.append(bar)
    return bar


def show(source, view):
    """The surface of a source in a scene. What simple.Show makes can also be an outline, glyphs, or have axes around it, and to
    keep all that ready takes time in each picture."""
    shown = servermanager.rendering.SurfaceRepresentation(Input=source)
    view.Representations.append(shown)
    return shown


class Words:
    """A piece of text on a scene; `place` is a corner's name, or the lower left end as parts of width and height."""

    def __init__(self, view, size, points, place, bold=0, colour=INK):
        self._source = simple.Text()
        self._source.Text = " "
        shown = simple.Show(self._source, view)
        if isinstance(place, str):
            shown.WindowLocation = place
            shown.Justification = "Right" if "Right" in place else "Left"
        else:
            shown.WindowLocation = "Any Location"
            shown.Position = list(place)
        shown.FontFamily = "Arial"
        shown.LineSpacing = 1.3
        shown.FontSize = font(size, points)
        shown.Bold = bold
        shown.Color = colour

    def say(self, text):
        """Replaces the text. An empty text would draw an error, so it becomes a blank."""
        self._source.Text = text or " "
