// SPDX-License-Identifier: BSD-3-Clause
#include "mapping.h"
#include <cmath>
#include <limits>
#include <vtkCellData.h>
#include <vtkFloatArray.h>
#include <vtkImageData.h>
#include <vtkIntArray.h>
#include <vtkNew.h>

namespace weightscape
{

namespace
{
// How the tiles of one layer lie in the image.
struct Layout {
    long long K, C, R, S, columns, rows;

    explicit Layout(const ws_frame_array &weight)
        : K(weight.shape[0]), C(weight.shape[1]), R(weight.shape[2]), S(weight.shape[3])
    {
        columns = C > 1 ? C : static_cast<long long>(std::ceil(std::sqrt(static_cast<double>(K))));
        rows = C > 1 ? K : (K + columns - 1) / columns;
    }

    long long width() const { return columns * (S + 1) - 1; }
    long long height() const { return rows * (R + 1) - 1; }

    // The cell of a weight: columns along +x, kernel rows and tile rows along -y.
    long long cell(long long k, long long c, long long r, long long s) const
    {
        const long long column = C > 1 ? c : k % columns, row = C > 1 ? k : k / columns;
        const long long x = column * (S + 1) + s, y = (rows - 1 - row) * (R + 1) + (R - 1 - r);
        return y * width() + x;
    }
};

template <typename Array, typename Value>
vtkSmartPointer<Array> add_array(vtkImageData &image, const char *name, Value gap)
{
    auto array = vtkSmartPointer<Array>::New();
    array->SetName(name);
    array->SetNumberOfValues(image.GetNumberOfCells());
    array->FillValue(gap);
    image.GetCellData()->AddArray(array);
    return array;
}
} // namespace

vtkSmartPointer<vtkImageData> weights_image(const ws_frame &frame, const char *layer)
{
    const ws_frame_array *described = ws_frame_find(&frame, layer, "weight");
    if (!described)
        return nullptr;
    const Layout layout(*described);
    const auto values = [&](const char *name) {
        return ws_frame_values(&frame, ws_frame_find(&frame, layer, name));
    };
    const auto *weight = static_cast<const float *>(values("weight"));
    const auto *gradient = static_cast<const float *>(values("gradient"));
    const auto *initial = static_cast<const float *>(values("initial"));
    const auto *group = static_cast<const int32_t *>(values("group"));

    auto image = vtkSmartPointer<vtkImageData>::New();
    image->SetDimensions(static_cast<int>(layout.width() + 1), static_cast<int>(layout.height() + 1), 2);
    const float nan = std::numeric_limits<float>::quiet_NaN();
    auto weights = add_array<vtkFloatArray>(*image, "weight", nan);
    auto gradients = add_array<vtkFloatArray>(*image, "gradient", nan);
    auto deltas = add_array<vtkFloatArray>(*image, "delta", nan);
    auto filters = add_array<vtkIntArray>(*image, "filter", -1);
    auto channels = add_array<vtkIntArray>(*image, "channel", -1);
    auto groups = add_array<vtkIntArray>(*image, "group", -1);
    double range = 0;
    long long at = 0;
    for (long long k = 0; k < layout.K; k++)
        for (long long c = 0; c < layout.C; c++)
            for (long long r = 0; r < layout.R; r++)
                for (long long s = 0; s < layout.S; s++, at++) {
                    const long long cell = layout.cell(k, c, r, s);
                    weights->SetValue(cell, weight[at]);
                    gradients->SetValue(cell, gradient[at]);
                    deltas->SetValue(cell, weight[at] - initial[at]);
                    filters->SetValue(cell, static_cast<int>(k));
                    channels->SetValue(cell, static_cast<int>(c));
                    groups->SetValue(cell, group[k]);
                    range = std::fmax(range, std::fabs(static_cast<double>(initial[at])));
                }
    image->GetCellData()->SetActiveScalars("weight");
    add_scalars(*image, frame);
    add_field(*image, "weight_range", std::vector<double>{range});
    add_field(*image, "shape", std::vector<long long>{layout.K, layout.C, layout.R, layout.S});
    add_field(*image, "layout", std::vector<long long>{layout.columns, layout.rows});
    add_field(*image, "layer", std::vector<std::string>{layer});
    return image;
}

} // namespace weightscape
