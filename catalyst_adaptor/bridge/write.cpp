// SPDX-License-Identifier: BSD-3-Clause
#include "write.h"
#include <charconv>
#include <cmath>
#include <cstdio>
#include <vtkDataArray.h>
#include <vtkImageData.h>
#include <vtkNew.h>
#include <vtkPolyData.h>
#include <vtkTable.h>
#include <vtkXMLImageDataWriter.h>
#include <vtkXMLPolyDataWriter.h>

namespace weightscape
{

namespace
{
// The shortest text that reads back to the same number, with a dot.
std::string number(double value)
{
    if (std::isnan(value))
        return "nan";
    char text[32];
    return std::string(text, std::to_chars(text, text + sizeof text, value).ptr);
}

bool write_table(vtkTable &table, const std::string &path)
{
    std::FILE *file = std::fopen(path.c_str(), "we");
    if (!file)
        return false;
    const vtkIdType columns = table.GetNumberOfColumns();
    for (vtkIdType c = 0; c < columns; c++)
        std::fprintf(file, "%s%s", c ? "," : "", table.GetColumnName(c));
    std::fputc('\n', file);
    for (vtkIdType row = 0; row < table.GetNumberOfRows(); row++)
        for (vtkIdType c = 0; c < columns; c++)
            std::fprintf(file, "%s%s",
                         number(vtkDataArray::SafeDownCast(table.GetColumn(c))->GetTuple1(row)).c_str(),
                         c + 1 < columns ? "," : "\n");
    const bool whole = !std::ferror(file);
    return std::fclose(file) == 0 && whole;
}

template <typename Writer> bool write_with(vtkDataObject &object, const std::string &path)
{
    vtkNew<Writer> writer;
    writer->SetFileName(path.c_str());
    writer->SetInputData(&object);
    return writer->Write() == 1;
}

const char *ending(Channel::Kind kind)
{
    switch (kind) {
    case Channel::Weights:
        return ".vti";
    case Channel::Norms:
    case Channel::Trajectory:
        return ".csv";
    case Channel::NormsPoints:
    case Channel::TrajectoryPoints:
        return ".vtp";
    }
    return "";
}

bool write_object(vtkDataObject &object, const std::string &path)
{
    if (auto *table = vtkTable::SafeDownCast(&object))
        return write_table(*table, path);
    if (vtkImageData::SafeDownCast(&object))
        return write_with<vtkXMLImageDataWriter>(object, path);
    return write_with<vtkXMLPolyDataWriter>(object, path);
}
} // namespace

std::string write_channels(const ws_frame &frame, const ws_history &history, const std::string &folder)
{
    for (const Channel &channel : channels_of(history)) {
        const vtkSmartPointer<vtkDataObject> object = build(channel, frame, history);
        if (!object)
            continue;
        const std::string path = folder + "/" + channel.name + ending(channel.kind), aside = path + ".tmp";
        if (!write_object(*object, aside) || std::rename(aside.c_str(), path.c_str()) != 0) {
            std::remove(aside.c_str());
            return path;
        }
    }
    return "";
}

} // namespace weightscape
