// SPDX-License-Identifier: BSD-3-Clause
// Tiles: where each weight of a convolution lies in the image.
#include "mapping.h"
#include "tiles.h"

#include <vtkDoubleArray.h>
#include <vtkLongLongArray.h>
#include <vtkStringArray.h>

#include <algorithm>
#include <cstring>
#include <numeric>

namespace weightscape
{

namespace
{

float *add_cells(vtkImageData *image, const Layout &layout, const char *name)
{
    const auto array = cells<vtkFloatArray>(layout, name, no_value);
    image->GetCellData()->AddArray(array);
    return array->GetPointer(0);
}

const float *floats_of(const void *frame, const std::string &layer, const char *what)
{
    const ws_frame_array *array = ws_frame_find(frame, (layer + what).c_str());
    return array ? static_cast<const float *>(ws_frame_values(frame, array)) : nullptr;
}

// The index that each filter had when the run began: its own unless the frame tells another.
std::vector<int> sources_of(const void *frame, const std::string &layer, int64_t filters)
{
    std::vector<int> sources(static_cast<size_t>(filters));
    std::iota(sources.begin(), sources.end(), 0);
    if (const int32_t *told = filter_numbers(frame, layer, "/source", filters))
        std::copy(told, told + filters, sources.begin());
    return sources;
}

void lay_out(const Layout &layout, const int64_t shape[4], Tiles &tiles)
{
    const auto filter = cells<vtkIntArray>(layout, "filter", nobody);
    const auto channel = cells<vtkIntArray>(layout, "channel", nobody);
    layout.for_each([&](int64_t cell, int64_t k, int64_t c, int64_t, int64_t) {
        filter->SetValue(cell, static_cast<int>(k));
        channel->SetValue(cell, static_cast<int>(c));
    });
    tiles = {};
    tiles.filter = filter;
    tiles.channel = channel;
    tiles.alone = cells<vtkIntArray>(layout, "group", nobody);
    std::copy(shape, shape + 4, tiles.shape);
}

void fill_cells(vtkImageData *image, const Layout &layout, const std::string &layer, const ws_scene &scene)
{
    const float *weights = floats_of(scene.frame, layer, "/weight");
    const float *gradients = floats_of(scene.frame, layer, "/gradient");
    const float *initials = floats_of(scene.base, layer, "/initial");
    float *weight = add_cells(image, layout, "weight");
    float *gradient = add_cells(image, layout, "gradient");
    float *delta = add_cells(image, layout, "delta");
    int64_t index = 0; // in memory order
    layout.for_each([&](int64_t cell, int64_t, int64_t, int64_t, int64_t) {
        std::memcpy(&weight[cell], &weights[index], sizeof(float));
        if (gradients)
            std::memcpy(&gradient[cell], &gradients[index], sizeof(float));
        delta[cell] = weights[index] - initials[index];
        index++;
    });
    image->GetCellData()->SetActiveScalars("weight");
}

// The index that each input channel had when the run began: its own unless the base tells another.
vtkSmartPointer<vtkIntArray> source_channels(const Layout &layout, const std::string &layer, const void *base,
                                             int64_t channels)
{
    const auto array = cells<vtkIntArray>(layout, "source_channel", nobody);
    const int32_t *told = filter_numbers(base, layer, "/source_channel", channels);
    layout.for_each([&](int64_t cell, int64_t, int64_t c, int64_t, int64_t) {
        array->SetValue(cell, told ? told[c] : static_cast<int>(c));
    });
    return array;
}

template <class Array, class Value>
void add_tuples(vtkDataObject *data, const char *name, const Value *values, int64_t tuples,
                int64_t components)
{
    vtkNew<Array> array;
    array->SetName(name);
    array->SetNumberOfComponents(static_cast<int>(components));
    array->SetNumberOfTuples(tuples);
    std::copy(values, values + tuples * components, array->GetPointer(0));
    data->GetFieldData()->AddArray(array);
}

// How many filters and channels the run began with, and those that were merged into others.
void add_beginning(vtkDataObject *data, const std::string &layer, const void *base, const int64_t shape[4])
{
    const int32_t *whole = filter_numbers(base, layer, "/whole", 2);
    if (!whole) // a recording of an earlier version
        return;
    add_field<vtkLongLongArray, long long>(data, "whole", {whole[0], whole[1]});
    const ws_frame_array *array = ws_frame_find(base, (layer + "/merged").c_str());
    const int64_t count = array ? array->shape[0] : 0, each = whole[1] * shape[2] * shape[3];
    const double *merged = values_of<double>(base, layer, "/merged", WS_FLOAT64, 3 * count);
    const float *weights = values_of<float>(base, layer, "/merged_weight", WS_FLOAT32, count * each);
    if (!merged || !weights)
        return;
    add_tuples<vtkDoubleArray>(data, "merged", merged, count, 3);
    add_tuples<vtkFloatArray>(data, "merged_weight", weights, count, each);
}

} // namespace

vtkSmartPointer<vtkDataObject> build_weights(const std::string &layer, const ws_scene &scene, Tiles &tiles)
{
    const void *frame = scene.frame;
    const int64_t *shape = ws_frame_find(frame, (layer + "/weight").c_str())->shape;
    const Layout layout(shape);
    const auto image = image_of(layout.width(), layout.height());
    fill_cells(image, layout, layer, scene);
    if (!tiles.filter || !std::equal(shape, shape + 4, tiles.shape))
        lay_out(layout, shape, tiles);
    const std::vector<int> sources = sources_of(frame, layer, shape[0]);
    if (tiles.sources != sources) {
        tiles.source = cells_of_filters(layout, "source", sources.data());
        tiles.sources = sources;
    }
    image->GetCellData()->AddArray(source_channels(layout, layer, scene.base, shape[1]));
    const int32_t *groups = filter_numbers(frame, layer, "/group", shape[0]);
    const vtkSmartPointer<vtkDataArray> group =
        groups ? vtkSmartPointer<vtkDataArray>(cells_of_filters(layout, "group", groups)) : tiles.alone;
    for (const auto &array : {tiles.filter, tiles.channel, group, tiles.source})
        image->GetCellData()->AddArray(array);
    add_state(image, frame);
    const ws_frame_array *range = ws_frame_find(frame, (layer + "/weight_range").c_str());
    add_field<vtkDoubleArray, double>(image, "weight_range",
                                      {*static_cast<const double *>(ws_frame_values(frame, range))});
    add_field<vtkLongLongArray, long long>(image, "shape", {shape[0], shape[1], shape[2], shape[3]});
    add_field<vtkLongLongArray, long long>(image, "layout", {layout.across, layout.down});
    add_field<vtkStringArray, std::string>(image, "layer", {layer});
    add_beginning(image, layer, scene.base, shape);
    return image;
}

} // namespace weightscape
