// SPDX-License-Identifier: BSD-3-Clause
#include "walk.h"

#include <cmath>

namespace weightscape
{

namespace
{

constexpr int cells = WS_SKETCH_CELLS;

} // namespace

std::array<std::vector<double>, 2> walk_columns(const float *sketches, uint64_t rows,
                                                const ws_components &components)
{
    std::array<std::vector<double>, 2> result;
    for (int axis = 0; axis < 2; axis++) {
        std::vector<double> &column = result[axis];
        column.resize(rows);
        double last = 0;
        for (uint64_t row = 0; row < rows; row++) {
            double value = 0;
            for (int i = 0; i < cells; i++)
                value += components.axes[axis][i] * (sketches[row * cells + i] - components.mean[i]);
            column[row] = value;
            last = std::isfinite(value) ? value : last;
        }
        if (last < 0)
            for (double &value : column)
                value = -value;
    }
    return result;
}

} // namespace weightscape
