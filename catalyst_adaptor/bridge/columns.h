// SPDX-License-Identifier: BSD-3-Clause
// Columns of numbers as a table, and as its polydata twin. For the files that build tables.
#ifndef WEIGHTSCAPE_COLUMNS_H
#define WEIGHTSCAPE_COLUMNS_H

#include <vtkCellArray.h>
#include <vtkDoubleArray.h>
#include <vtkNew.h>
#include <vtkPointData.h>
#include <vtkPoints.h>
#include <vtkPolyData.h>
#include <vtkSmartPointer.h>
#include <vtkTable.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace weightscape
{

using Columns = std::vector<vtkSmartPointer<vtkDoubleArray>>;

inline vtkSmartPointer<vtkDoubleArray> column(const char *name, const double *values, uint64_t rows)
{
    const auto array = vtkSmartPointer<vtkDoubleArray>::New();
    array->SetName(name);
    array->SetNumberOfValues(static_cast<vtkIdType>(rows));
    std::copy(values, values + rows, array->GetPointer(0));
    return array;
}

inline vtkSmartPointer<vtkDataObject> table_of(const Columns &columns)
{
    const auto table = vtkSmartPointer<vtkTable>::New();
    for (const auto &array : columns)
        table->AddColumn(array);
    return table;
}

// A point (x, y, 0) for each row, y = 0 without a column for it, and one line through all of them.
inline vtkSmartPointer<vtkDataObject> points_of(const Columns &columns, vtkDoubleArray *x, vtkDoubleArray *y)
{
    const vtkIdType rows = x->GetNumberOfValues();
    vtkNew<vtkPoints> points;
    points->SetDataTypeToDouble();
    points->SetNumberOfPoints(rows);
    vtkNew<vtkCellArray> lines;
    if (rows > 1)
        lines->InsertNextCell(static_cast<int>(rows));
    for (vtkIdType row = 0; row < rows; row++) {
        points->SetPoint(row, x->GetValue(row), y ? y->GetValue(row) : 0.0, 0.0);
        if (rows > 1)
            lines->InsertCellPoint(row);
    }
    const auto data = vtkSmartPointer<vtkPolyData>::New();
    data->SetPoints(points);
    data->SetLines(lines);
    for (const auto &array : columns)
        data->GetPointData()->AddArray(array);
    return data;
}

} // namespace weightscape

#endif
