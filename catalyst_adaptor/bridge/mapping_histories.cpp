// SPDX-License-Identifier: BSD-3-Clause
// Tables of histories, and their polydata twins.
#include "mapping.h"
#include "walk.h"

#include <vtkCellArray.h>
#include <vtkDataSetAttributes.h>
#include <vtkDoubleArray.h>
#include <vtkFieldData.h>
#include <vtkNew.h>
#include <vtkPointData.h>
#include <vtkPolyData.h>
#include <vtkStringArray.h>
#include <vtkTable.h>

#include <algorithm>

namespace weightscape
{

namespace
{

using Columns = std::vector<vtkSmartPointer<vtkDoubleArray>>;

vtkSmartPointer<vtkDoubleArray> column(const char *name, const double *values, uint64_t rows)
{
    const auto array = vtkSmartPointer<vtkDoubleArray>::New();
    array->SetName(name);
    array->SetNumberOfValues(static_cast<vtkIdType>(rows));
    std::copy(values, values + rows, array->GetPointer(0));
    return array;
}

vtkSmartPointer<vtkDataObject> table_of(const Columns &columns)
{
    const auto table = vtkSmartPointer<vtkTable>::New();
    for (const auto &array : columns)
        table->AddColumn(array);
    return table;
}

// A point (x, y, 0) for each row, y = 0 without a column for it, and one line through all of them.
vtkSmartPointer<vtkDataObject> points_of(const Columns &columns, vtkDoubleArray *x, vtkDoubleArray *y)
{
    const vtkIdType rows = x->GetNumberOfValues();
    vtkNew<vtkPoints> points;
    points->SetDataTypeToDouble();
    points->SetNumberOfPoints(rows);
    vtkNew<vtkCellArray> lines;
    if (rows > 1)
        lines->InsertNextCell(static_cast<int>(rows));
    for (vtkIdType row = 0; row < rows; row++) {
        points->SetPoint(row, x->GetValue(row), y ? y->GetValue(row) : 0.0, 0.0);
        if (rows > 1)
            lines->InsertCellPoint(row);
    }
    const auto data = vtkSmartPointer<vtkPolyData>::New();
    data->SetPoints(points);
    data->SetLines(lines);
    for (const auto &array : columns)
        data->GetPointData()->AddArray(array);
    return data;
}

void add_names(vtkDataObject *data, const ws_history_view &history)
{
    vtkNew<vtkStringArray> layers, convolutions;
    layers->SetName("layers");
    convolutions->SetName("convolutions");
    for (uint32_t i = 0; i < history.layer_count; i++) {
        layers->InsertNextValue(history.layers[i]);
        if (history.kinds[i] == WS_CONVOLUTION)
            convolutions->InsertNextValue(history.layers[i]);
    }
    data->GetFieldData()->AddArray(layers);
    data->GetFieldData()->AddArray(convolutions);
}

vtkSmartPointer<vtkDataObject> finish(vtkSmartPointer<vtkDataObject> data, const ws_scene &scene)
{
    add_state(data, scene.frame);
    add_names(data, *scene.history);
    return data;
}

// How many convolutions come before a layer: the number of its walk.
uint32_t walk_number(const ws_history_view &history, uint32_t layer)
{
    return static_cast<uint32_t>(std::count(history.kinds, history.kinds + layer, WS_CONVOLUTION));
}

} // namespace

vtkSmartPointer<vtkDataObject> build_norms(const ws_scene &scene, bool as_points)
{
    const ws_history_view &history = *scene.history;
    Columns columns;
    for (uint32_t i = 0; i < history.norm_columns; i++)
        columns.push_back(column(history.names[i], history.columns[i] + history.norms_from,
                                 history.rows - history.norms_from));
    return finish(as_points ? points_of(columns, columns[0], nullptr) : table_of(columns), scene);
}

vtkSmartPointer<vtkDataObject> build_trajectory(const ws_scene &scene, uint32_t layer, bool as_points)
{
    const ws_history_view &history = *scene.history;
    const uint32_t number = walk_number(history, layer);
    const double *const *weights = history.columns + history.norm_columns + 2 * number;
    ws_components components;
    ws_components_of(&history.sums[number], &components);
    const auto walk = walk_columns(history.sketches[number], history.rows, components);
    const Columns columns{
        column("step", history.columns[0], history.rows), column("w0", weights[0], history.rows),
        column("w1", weights[1], history.rows),           column("pc1", walk[0].data(), history.rows),
        column("pc2", walk[1].data(), history.rows),
    };
    return finish(as_points ? points_of(columns, columns[1], columns[2]) : table_of(columns), scene);
}

} // namespace weightscape
