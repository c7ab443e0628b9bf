// SPDX-License-Identifier: BSD-3-Clause
// Tiles: where the numbers of a layer lie in an image. For the files that build images.
#ifndef WEIGHTSCAPE_TILES_H
#define WEIGHTSCAPE_TILES_H

#include "bridge_table.h"

#include <vtkCellData.h>
#include <vtkDataObject.h>
#include <vtkFieldData.h>
#include <vtkFloatArray.h>
#include <vtkImageData.h>
#include <vtkIntArray.h>
#include <vtkNew.h>
#include <vtkSmartPointer.h>

#include <cmath>
#include <initializer_list>
#include <limits>
#include <string>

namespace weightscape
{

constexpr float no_value = std::numeric_limits<float>::quiet_NaN();
constexpr int nobody = -1;

// The grid of tiles, one of `rows` x `columns` cells for each filter and each of its parts: input channels of
// weights, images of activations.
struct Layout {
    int64_t filters, parts, rows, columns;
    int64_t across, down; // tiles

    explicit Layout(const int64_t shape[4])
        : filters(shape[0]), parts(shape[1]), rows(shape[2]), columns(shape[3])
    {
        across = parts == 1 ? ceil_root(filters) : parts;
        down = parts == 1 ? (filters + across - 1) / across : filters;
    }

    int64_t width() const { return across * (columns + 1) - 1; }
    int64_t height() const { return down * (rows + 1) - 1; }

    int64_t cell(int64_t filter, int64_t part, int64_t row, int64_t column) const
    {
        const int64_t i = parts == 1 ? filter % across : part;
        const int64_t j = parts == 1 ? filter / across : filter;
        const int64_t x = i * (columns + 1) + column;
        const int64_t y = (down - 1 - j) * (rows + 1) + (rows - 1 - row);
        return y * width() + x;
    }

    // Calls visit(cell, filter, part, row, column), filters first.
    template <class Visitor> void for_each(Visitor visit) const
    {
        for (int64_t k = 0; k < filters; k++)
            for (int64_t c = 0; c < parts; c++)
                for (int64_t r = 0; r < rows; r++)
                    for (int64_t s = 0; s < columns; s++)
                        visit(cell(k, c, r, s), k, c, r, s);
    }

    static int64_t ceil_root(int64_t value)
    {
        auto root = static_cast<int64_t>(std::sqrt(static_cast<double>(value)));
        while (root * root < value)
            root++;
        return root;
    }
};

// An image of this many cells.
inline vtkSmartPointer<vtkImageData> image_of(int64_t width, int64_t height)
{
    const auto image = vtkSmartPointer<vtkImageData>::New();
    // Points are one more than cells.
    image->SetDimensions(static_cast<int>(width) + 1, static_cast<int>(height) + 1, 2);
    return image;
}

template <class Array, class Value>
vtkSmartPointer<Array> cells(int64_t count, const char *name, Value everywhere)
{
    const auto array = vtkSmartPointer<Array>::New();
    array->SetName(name);
    array->SetNumberOfTuples(count);
    array->Fill(everywhere);
    return array;
}

template <class Array, class Value>
vtkSmartPointer<Array> cells(const Layout &layout, const char *name, Value in_gaps)
{
    return cells<Array>(layout.width() * layout.height(), name, in_gaps);
}

// A number of each filter as cells; -1 in gaps, and everywhere if there are no numbers.
inline vtkSmartPointer<vtkIntArray> cells_of_filters(const Layout &layout, const char *name,
                                                     const int32_t *numbers)
{
    const auto array = cells<vtkIntArray>(layout, name, nobody);
    if (numbers)
        layout.for_each(
            [&](int64_t cell, int64_t k, int64_t, int64_t, int64_t) { array->SetValue(cell, numbers[k]); });
    return array;
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

// The values of an array "LAYER/WHAT" if it is there with this type and this many of them, else NULL: frames
// come from files, too.
template <class Value>
const Value *values_of(const void *frame, const std::string &layer, const char *what, uint32_t type,
                       int64_t count)
{
    const ws_frame_array *array = ws_frame_find(frame, (layer + what).c_str());
    if (!array || array->type != type || array->bytes != static_cast<uint64_t>(count) * sizeof(Value))
        return nullptr;
    return static_cast<const Value *>(ws_frame_values(frame, array));
}

inline const int32_t *filter_numbers(const void *frame, const std::string &layer, const char *what,
                                     int64_t filters)
{
    return values_of<int32_t>(frame, layer, what, WS_INT32, filters);
}

} // namespace weightscape

#endif
