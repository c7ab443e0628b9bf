// SPDX-License-Identifier: BSD-3-Clause
#include "curves.h"

#include <vtkDoubleArray.h>
#include <vtkFieldData.h>
#include <vtkInformation.h>
#include <vtkInformationVector.h>
#include <vtkNew.h>
#include <vtkObjectFactory.h>
#include <vtkTable.h>

#include <cmath>
#include <string>

namespace weightscape
{

vtkStandardNewMacro(WeightscapeCurves);

WeightscapeCurves::WeightscapeCurves() = default;

WeightscapeCurves::~WeightscapeCurves() = default;

namespace
{

bool ends_with(const std::string &text, const std::string &end)
{
    return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

bool is_drawn_by_its_logarithm(const std::string &column)
{
    return ends_with(column, "_l2") || ends_with(column, "loss") || column == "learning_rate";
}

vtkSmartPointer<vtkDoubleArray> with_gaps(vtkDataArray *values)
{
    auto copy = vtkSmartPointer<vtkDoubleArray>::New();
    copy->SetName(values->GetName());
    copy->SetNumberOfValues(values->GetNumberOfTuples());
    for (vtkIdType i = 0; i < values->GetNumberOfTuples(); i++) {
        const double value = values->GetTuple1(i);
        copy->SetValue(i, value > 0 ? value : std::nan(""));
    }
    return copy;
}

// The column of a table of less than two rows, with two: its only value twice; where there is none, NaN, or 0
// for the step.
vtkSmartPointer<vtkDoubleArray> with_two_rows(vtkDataArray *values)
{
    auto copy = vtkSmartPointer<vtkDoubleArray>::New();
    copy->SetName(values->GetName());
    const bool is_step = copy->GetName() == std::string("step");
    const double value = values->GetNumberOfTuples() > 0 ? values->GetTuple1(0) : is_step ? 0 : std::nan("");
    for (int row = 0; row < 2; row++)
        copy->InsertNextValue(value);
    return copy;
}

} // namespace

int WeightscapeCurves::FillInputPortInformation(int, vtkInformation *information)
{
    information->Set(vtkAlgorithm::INPUT_REQUIRED_DATA_TYPE(), "vtkDataObject");
    return 1;
}

int WeightscapeCurves::RequestData(vtkInformation *, vtkInformationVector **in, vtkInformationVector *out)
{
    auto *table = vtkTable::GetData(in[0]);
    auto *output = vtkTable::GetData(out);
    if (!table)
        return 1;
    const bool is_curve = table->GetNumberOfRows() > 1;
    for (vtkIdType i = 0; i < table->GetNumberOfColumns(); i++) {
        vtkSmartPointer<vtkAbstractArray> column = table->GetColumn(i);
        auto *values = vtkDataArray::SafeDownCast(column);
        if (!is_curve && !values)
            continue;
        if (!is_curve)
            column = with_two_rows(values);
        values = vtkDataArray::SafeDownCast(column);
        if (values && is_drawn_by_its_logarithm(column->GetName()))
            column = with_gaps(values);
        output->AddColumn(column);
    }
    output->GetFieldData()->ShallowCopy(table->GetFieldData());
    return 1;
}

} // namespace weightscape
