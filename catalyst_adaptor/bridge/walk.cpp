// SPDX-License-Identifier: BSD-3-Clause
#include "walk.h"

#include <vtkMath.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace weightscape
{

namespace
{

constexpr int cells = WS_SKETCH_CELLS;

bool is_finite(const float *sketch)
{
    return std::all_of(sketch, sketch + cells, [](float value) { return std::isfinite(value); });
}

} // namespace

void Walk::add(const float *sketch)
{
    count++;
    for (int i = 0; i < cells; i++) {
        sum[i] += sketch[i];
        for (int j = i; j < cells; j++)
            products[i][j] += static_cast<double>(sketch[i]) * sketch[j];
    }
}

// Eigenvectors of the covariance that belong to its two largest eigenvalues.
std::array<Walk::Vector, 2> Walk::axes() const
{
    static_assert(cells >= 2, "two axes");
    std::array<Vector, cells> covariance, vectors;
    std::array<double *, cells> covariance_rows, vector_rows;
    Vector values;
    for (int i = 0; i < cells; i++) {
        covariance_rows[i] = covariance[i].data();
        vector_rows[i] = vectors[i].data();
        for (int j = i; j < cells; j++) {
            const double value = (products[i][j] - sum[i] * sum[j] / count) / count;
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

std::array<std::vector<double>, 2> Walk::components(const float *sketches, uint64_t rows)
{
    for (; added < rows; added++)
        if (is_finite(sketches + added * cells))
            add(sketches + added * cells);
    std::array<std::vector<double>, 2> result;
    if (count == 0) {
        for (auto &column : result)
            column.assign(rows, std::numeric_limits<double>::quiet_NaN());
        return result;
    }
    const std::array<Vector, 2> directions = axes();
    for (int axis = 0; axis < 2; axis++) {
        std::vector<double> &column = result[axis];
        column.resize(rows);
        double last = 0;
        for (uint64_t row = 0; row < rows; row++) {
            double value = 0;
            for (int i = 0; i < cells; i++)
                value += directions[axis][i] * (sketches[row * cells + i] - sum[i] / count);
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
