// SPDX-License-Identifier: BSD-3-Clause
// What the ranks of a parallel training tell of themselves.
#include "columns.h"
#include "mapping.h"

namespace weightscape
{

namespace
{

#define WS_RANK_COLUMN(name) #name,
constexpr const char *names[] = {WS_RANK_COLUMN_LIST(WS_RANK_COLUMN)};
#undef WS_RANK_COLUMN

const ws_frame_array *ranks_in(const void *frame)
{
    const ws_frame_array *array = ws_frame_find(frame, "ranks");
    // Frames come from files, too; a later version may have more columns.
    return array && array->type == WS_FLOAT64 && array->rank == 2 && array->shape[1] >= WS_RANK_COLUMNS
               ? array
               : nullptr;
}

} // namespace

bool has_ranks(const void *frame)
{
    return ranks_in(frame) != nullptr;
}

vtkSmartPointer<vtkDataObject> build_ranks(const void *frame, bool as_points)
{
    const ws_frame_array *array = ranks_in(frame);
    const auto *values = static_cast<const double *>(ws_frame_values(frame, array));
    const auto rows = static_cast<uint64_t>(array->shape[0]), width = static_cast<uint64_t>(array->shape[1]);
    Columns columns;
    std::vector<double> one(rows);
    for (uint64_t number = 0; number < WS_RANK_COLUMNS; number++) {
        for (uint64_t row = 0; row < rows; row++)
            one[row] = values[row * width + number];
        columns.push_back(column(names[number], one.data(), rows));
    }
    auto data = as_points ? points_of(columns, columns[WS_RANK_rank], nullptr) : table_of(columns);
    add_state(data, frame);
    return data;
}

} // namespace weightscape
