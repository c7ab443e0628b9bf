// SPDX-License-Identifier: BSD-3-Clause
#include "boxes.h"

#include <vtkCellArray.h>
#include <vtkCellData.h>
#include <vtkDoubleArray.h>
#include <vtkFieldData.h>
#include <vtkFloatArray.h>
#include <vtkImageData.h>
#include <vtkInformation.h>
#include <vtkInformationVector.h>
#include <vtkNew.h>
#include <vtkObjectFactory.h>
#include <vtkPoints.h>
#include <vtkPolyData.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace weightscape
{

vtkStandardNewMacro(WeightscapeBoxes);

WeightscapeBoxes::WeightscapeBoxes() = default;

WeightscapeBoxes::~WeightscapeBoxes() = default;

namespace
{

constexpr double margin = 0.08; // from the edge of a cell to the box in it
constexpr int faces = 5;

// The corners of a box: 0..3 around its foot, 4..7 above them.
constexpr int corners_of_faces[faces][4] = {
    {4, 5, 6, 7}, {0, 1, 5, 4}, {1, 2, 6, 5}, {2, 3, 7, 6}, {3, 0, 4, 7}};

// Points and faces of the boxes, as far as they are made.
struct Boxes {
    vtkNew<vtkPoints> points;
    vtkNew<vtkCellArray> quads;
    std::vector<vtkIdType> cells; // of the image, one for each box

    void add(vtkIdType cell, double x, double y, double z)
    {
        const double left = x + margin, right = x + 1 - margin, front = y + margin, back = y + 1 - margin;
        const double around[4][2] = {{left, front}, {right, front}, {right, back}, {left, back}};
        const double low = std::min(z, 0.0), high = std::max(z, 0.0);
        const vtkIdType first = points->GetNumberOfPoints();
        for (const double level : {low, high})
            for (const auto &corner : around)
                points->InsertNextPoint(corner[0], corner[1], level);
        for (const auto &face : corners_of_faces) {
            quads->InsertNextCell(4);
            for (const int corner : face)
                quads->InsertCellPoint(first + corner);
        }
        cells.push_back(cell);
    }
};

double number_of(vtkFieldData *fields, const char *name)
{
    vtkDataArray *array = fields->GetArray(name);
    return array && array->GetNumberOfTuples() > 0 ? array->GetTuple1(0) : 0;
}

// Each array of the image's cells for all faces. What is infinite becomes NaN, so that it is marked and not
// coloured like the largest value.
void copy_arrays(vtkCellData *from, const Boxes &boxes, vtkCellData *to)
{
    for (int i = 0; i < from->GetNumberOfArrays(); i++) {
        vtkDataArray *values = from->GetArray(i);
        if (!values)
            continue;
        auto copy = vtkSmartPointer<vtkDataArray>::Take(values->NewInstance());
        copy->SetName(values->GetName());
        copy->SetNumberOfTuples(faces * static_cast<vtkIdType>(boxes.cells.size()));
        vtkIdType next = 0;
        for (const vtkIdType cell : boxes.cells) {
            const double value = values->GetTuple1(cell);
            for (int face = 0; face < faces; face++)
                copy->SetTuple1(next++, std::isinf(value) ? std::nan("") : value);
        }
        to->AddArray(copy);
    }
}

} // namespace

double scale_end(const std::string &array, double weight_range)
{
    // Twice the largest initial weight leaves room to grow; gradients are about a tenth of that, or less.
    const double wanted = (array == "gradient" ? 0.2 : 2.0) * weight_range;
    if (!(std::isfinite(wanted) && wanted > 0))
        return 1;
    const double decade = std::pow(10.0, std::floor(std::log10(wanted)));
    for (const double step : {1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0})
        if (step * decade >= wanted * (1 - 1e-9))
            return step * decade;
    return 10 * decade;
}

void WeightscapeBoxes::SetArray(const char *name)
{
    array = name ? name : "";
    Modified();
}

void WeightscapeBoxes::SetHeight(double cells)
{
    height = cells;
    Modified();
}

void WeightscapeBoxes::SetRange(double value)
{
    range = value;
    Modified();
}

int WeightscapeBoxes::FillInputPortInformation(int, vtkInformation *information)
{
    information->Set(vtkAlgorithm::INPUT_REQUIRED_DATA_TYPE(), "vtkDataObject");
    return 1;
}

int WeightscapeBoxes::RequestData(vtkInformation *, vtkInformationVector **in, vtkInformationVector *out)
{
    auto *image = vtkImageData::GetData(in[0]);
    auto *output = vtkPolyData::GetData(out);
    if (!image)
        return 1;
    vtkCellData *cells = image->GetCellData();
    vtkDataArray *values = cells->GetArray(array.c_str());
    vtkDataArray *filters = cells->GetArray("filter");
    if (!values || !filters) {
        vtkErrorMacro("the input has no cell array \"" << (filters ? array : "filter") << "\"");
        return 0;
    }
    const double end = range > 0 ? range : scale_end(array, number_of(image->GetFieldData(), "weight_range"));
    int size[3];
    image->GetDimensions(size);
    const vtkIdType width = std::max(1, size[0] - 1);
    Boxes boxes;
    for (vtkIdType cell = 0; cell < values->GetNumberOfTuples(); cell++) {
        if (filters->GetTuple1(cell) < 0)
            continue;
        const double value = values->GetTuple1(cell);
        const double part = std::isfinite(value) ? std::clamp(value / end, -1.0, 1.0) : 0;
        boxes.add(cell, static_cast<double>(cell % width), static_cast<double>(cell / width), height * part);
    }
    output->SetPoints(boxes.points);
    output->SetPolys(boxes.quads);
    copy_arrays(cells, boxes, output->GetCellData());
    output->GetFieldData()->ShallowCopy(image->GetFieldData());
    vtkNew<vtkDoubleArray> told_end;
    told_end->SetName("end");
    told_end->InsertNextValue(end);
    output->GetFieldData()->AddArray(told_end);
    return 1;
}

} // namespace weightscape
