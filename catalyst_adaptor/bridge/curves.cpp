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
    for (vtkIdType i = 0; i < table->GetNumberOfColumns(); i++) {
        vtkAbstractArray *column = table->GetColumn(i);
        auto *values = vtkDataArray::SafeDownCast(column);
        if (values && is_drawn_by_its_logarithm(column->GetName()))
            output->AddColumn(with_gaps(values));
        else
            output->AddColumn(column);
    }
    output->GetFieldData()->ShallowCopy(table->GetFieldData());
    return 1;
}

} // namespace weightscape
