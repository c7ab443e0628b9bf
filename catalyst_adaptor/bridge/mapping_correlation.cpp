// SPDX-License-Identifier: BSD-3-Clause
// The correlation of each pair of filters: a matrix as one writes it, row 0 at the top.
#include "mapping.h"
#include "tiles.h"

#include <vtkDoubleArray.h>
#include <vtkLongLongArray.h>
#include <vtkStringArray.h>

namespace weightscape
{

namespace
{

const double *matrix(const std::string &layer, const char *what, const void *frame, int64_t filters)
{
    return values_of<double>(frame, layer, what, WS_FLOAT64, filters * filters);
}

// What two filters have in common: the number of their group.
int shared_group(const int32_t *group, int64_t i, int64_t j)
{
    return group && group[i] == group[j] ? group[i] : nobody;
}

vtkSmartPointer<vtkDataObject> image(const std::string &layer, int64_t filters, const ws_scene &scene)
{
    const void *frame = scene.frame;
    const int64_t count = filters * filters;
    const double *of_activations = matrix(layer, "/pearson", frame, filters);
    const double *of_weights = matrix(layer, "/pearson_weights", frame, filters);
    const int32_t *dead = filter_numbers(frame, layer, "/dead", filters);
    const int32_t *group = filter_numbers(frame, layer, "/group", filters);
    const auto result = image_of(filters, filters);
    const auto pearson = cells<vtkDoubleArray>(count, "pearson", double(no_value));
    const auto pearson_weights = cells<vtkDoubleArray>(count, "pearson_weights", double(no_value));
    const auto row = cells<vtkIntArray>(count, "filter", nobody),
               column = cells<vtkIntArray>(count, "other", nobody);
    const auto groups = cells<vtkIntArray>(count, "group", nobody),
               is_dead = cells<vtkIntArray>(count, "dead", 0);
    for (int64_t i = 0; i < filters; i++)
        for (int64_t j = 0; j < filters; j++) {
            const int64_t cell = (filters - 1 - i) * filters + j;
            if (of_activations)
                pearson->SetValue(cell, of_activations[i * filters + j]);
            if (of_weights)
                pearson_weights->SetValue(cell, of_weights[i * filters + j]);
            row->SetValue(cell, static_cast<int>(i));
            column->SetValue(cell, static_cast<int>(j));
            groups->SetValue(cell, shared_group(group, i, j));
            is_dead->SetValue(cell, dead && (dead[i] || dead[j]));
        }
    result->GetCellData()->SetScalars(pearson);
    result->GetCellData()->AddArray(pearson_weights);
    for (const auto &array : {row, column, groups, is_dead})
        result->GetCellData()->AddArray(array);
    add_state(result, frame);
    add_field<vtkLongLongArray, long long>(result, "shape", {filters, filters, 1, 1});
    add_field<vtkStringArray, std::string>(result, "layer", {layer});
    return result;
}

} // namespace

bool has_correlation(const std::string &layer, const ws_scene &scene)
{
    const ws_frame_array *array = ws_frame_find(scene.frame, (layer + "/pearson").c_str());
    return array && array->type == WS_FLOAT64 && array->rank == 2 && array->shape[0] == array->shape[1];
}

vtkSmartPointer<vtkDataObject> build_correlation(const std::string &layer, const ws_scene &scene)
{
    return image(layer, ws_frame_find(scene.frame, (layer + "/pearson").c_str())->shape[0], scene);
}

vtkSmartPointer<vtkDataObject> blank_correlation(const std::string &layer, const ws_scene &scene)
{
    return image(layer, offers_of(layer, scene).filters, scene);
}

} // namespace weightscape
