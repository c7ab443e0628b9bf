// SPDX-License-Identifier: BSD-3-Clause
#include "walk.h"

#include <vtkMath.h>

#include <cmath>
#include <limits>

namespace weightscape
{

namespace
{

constexpr int cells = WS_SKETCH_CELLS;

using Vector = std::array<double, WS_SKETCH_CELLS>;

// Eigenvectors of the covariance that belong to its two largest eigenvalues.
std::array<Vector, 2> axes(const ws_walk_sums &sums)
{
    static_assert(cells >= 2, "two axes");
    std::array<Vector, cells> covariance, vectors;
    std::array<double *, cells> covariance_rows, vector_rows;
    Vector values;
    for (int i = 0; i < cells; i++) {
        covariance_rows[i] = covariance[i].data();
        vector_rows[i] = vectors[i].data();
        for (int j = i; j < cells; j++) {
            const double value = (sums.products[i][j] - sums.sum[i] * sums.sum[j] / sums.count) / sums.count;
            covariance[i][j] = covariance[j][i] = value;
        }
    }
    std::array<Vector, 2> result{};
    // Sorts by decreasing eigenvalue; eigenvectors are columns. Without convergence there are no components.
    if (vtkMath::JacobiN(covariance_rows.data(), cells, values.data(), vector_rows.data()))
        for (int axis = 0; axis < 2; axis++)
            for (int i = 0; i < cells; i++)
                result[axis][i] = vectors[i][axis];
    return result;
}

} // namespace

std::array<std::vector<double>, 2> walk_components(const float *sketches, uint64_t rows,
                                                   const ws_walk_sums &sums)
{
    std::array<std::vector<double>, 2> result;
    if (sums.count == 0) {
        for (auto &column : result)
            column.assign(rows, std::numeric_limits<double>::quiet_NaN());
        return result;
    }
    const std::array<Vector, 2> directions = axes(sums);
    for (int axis = 0; axis < 2; axis++) {
        std::vector<double> &column = result[axis];
        column.resize(rows);
        double last = 0;
        for (uint64_t row = 0; row < rows; row++) {
            double value = 0;
            for (int i = 0; i < cells; i++)
                value += directions[axis][i] * (sketches[row * cells + i] - sums.sum[i] / sums.count);
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
