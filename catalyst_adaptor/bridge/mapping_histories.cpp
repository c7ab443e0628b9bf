// SPDX-License-Identifier: BSD-3-Clause
// Tables of histories, and their polydata twins.
#include "columns.h"
#include "mapping.h"
#include "walk.h"
#include "weightscape/growth.h"

#include <vtkDataSetAttributes.h>
#include <vtkFieldData.h>
#include <vtkNew.h>
#include <vtkStringArray.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace weightscape
{

namespace
{

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

// A table with as many tuples of three as there are values.
vtkSmartPointer<vtkDoubleArray> triples(const char *name, const std::vector<std::array<double, 3>> &values)
{
    const auto array = vtkSmartPointer<vtkDoubleArray>::New();
    array->SetName(name);
    array->SetNumberOfComponents(3);
    for (const auto &value : values)
        array->InsertNextTuple(value.data());
    return array;
}

// Rows that have norms.
uint64_t norm_rows(const ws_history_view &history)
{
    return history.rows - history.norms_from;
}

const double *norm_column(const ws_history_view &history, uint32_t number)
{
    return history.columns[number] + history.norms_from;
}

// The exponent of a growth with the ends of its interval; NaN where it is not known.
std::array<double, 3> exponent_of(const ws_history_view &history, const double *values)
{
    ws_growth growth{};
    growth.size = sizeof growth;
    if (ws_growth_fit(norm_column(history, 0), values, norm_rows(history), &growth) != WS_OK)
        return {std::nan(""), std::nan(""), std::nan("")};
    return {growth.exponent.value, growth.exponent.low, growth.exponent.high};
}

std::array<double, 3> distance_exponent(const ws_history_view &history, uint32_t layer)
{
    return exponent_of(history, norm_column(history, WS_SCALAR_COLUMNS + 3 * layer + 2));
}

// Of the norm minus that of the first weights, or, in histories that have it not, of the first row.
std::array<double, 3> norm_exponent(const ws_history_view &history, uint32_t layer)
{
    const uint32_t number = WS_SCALAR_COLUMNS + 3 * layer;
    const double *norms = norm_column(history, number);
    const double initial = history.norms_from ? history.columns[number][0] : 0;
    std::vector<double> increase(norms, norms + norm_rows(history));
    const double start = initial > 0 || increase.empty() ? initial : increase[0];
    for (double &value : increase)
        value -= start;
    return exponent_of(history, increase.data());
}

void add_exponents(vtkDataObject *data, const ws_history_view &history)
{
    std::vector<std::array<double, 3>> norms, distances;
    for (uint32_t i = 0; i < history.layer_count; i++) {
        norms.push_back(norm_exponent(history, i));
        distances.push_back(distance_exponent(history, i));
    }
    data->GetFieldData()->AddArray(triples("norm_exponent", norms));
    data->GetFieldData()->AddArray(triples("distance_exponent", distances));
}

vtkSmartPointer<vtkDoubleArray> slopes_of(const ws_history_view &history, uint32_t layer)
{
    const std::string name = std::string(history.layers[layer]) + "_gamma";
    std::vector<double> gamma(norm_rows(history));
    ws_growth_slopes(norm_column(history, 0), norm_column(history, WS_SCALAR_COLUMNS + 3 * layer + 2),
                     norm_rows(history), gamma.data());
    return column(name.c_str(), gamma.data(), gamma.size());
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
    for (uint32_t i = 0; i < history.layer_count; i++)
        columns.push_back(slopes_of(history, i));
    const auto data = finish(as_points ? points_of(columns, columns[0], nullptr) : table_of(columns), scene);
    add_exponents(data, history);
    return data;
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
    const auto data =
        finish(as_points ? points_of(columns, columns[1], columns[2]) : table_of(columns), scene);
    std::array<double, 3> explained, at_random;
    for (int k = 0; k < 3; k++) {
        explained[k] = components.explained[k];
        at_random[k] = ws_walk_null(k + 1);
    }
    data->GetFieldData()->AddArray(triples("explained", {explained}));
    data->GetFieldData()->AddArray(triples("explained_at_random", {at_random}));
    data->GetFieldData()->AddArray(triples("distance_exponent", {distance_exponent(history, layer)}));
    return data;
}

} // namespace weightscape
