// SPDX-License-Identifier: BSD-3-Clause
#include "export.h"

#include "mapping.h"

#include <vtkDoubleArray.h>
#include <vtkImageData.h>
#include <vtkNew.h>
#include <vtkTable.h>
#include <vtkXMLImageDataWriter.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace weightscape
{

namespace
{

std::string problem_with(const std::string &path)
{
    return path + ": cannot be written: " + std::strerror(errno);
}

// The shortest text that reads back to the same number, with a dot whatever the locale.
void append_number(std::string &line, double value)
{
    char text[32];
    if (std::isnan(value))
        line += "nan";
    else
        line.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

bool write_table(vtkTable *table, const std::string &path)
{
    std::string text;
    for (vtkIdType column = 0; column < table->GetNumberOfColumns(); column++)
        text.append(column ? "," : "").append(table->GetColumnName(column));
    text += '\n';
    for (vtkIdType row = 0; row < table->GetNumberOfRows(); row++) {
        for (vtkIdType column = 0; column < table->GetNumberOfColumns(); column++) {
            text.append(column ? "," : "");
            append_number(text, vtkDoubleArray::SafeDownCast(table->GetColumn(column))->GetValue(row));
        }
        text += '\n';
    }
    std::ofstream file(path, std::ios::binary);
    file << text;
    file.close();
    return static_cast<bool>(file);
}

bool write_image(vtkImageData *image, const std::string &path)
{
    vtkNew<vtkXMLImageDataWriter> writer;
    writer->SetInputData(image);
    writer->SetFileName(path.c_str());
    // Inline: with the expat of today's Debian 12, ParaView 5.11 cannot read the default, an appended
    // section.
    writer->SetDataModeToBinary();
    return writer->Write() == 1;
}

bool sync_file(const std::string &path)
{
    const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const bool synced = descriptor >= 0 && fsync(descriptor) == 0;
    if (descriptor >= 0)
        close(descriptor);
    return synced;
}

std::string write_channel(vtkDataObject *data, const std::string &path)
{
    const std::string aside = path + ".part";
    errno = 0;
    auto *table = vtkTable::SafeDownCast(data);
    const bool written =
        table ? write_table(table, aside) : write_image(vtkImageData::SafeDownCast(data), aside);
    if (written && sync_file(aside) && rename(aside.c_str(), path.c_str()) == 0)
        return "";
    const std::string problem = problem_with(path);
    unlink(aside.c_str());
    return problem;
}

} // namespace

std::string export_channels(const ws_scene &scene, const std::string &folder)
{
    if (mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST)
        return problem_with(folder);
    Mapping mapping;
    for (const Channel &channel : channels_of(*scene.history)) {
        const bool is_image = wants_of(channel.kind) != 0;
        if (!is_image && channel.kind != Channel::Kind::norms && channel.kind != Channel::Kind::trajectory &&
            channel.kind != Channel::Kind::ranks)
            continue; // the twins hold nothing else
        if (!Mapping::is_there(channel, scene))
            continue;
        const auto data = mapping.build(channel, scene);
        const std::string problem =
            write_channel(data, folder + "/" + channel.name + (is_image ? ".vti" : ".csv"));
        if (!problem.empty())
            return problem;
    }
    return "";
}

} // namespace weightscape
