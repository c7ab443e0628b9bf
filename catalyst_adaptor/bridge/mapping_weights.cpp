// SPDX-License-Identifier: BSD-3-Clause
// Tiles: where each weight of a convolution lies in the image.
#include "mapping.h"

#include <vtkCellData.h>
#include <vtkDoubleArray.h>
#include <vtkFloatArray.h>
#include <vtkImageData.h>
#include <vtkIntArray.h>
#include <vtkLongLongArray.h>
#include <vtkNew.h>
#include <vtkStringArray.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace weightscape
{

namespace
{

constexpr float no_value = std::numeric_limits<float>::quiet_NaN();
constexpr int nobody = -1;

// The grid of tiles, one of R x S cells for each filter k and input channel c.
struct Layout {
    int64_t filters, channels, rows, columns; // K, C, R, S
    int64_t across, down;                     // tiles

    explicit Layout(const int64_t shape[4])
        : filters(shape[0]), channels(shape[1]), rows(shape[2]), columns(shape[3])
    {
        across = channels == 1 ? ceil_root(filters) : channels;
        down = channels == 1 ? (filters + across - 1) / across : filters;
    }

    int64_t width() const { return across * (columns + 1) - 1; }
    int64_t height() const { return down * (rows + 1) - 1; }

    int64_t cell(int64_t k, int64_t c, int64_t r, int64_t s) const
    {
        const int64_t i = channels == 1 ? k % across : c;
        const int64_t j = channels == 1 ? k / across : k;
        const int64_t x = i * (columns + 1) + s;
        const int64_t y = (down - 1 - j) * (rows + 1) + (rows - 1 - r);
        return y * width() + x;
    }

    static int64_t ceil_root(int64_t value)
    {
        auto root = static_cast<int64_t>(std::sqrt(static_cast<double>(value)));
        while (root * root < value)
            root++;
        return root;
    }
};

template <class Array, class Value>
vtkSmartPointer<Array> cells(const Layout &layout, const char *name, Value in_gaps)
{
    const auto array = vtkSmartPointer<Array>::New();
    array->SetName(name);
    array->SetNumberOfTuples(layout.width() * layout.height());
    array->Fill(in_gaps);
    return array;
}

float *add_cells(vtkImageData *image, const Layout &layout, const char *name)
{
    const auto array = cells<vtkFloatArray>(layout, name, no_value);
    image->GetCellData()->AddArray(array);
    return array->GetPointer(0);
}

// Calls visit(cell, index in memory order, k, c) for every weight.
template <class Visitor> void for_each_weight(const Layout &layout, Visitor visit)
{
    int64_t index = 0;
    for (int64_t k = 0; k < layout.filters; k++)
        for (int64_t c = 0; c < layout.channels; c++)
            for (int64_t r = 0; r < layout.rows; r++)
                for (int64_t s = 0; s < layout.columns; s++)
                    visit(layout.cell(k, c, r, s), index++, k, c);
}

const float *values_of(const void *frame, const std::string &layer, const char *what)
{
    const ws_frame_array *array = ws_frame_find(frame, (layer + what).c_str());
    return array ? static_cast<const float *>(ws_frame_values(frame, array)) : nullptr;
}

template <class Array, class Value>
void add_field(vtkDataObject *data, const char *name, std::initializer_list<Value> values)
{
    vtkNew<Array> array;
    array->SetName(name);
    for (const Value &value : values)
        array->InsertNextValue(value);
    data->GetFieldData()->AddArray(array);
}

void lay_out(const Layout &layout, const int64_t shape[4], Tiles &tiles)
{
    const auto filter = cells<vtkIntArray>(layout, "filter", nobody);
    const auto channel = cells<vtkIntArray>(layout, "channel", nobody);
    for_each_weight(layout, [&](int64_t cell, int64_t, int64_t k, int64_t c) {
        filter->SetValue(cell, static_cast<int>(k));
        channel->SetValue(cell, static_cast<int>(c));
    });
    // Which filters are similar is nothing that a host tells yet, so each is alone.
    tiles = {{}, filter, channel, cells<vtkIntArray>(layout, "group", nobody)};
    std::copy(shape, shape + 4, tiles.shape);
}

void fill_cells(vtkImageData *image, const Layout &layout, const std::string &layer, const ws_scene &scene)
{
    const float *weights = values_of(scene.frame, layer, "/weight");
    const float *gradients = values_of(scene.frame, layer, "/gradient");
    const float *initials = values_of(scene.base, layer, "/initial");
    float *weight = add_cells(image, layout, "weight");
    float *gradient = add_cells(image, layout, "gradient");
    float *delta = add_cells(image, layout, "delta");
    for_each_weight(layout, [&](int64_t cell, int64_t index, int64_t, int64_t) {
        std::memcpy(&weight[cell], &weights[index], sizeof(float));
        if (gradients)
            std::memcpy(&gradient[cell], &gradients[index], sizeof(float));
        delta[cell] = weights[index] - initials[index];
    });
    image->GetCellData()->SetActiveScalars("weight");
}

} // namespace

vtkSmartPointer<vtkDataObject> build_weights(const std::string &layer, const ws_scene &scene, Tiles &tiles)
{
    const void *frame = scene.frame;
    const int64_t *shape = ws_frame_find(frame, (layer + "/weight").c_str())->shape;
    const Layout layout(shape);
    const auto image = vtkSmartPointer<vtkImageData>::New();
    // Points are one more than cells.
    image->SetDimensions(static_cast<int>(layout.width()) + 1, static_cast<int>(layout.height()) + 1, 2);
    fill_cells(image, layout, layer, scene);
    if (!tiles.filter || !std::equal(shape, shape + 4, tiles.shape))
        lay_out(layout, shape, tiles);
    for (const auto &array : {tiles.filter, tiles.channel, tiles.group})
        image->GetCellData()->AddArray(array);
    add_state(image, frame);
    const ws_frame_array *range = ws_frame_find(frame, (layer + "/weight_range").c_str());
    add_field<vtkDoubleArray, double>(image, "weight_range",
                                      {*static_cast<const double *>(ws_frame_values(frame, range))});
    add_field<vtkLongLongArray, long long>(image, "shape", {shape[0], shape[1], shape[2], shape[3]});
    add_field<vtkLongLongArray, long long>(image, "layout", {layout.across, layout.down});
    add_field<vtkStringArray, std::string>(image, "layer", {layer});
    return image;
}

} // namespace weightscape
