// SPDX-License-Identifier: BSD-3-Clause
#include "mapping.h"
#include <array>
#include <cmath>
#include <vtkCellArray.h>
#include <vtkDoubleArray.h>
#include <vtkFieldData.h>
#include <vtkMath.h>
#include <vtkNew.h>
#include <vtkPointData.h>
#include <vtkPoints.h>
#include <vtkPolyData.h>
#include <vtkTable.h>

namespace weightscape
{

namespace
{
// Rows that a picture of the frame's step shows: those up to it.
size_t shown_rows(const ws_frame &frame, const ws_history &history)
{
    size_t rows = history.count;
    while (rows && ws_history_numbers(&history, rows - 1)[WS_STEP] > static_cast<double>(frame.step))
        rows--;
    return rows;
}

template <typename Value>
void add_column(vtkTable &table, const std::string &name, size_t first, size_t rows, Value value)
{
    vtkNew<vtkDoubleArray> column;
    column->SetName(name.c_str());
    column->SetNumberOfValues(static_cast<vtkIdType>(rows - first));
    for (size_t row = first; row < rows; row++)
        column->SetValue(static_cast<vtkIdType>(row - first), value(row));
    table.AddColumn(column);
}

void add_layers(vtkDataObject &object, const ws_history &history)
{
    std::vector<std::string> layers, convolutions;
    for (int i = 0; i < history.layer_count; i++) {
        layers.push_back(history.layers[i].name);
        if (history.layers[i].kind == WS_CONVOLUTION)
            convolutions.push_back(history.layers[i].name);
    }
    add_field(object, "layers", layers);
    add_field(object, "convolutions", convolutions);
}

constexpr int cells = WS_SKETCH_SIZE;
using Vector = std::array<double, cells>;

// The first two principal directions of the sketched walk, and its mean.
struct Principal {
    Vector mean{}, directions[2]{};

    Principal(const ws_history &history, size_t rows, int convolution)
    {
        const auto sketch = [&](size_t row) { return ws_history_walk(&history, row, convolution) + 2; };
        for (size_t row = 0; row < rows; row++)
            for (int i = 0; i < cells; i++)
                mean[i] += static_cast<double>(sketch(row)[i]) / static_cast<double>(rows);
        // A walk of many rows is sampled: a thousand directions determine 64 x 64
        // covariances well enough.
        const size_t stride = rows > 4096 ? rows / 2048 : 1;
        std::vector<double> covariance(cells * cells, 0.0), vectors(cells * cells, 0.0);
        for (size_t row = 0; row < rows; row += stride)
            for (int i = 0; i < cells; i++)
                for (int j = 0; j <= i; j++)
                    covariance[i * cells + j] += (static_cast<double>(sketch(row)[i]) - mean[i]) *
                                                 (static_cast<double>(sketch(row)[j]) - mean[j]);
        double *matrix[cells], *columns[cells], values[cells];
        bool finite = true;
        for (int i = 0; i < cells; i++) {
            matrix[i] = covariance.data() + i * cells;
            columns[i] = vectors.data() + i * cells;
            for (int j = 0; j <= i; j++) {
                matrix[j][i] = matrix[i][j];
                finite = finite && std::isfinite(matrix[i][j]);
            }
        }
        // A walk that has left the finite numbers has no directions: the zero
        // vectors stay.
        if (!finite || !vtkMath::JacobiN(matrix, cells, values, columns))
            return;
        for (int d = 0; d < 2; d++)
            for (int i = 0; i < cells; i++)
                directions[d][i] = columns[i][d];
        for (auto &direction : directions)
            if (rows && along(sketch(rows - 1), direction) < 0)
                for (double &component : direction)
                    component = -component;
    }

    double along(const float *sketch, const Vector &direction) const
    {
        double sum = 0;
        for (int i = 0; i < cells; i++)
            sum += (static_cast<double>(sketch[i]) - mean[i]) * direction[i];
        return sum;
    }
};
} // namespace

vtkSmartPointer<vtkTable> norms_table(const ws_frame &frame, const ws_history &history)
{
    static const char *const scalars[WS_SCALARS] = {
        "step",     "epoch",         "time_s",          "loss",
        "accuracy", "learning_rate", "validation_loss", "validation_accuracy"};
    auto table = vtkSmartPointer<vtkTable>::New();
    const size_t rows = shown_rows(frame, history);
    // The row of step 0 holds the start of the walk only.
    const size_t first = rows && ws_history_numbers(&history, 0)[WS_STEP] == 0 ? 1 : 0;
    for (int i = 0; i < WS_SCALARS; i++)
        add_column(*table, scalars[i], first, rows,
                   [&](size_t row) { return ws_history_numbers(&history, row)[i]; });
    static const char *const norms[] = {"_weight_l2", "_gradient_l2", "_distance_l2"};
    for (int layer = 0; layer < history.layer_count; layer++)
        for (int i = 0; i < 3; i++)
            add_column(*table, std::string(history.layers[layer].name) + norms[i], first, rows,
                       [&](size_t row) { return ws_history_norms(&history, row, layer)[i]; });
    add_scalars(*table, frame);
    add_layers(*table, history);
    return table;
}

vtkSmartPointer<vtkTable> trajectory_table(const ws_frame &frame, const ws_history &history, int convolution)
{
    auto table = vtkSmartPointer<vtkTable>::New();
    const size_t rows = shown_rows(frame, history);
    const Principal principal(history, rows, convolution);
    const auto walk = [&](size_t row) { return ws_history_walk(&history, row, convolution); };
    add_column(*table, "step", 0, rows,
               [&](size_t row) { return ws_history_numbers(&history, row)[WS_STEP]; });
    add_column(*table, "w0", 0, rows, [&](size_t row) { return static_cast<double>(walk(row)[0]); });
    add_column(*table, "w1", 0, rows, [&](size_t row) { return static_cast<double>(walk(row)[1]); });
    add_column(*table, "pc1", 0, rows,
               [&](size_t row) { return principal.along(walk(row) + 2, principal.directions[0]); });
    add_column(*table, "pc2", 0, rows,
               [&](size_t row) { return principal.along(walk(row) + 2, principal.directions[1]); });
    add_scalars(*table, frame);
    add_layers(*table, history);
    return table;
}

vtkSmartPointer<vtkPolyData> points_of(vtkTable &table, const char *x, const char *y)
{
    auto data = vtkSmartPointer<vtkPolyData>::New();
    const vtkIdType rows = table.GetNumberOfRows();
    auto *xs = vtkDataArray::SafeDownCast(table.GetColumnByName(x));
    auto *ys = y ? vtkDataArray::SafeDownCast(table.GetColumnByName(y)) : nullptr;
    vtkNew<vtkPoints> points;
    points->SetDataTypeToDouble();
    points->SetNumberOfPoints(rows);
    vtkNew<vtkCellArray> lines;
    if (rows > 1)
        lines->InsertNextCell(static_cast<int>(rows));
    for (vtkIdType row = 0; row < rows; row++) {
        points->SetPoint(row, xs->GetTuple1(row), ys ? ys->GetTuple1(row) : 0, 0);
        if (rows > 1)
            lines->InsertCellPoint(row);
    }
    data->SetPoints(points);
    data->SetLines(lines);
    for (vtkIdType i = 0; i < table.GetNumberOfColumns(); i++)
        data->GetPointData()->AddArray(table.GetColumn(i));
    data->GetFieldData()->ShallowCopy(table.GetFieldData());
    return data;
}

} // namespace weightscape
