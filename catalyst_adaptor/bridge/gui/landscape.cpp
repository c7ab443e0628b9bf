// SPDX-License-Identifier: BSD-3-Clause
#include "landscape.h"

#include "properties.h"

#include <pqApplicationCore.h>
#include <pqDataRepresentation.h>
#include <pqObjectBuilder.h>
#include <pqOutputPort.h>
#include <pqPipelineSource.h>
#include <pqRenderView.h>
#include <pqServer.h>

#include <vtkDataObject.h>
#include <vtkNew.h>
#include <vtkPVArrayInformation.h>
#include <vtkPVDataInformation.h>
#include <vtkPVDataSetAttributesInformation.h>
#include <vtkSMPVRepresentationProxy.h>
#include <vtkSMParaViewPipelineControllerWithRendering.h>
#include <vtkSMSourceProxy.h>
#include <vtkSMTransferFunctionProxy.h>
#include <vtkSMViewProxy.h>

#include <QWidget>

#include <algorithm>
#include <cmath>
#include <string>

namespace weightscape
{

namespace
{

constexpr const char *shown = "weight";

// Blue is negative, light grey zero, red positive, as in the pictures of pipelines/.
constexpr double stops[][4] = {
    {-1.0, 0.020, 0.188, 0.380}, {-0.6, 0.129, 0.400, 0.674}, {-0.3, 0.420, 0.678, 0.839},
    {-0.1, 0.780, 0.870, 0.930}, {0.0, 0.930, 0.930, 0.930},  {0.1, 0.980, 0.850, 0.780},
    {0.3, 0.957, 0.560, 0.440},  {0.6, 0.698, 0.094, 0.168},  {1.0, 0.404, 0.000, 0.122}};

// Where the filter says that the boxes end to grow.
double scale_end_of(vtkSMSourceProxy *boxes)
{
    boxes->UpdatePipeline();
    vtkPVArrayInformation *end = boxes->GetDataInformation(0)
                                     ->GetAttributeInformation(vtkDataObject::FIELD)
                                     ->GetArrayInformation("end");
    return end ? end->GetComponentRange(0)[1] : 1;
}

void colour(vtkSMProxy *representation, vtkSMViewProxy *view, double end)
{
    // Layers have scales of their own.
    set(representation, "UseSeparateColorMap", 1);
    vtkSMPVRepresentationProxy::SetScalarColoring(representation, shown, vtkDataObject::CELL);
    vtkSMProxy *table = vtkSMPropertyHelper(representation, "LookupTable").GetAsProxy();
    vtkSMPropertyHelper points(table, "RGBPoints");
    points.SetNumberOfElements(4 * std::size(stops));
    unsigned int i = 0;
    for (const auto &stop : stops) {
        points.Set(i++, stop[0] * end);
        for (const double part : {stop[1], stop[2], stop[3]})
            points.Set(i++, part);
    }
    set(table, "ColorSpace", 0);                 // RGB
    set(table, "AutomaticRescaleRangeMode", -1); // never
    set(table, "NanColor", {1.0, 0.0, 1.0});
    table->UpdateVTKObjects();
    vtkSMPVRepresentationProxy::SetScalarBarVisibility(representation, view, true);
    vtkSMProxy *bar = vtkSMTransferFunctionProxy::FindScalarBarRepresentation(table, view);
    if (!bar)
        return;
    set(bar, "Title", shown);
    set(bar, "ComponentTitle", "");
    set(bar, "HorizontalTitle", 1);
    for (const char *what : {"Title", "Label"}) {
        set(bar, (std::string(what) + "Color").c_str(), {0.1, 0.1, 0.1});
        set(bar, (std::string(what) + "FontSize").c_str(), 10);
    }
    set(bar, "AutomaticLabelFormat", 0);
    set(bar, "LabelFormat", "%g");
    set(bar, "RangeLabelFormat", "%g");
    set(bar, "ScalarBarLength", 0.35);
    set(bar, "ScalarBarThickness", 8);
    set(bar, "WindowLocation", "Lower Right Corner");
    bar->UpdateVTKObjects();
}

void light(vtkSMProxy *representation)
{
    set(representation, "Interpolation", 0); // flat
    set(representation, "Ambient", 0.45);
    set(representation, "Diffuse", 0.6);
    set(representation, "Specular", 0.0);
    representation->UpdateVTKObjects();
}

} // namespace

pqRenderView *make_landscape(const LayerOutput &weights)
{
    pqObjectBuilder *builder = pqApplicationCore::instance()->getObjectBuilder();
    pqServer *server = weights.output->getServer();
    auto *view = qobject_cast<pqRenderView *>(builder->createView(pqRenderView::renderViewType(), server));
    pqPipelineSource *boxes = builder->createFilter(
        "filters", "WeightscapeBoxes", weights.output->getSource(), weights.output->getPortNumber());
    if (!view || !boxes)
        return view;
    boxes->rename("Boxes " + weights.layer);
    boxes->setModifiedState(pqProxy::UNMODIFIED);
    white_page(view->getProxy());
    set(view->getProxy(), "CameraParallelProjection", 1);
    view->getProxy()->UpdateVTKObjects();
    const double end = scale_end_of(boxes->getSourceProxy());
    vtkNew<vtkSMParaViewPipelineControllerWithRendering> controller;
    vtkSMProxy *representation = controller->Show(boxes->getSourceProxy(), 0, view->getViewProxy());
    if (!representation)
        return view;
    colour(representation, view->getViewProxy(), end);
    light(representation);
    view->rename(weights.layer + " weights");
    return view;
}

void fit(pqRenderView *view)
{
    auto *shown_first = qobject_cast<pqDataRepresentation *>(view->getRepresentation(0));
    if (!shown_first)
        return;
    double bounds[6];
    shown_first->getOutputPortFromInput()->getDataInformation()->GetBounds(bounds);
    const QSize size = view->widget()->size();
    if (bounds[0] > bounds[1] || size.height() < 1)
        return;
    // Seen from the front and above. In the picture, right is x, and up is `up`.
    const double length = std::hypot(0.75, 1.2), up[2] = {1.2 / length, 0.75 / length};
    const double width = bounds[1] - bounds[0];
    const double height = (bounds[3] - bounds[2]) * up[0] + (bounds[5] - bounds[4]) * up[1];
    const double middle[3] = {(bounds[0] + bounds[1]) / 2, (bounds[2] + bounds[3]) / 2,
                              (bounds[4] + bounds[5]) / 2};
    // What of the view's height and width the boxes may take; the legend is at the right.
    constexpr double part_of_height = 0.94, part_of_width = 0.84;
    const double aspect = double(size.width()) / size.height();
    const double page = std::max(height / part_of_height, width / (part_of_width * aspect));
    const double right = (1 - part_of_width) / 2 * page * aspect - 0.02 * page;
    const double far = 2 * std::hypot(width, height);
    vtkSMProxy *camera = view->getProxy();
    set(camera, "CameraFocalPoint", {middle[0] + right, middle[1], middle[2]});
    set(camera, "CameraPosition", {middle[0] + right, middle[1] - far * up[1], middle[2] + far * up[0]});
    set(camera, "CameraViewUp", {0.0, up[0], up[1]});
    set(camera, "CameraParallelScale", page / 2);
    camera->UpdateVTKObjects();
    view->resetCenterOfRotation();
    view->render();
}

} // namespace weightscape
