// SPDX-License-Identifier: BSD-3-Clause
#include "charts.h"

#include "properties.h"

#include <pqApplicationCore.h>
#include <pqObjectBuilder.h>
#include <pqOutputPort.h>
#include <pqPipelineSource.h>
#include <pqServer.h>
#include <pqView.h>

#include <vtkDataObject.h>
#include <vtkNew.h>
#include <vtkPVArrayInformation.h>
#include <vtkPVDataInformation.h>
#include <vtkPVDataSetAttributesInformation.h>
#include <vtkSMParaViewPipelineControllerWithRendering.h>
#include <vtkSMSourceProxy.h>
#include <vtkSMViewProxy.h>
#include <vtkWeakPointer.h>

#include <array>
#include <string>

namespace weightscape
{

namespace
{

using Colour = std::array<double, 3>;

// ColorBrewer's Dark2: one for each layer.
constexpr Colour layer_colours[] = {{0.106, 0.620, 0.467}, {0.851, 0.373, 0.008}, {0.459, 0.439, 0.702},
                                    {0.906, 0.161, 0.541}, {0.400, 0.651, 0.118}, {0.902, 0.671, 0.008}};
constexpr int solid = 1, left = 0, right = 1;

struct Curve {
    QString column, label;
    Colour colour;
    int style = solid;
    double thickness = 2;
    int axis = left;
    double opacity = 1;
};

QStringList columns_of(pqOutputPort *output)
{
    vtkPVDataSetAttributesInformation *rows =
        output->getDataInformation()->GetAttributeInformation(vtkDataObject::ROW);
    QStringList names;
    for (int i = 0; rows && i < rows->GetNumberOfArrays(); i++)
        names.append(rows->GetArrayInformation(i)->GetName());
    return names;
}

QString number(double value)
{
    return QString::number(value, 'g', 6);
}

// Of all columns only the curves are visible.
void draw(vtkSMProxy *representation, const QStringList &columns, const QList<Curve> &curves, const char *x)
{
    QStringList visible, labels, colours, styles, thicknesses, axes, opacities, markers;
    for (const QString &column : columns) {
        bool is_drawn = false;
        for (const Curve &curve : curves)
            is_drawn = is_drawn || curve.column == column;
        visible << column << (is_drawn ? "1" : "0");
    }
    for (const Curve &curve : curves) {
        labels << curve.column << curve.label;
        colours << curve.column;
        for (const double part : curve.colour)
            colours << number(part);
        styles << curve.column << QString::number(curve.style);
        thicknesses << curve.column << number(curve.thickness);
        axes << curve.column << QString::number(curve.axis);
        opacities << curve.column << number(curve.opacity);
        markers << curve.column << "0";
    }
    set(representation, "AttributeType", 6); // rows
    set(representation, "UseIndexForXAxis", 0);
    set(representation, "XArrayName", x);
    set(representation, "SeriesVisibility", visible);
    set(representation, "SeriesLabel", labels);
    set(representation, "SeriesColor", colours);
    set(representation, "SeriesLineStyle", styles);
    set(representation, "SeriesLineThickness", thicknesses);
    set(representation, "SeriesPlotCorner", axes);
    set(representation, "SeriesOpacity", opacities);
    set(representation, "SeriesMarkerStyle", markers);
    representation->UpdateVTKObjects();
}

void prepare(vtkSMProxy *view, const char *title, const char *bottom, const char *left_title)
{
    set(view, "ChartTitle", title);
    set(view, "ChartTitleFontSize", 12);
    set(view, "ChartTitleBold", 0);
    set(view, "ChartTitleAlignment", 0);
    set(view, "BottomAxisTitle", bottom);
    set(view, "LeftAxisTitle", left_title);
    for (const char *axis : {"BottomAxisTitle", "LeftAxisTitle", "RightAxisTitle"}) {
        set(view, (std::string(axis) + "FontSize").c_str(), 11);
        set(view, (std::string(axis) + "Bold").c_str(), 0);
    }
    set(view, "LegendFontSize", 10);
    set(view, "LegendSymbolWidth", 20);
    set(view, "HideTimeMarker", 1);
    set(view, "SortByXAxis", 0);
}

Chart show(pqOutputPort *output, const QList<Curve> &curves, const char *x, const char *name,
           const char *title, const char *bottom, const char *left_title)
{
    pqObjectBuilder *builder = pqApplicationCore::instance()->getObjectBuilder();
    pqView *view = builder->createView("XYChartView", output->getServer());
    if (!view)
        return {nullptr, [] {}};
    view->rename(name);
    prepare(view->getProxy(), title, bottom, left_title);
    view->getProxy()->UpdateVTKObjects();
    vtkNew<vtkSMParaViewPipelineControllerWithRendering> controller;
    vtkSMProxy *representation = controller->Show(
        output->getSourceProxy(), static_cast<int>(output->getPortNumber()), view->getViewProxy());
    const vtkWeakPointer<vtkSMProxy> shown = representation;
    const QStringList columns = columns_of(output);
    const std::string x_column = x;
    const Chart chart = {view, [=] {
                             if (shown)
                                 draw(shown, columns, curves, x_column.c_str());
                         }};
    chart.draw();
    return chart;
}

} // namespace

pqOutputPort *make_curves(pqOutputPort *table, const QString &name)
{
    pqPipelineSource *curves = pqApplicationCore::instance()->getObjectBuilder()->createFilter(
        "filters", "WeightscapeCurves", table->getSource(), table->getPortNumber());
    curves->rename(name);
    curves->updatePipeline();
    curves->setModifiedState(pqProxy::UNMODIFIED);
    return curves->getOutputPort(0);
}

Chart make_norms(pqOutputPort *norms)
{
    const QString weight = "_weight_l2", gradient = "_gradient_l2";
    const QStringList columns = columns_of(norms);
    QList<Curve> curves;
    std::size_t layer = 0;
    for (const QString &column : columns) {
        if (!column.endsWith(weight))
            continue;
        const QString name = column.left(column.size() - weight.size());
        const Colour colour = layer_colours[layer++ % std::size(layer_colours)];
        curves.append({column, name, colour, solid, 2.5});
        curves.append({name + gradient, "", colour, solid, 1, left, 0.4});
    }
    const Chart chart = show(norms, curves, "step", "norms", "L2 norms of weights (thick) and gradients",
                             "training step", "");
    if (chart.view) {
        set(chart.view->getProxy(), "LeftAxisLogScale", 1);
        chart.view->getProxy()->UpdateVTKObjects();
    }
    return chart;
}

Chart make_progress(pqOutputPort *norms)
{
    const Colour ink = {0.2, 0.2, 0.2}, red = {0.84, 0.10, 0.11}, blue = {0.13, 0.40, 0.67};
    const QList<Curve> curves = {{"loss", "loss", blue, solid, 1.5},
                                 {"learning_rate", "learning rate", red, solid, 2},
                                 {"accuracy", "accuracy (right)", ink, solid, 1, right, 0.6}};
    const Chart chart =
        show(norms, curves, "step", "progress", "Loss, accuracy and learning rate", "training step", "");
    if (chart.view) {
        set(chart.view->getProxy(), "LeftAxisLogScale", 1);
        set(chart.view->getProxy(), "LegendLocation", 3); // bottom left, where none of the curves is for long
        chart.view->getProxy()->UpdateVTKObjects();
    }
    return chart;
}

Chart make_walk(const LayerOutput &trajectory)
{
    const QList<Curve> curves = {{"w1", trajectory.layer, {0.35, 0.20, 0.55}, solid, 1.5}};
    pqOutputPort *walk = make_curves(trajectory.output, "Walk " + trajectory.layer);
    const QString title = trajectory.layer + ": walk of its first two weights";
    const Chart chart = show(walk, curves, "w0", "walk", title.toUtf8().data(), "weight w0", "weight w1");
    if (chart.view) {
        set(chart.view->getProxy(), "ShowLegend", 0);
        chart.view->getProxy()->UpdateVTKObjects();
    }
    return chart;
}

} // namespace weightscape
