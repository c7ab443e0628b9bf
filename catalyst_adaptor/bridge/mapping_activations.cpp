// SPDX-License-Identifier: BSD-3-Clause
// Feature maps of a convolution, tiled like its filters.
#include "mapping.h"
#include "tiles.h"

#include <vtkLongLongArray.h>
#include <vtkStringArray.h>

#include <cstring>

namespace weightscape
{

namespace
{

// K, N, P, Q: what is a tile's input channel among weights is an image here.
struct Shape {
    int64_t extents[4] = {};
};

// Activations are [N, K, P, Q].
int64_t index_of(const Shape &shape, int64_t k, int64_t n, int64_t p, int64_t q)
{
    return ((n * shape.extents[0] + k) * shape.extents[2] + p) * shape.extents[3] + q;
}

vtkSmartPointer<vtkDataObject> image(const std::string &layer, const Shape &shape, const float *values,
                                     const void *frame)
{
    const Layout layout(shape.extents);
    const auto result = image_of(layout.width(), layout.height());
    const auto activation = cells<vtkFloatArray>(layout, "activation", no_value);
    const auto filter = cells<vtkIntArray>(layout, "filter", nobody);
    const auto number = cells<vtkIntArray>(layout, "image", nobody);
    layout.for_each([&](int64_t cell, int64_t k, int64_t n, int64_t p, int64_t q) {
        filter->SetValue(cell, static_cast<int>(k));
        number->SetValue(cell, static_cast<int>(n));
        if (values)
            std::memcpy(activation->GetPointer(cell), &values[index_of(shape, k, n, p, q)], sizeof(float));
    });
    const auto group =
        cells_of_filters(layout, "group", filter_numbers(frame, layer, "/group", shape.extents[0]));
    result->GetCellData()->SetScalars(activation);
    for (const auto &array : {filter, number, group})
        result->GetCellData()->AddArray(array);
    add_state(result, frame);
    const int64_t *e = shape.extents;
    add_field<vtkLongLongArray, long long>(result, "shape", {e[0], e[1], e[2], e[3]});
    add_field<vtkLongLongArray, long long>(result, "layout", {layout.across, layout.down});
    add_field<vtkStringArray, std::string>(result, "layer", {layer});
    return result;
}

} // namespace

bool has_activations(const std::string &layer, const ws_scene &scene)
{
    const ws_frame_array *array = ws_frame_find(scene.frame, (layer + "/activation").c_str());
    return array && array->type == WS_FLOAT32 && array->rank == WS_FRAME_RANK;
}

vtkSmartPointer<vtkDataObject> build_activations(const std::string &layer, const ws_scene &scene)
{
    const ws_frame_array *array = ws_frame_find(scene.frame, (layer + "/activation").c_str());
    const Shape shape{{array->shape[1], array->shape[0], array->shape[2], array->shape[3]}};
    return image(layer, shape, static_cast<const float *>(ws_frame_values(scene.frame, array)), scene.frame);
}

vtkSmartPointer<vtkDataObject> blank_activations(const std::string &layer, const ws_scene &scene)
{
    const Offers offers = offers_of(layer, scene);
    return image(layer, {{offers.filters, offers.images, offers.rows, offers.columns}}, nullptr, scene.frame);
}

} // namespace weightscape
