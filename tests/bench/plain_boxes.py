# script-version: 2.0
# SPDX-License-Identifier: BSD-3-Clause
"""The weights of one convolution as boxes, by ParaView's own filters and settings alone: the measure of pictures.

Arguments: layer=conv1  every=100.
"""

import argparse

from paraview import catalyst, simple

SIZE = [1024, 768]
HEIGHT = 1.3  # of a box at the end of the colour scale, in cells

parser = argparse.ArgumentParser(add_help=False)
parser.add_argument("--layer", default="conv1")
parser.add_argument("--every", type=int, default=100)
asked = parser.parse_args(catalyst.get_args())

options = catalyst.Options()
options.GenerateCinemaSpecification = 1
options.EnableCatalystLive = 0
options.GlobalTrigger = "TimeStep"
options.GlobalTrigger.Frequency = asked.every

weights = simple.PVTrivialProducer(registrationName=f"weights_{asked.layer}")
tiles = simple.Threshold(Input=weights, Scalars=["CELLS", "filter"], UpperThreshold=0,
                         ThresholdMethod="Above Upper Threshold")
centres = simple.CellCenters(Input=tiles)
sized = simple.Calculator(Input=centres, ResultArrayName="boxscale")
shifted = simple.Calculator(Input=sized, CoordinateResults=1)
boxes = simple.Glyph(Input=shifted, GlyphType="Box", GlyphMode="All Points", ScaleFactor=1.0)
boxes.OrientationArray = ["POINTS", "No orientation array"]
boxes.ScaleArray = ["POINTS", "boxscale"]
boxes.VectorScaleMode = "Scale by Components"


def set_scale(end):
    """Boxes of the weight `end` are HEIGHT high."""
    factor = HEIGHT / end
    sized.Function = f"0.9*iHat + 0.9*jHat + max(abs({factor!r}*weight), 0.001)*kHat"
    shifted.Function = f"coords + {factor / 2!r}*weight*kHat"
    colours.RGBPoints = [-end, 0.0, 0.2, 0.6, 0.0, 0.95, 0.95, 0.95, end, 0.7, 0.0, 0.1]


colours = simple.GetColorTransferFunction("weight")
colours.ColorSpace = "RGB"
colours.AutomaticRescaleRangeMode = "Never"
colours.ScalarRangeInitialized = 1
set_scale(1.0)

view = simple.CreateView("RenderView")
view.ViewSize = SIZE
view.CameraParallelProjection = 1
shown = simple.Show(boxes, view)
shown.ColorArrayName = ["POINTS", "weight"]
shown.LookupTable = colours
shown.SetScalarBarVisibility(view, True)

picture = simple.CreateExtractor("PNG", view, registrationName="plain_png")
picture.Trigger = "TimeStep"
picture.Trigger.Frequency = asked.every
picture.Writer.FileName = "plain_{timestep:06d}.png"
picture.Writer.ImageResolution = SIZE


def catalyst_execute(info):
    weights.UpdatePipeline(info.time)
    image = weights.GetClientSideObject().GetOutputDataObject(0)
    set_scale(2 * image.GetFieldData().GetArray("weight_range").GetValue(0))
    boxes.UpdatePipeline(info.time)
    view.CameraFocalPoint = [0.0, 0.0, 0.0]
    view.CameraPosition = [0.0, -0.75, 1.2]
    view.CameraViewUp = [0.0, 0.0, 1.0]
    simple.ResetCamera(view)
