// SPDX-License-Identifier: BSD-3-Clause
#include "reader.h"

#include <vtkCellData.h>
#include <vtkErrorCode.h>
#include <vtkImageData.h>
#include <vtkInformation.h>
#include <vtkInformationVector.h>
#include <vtkIntArray.h>
#include <vtkObjectFactory.h>
#include <vtkStreamingDemandDrivenPipeline.h>
#include <vtkUnsignedCharArray.h>

#include <algorithm>
#include <stdexcept>

namespace weightscape
{

vtkStandardNewMacro(WeightscapeReader);

using Pipeline = vtkStreamingDemandDrivenPipeline;

namespace
{

// The port that a request is for; -1: all of them.
int port_of(vtkInformation *request)
{
    return request->Has(Pipeline::FROM_OUTPUT_PORT()) ? request->Get(Pipeline::FROM_OUTPUT_PORT()) : -1;
}

bool is_image(int port)
{
    return port == WeightscapeReader::weights_port || port == WeightscapeReader::activations_port ||
           port == WeightscapeReader::correlation_port;
}

Channel::Kind kind_of(int port)
{
    return port == WeightscapeReader::activations_port   ? Channel::Kind::activations
           : port == WeightscapeReader::correlation_port ? Channel::Kind::correlation
                                                         : Channel::Kind::weights;
}

// `asked`: of this port; -1: of all.
void empty_extents(vtkInformationVector *out, int asked)
{
    const int extent[6] = {0, -1, 0, -1, 0, -1};
    for (int port = 0; port < WeightscapeReader::port_count; port++)
        if (is_image(port) && (asked < 0 || port == asked))
            out->GetInformationObject(port)->Set(Pipeline::WHOLE_EXTENT(), extent, 6);
}

// Between tiles there is nothing to be seen, not the colour that stands for a missing number.
void hide_gaps(vtkImageData *image)
{
    auto *filters = vtkIntArray::SafeDownCast(image->GetCellData()->GetArray("filter"));
    vtkUnsignedCharArray *ghosts = image->AllocateCellGhostArray();
    for (vtkIdType cell = 0; cell < image->GetNumberOfCells(); cell++)
        ghosts->SetValue(cell, filters->GetValue(cell) < 0 ? vtkDataSetAttributes::HIDDENCELL : 0);
}

// Each port is filled when it is asked for: a view of the weights does not wait for the trajectory.
void leave_others_out(vtkInformation *request, vtkInformationVector *out)
{
    const int asked = port_of(request);
    for (int port = 0; port < WeightscapeReader::port_count; port++)
        if (asked >= 0 && port != asked)
            out->GetInformationObject(port)->Set(vtkDemandDrivenPipeline::DATA_NOT_GENERATED(), 1);
}

} // namespace

WeightscapeReader::WeightscapeReader()
{
    this->SetNumberOfInputPorts(0);
    this->SetNumberOfOutputPorts(port_count);
}

WeightscapeReader::~WeightscapeReader() = default;

int WeightscapeReader::FillOutputPortInformation(int port, vtkInformation *information)
{
    information->Set(vtkDataObject::DATA_TYPE_NAME(), is_image(port) ? "vtkImageData" : "vtkTable");
    return 1;
}

void WeightscapeReader::close()
{
    playback.reset();
    std::fill(shown_at, shown_at + port_count, Shown());
}

void WeightscapeReader::SetFileName(const char *name)
{
    const std::string asked = name ? name : "";
    if (asked == file)
        return;
    file = asked;
    close();
    told.clear();
    this->Modified();
}

void WeightscapeReader::SetLayer(const char *name)
{
    const std::string asked = name ? name : "";
    if (asked == layer)
        return;
    layer = asked;
    std::fill(shown_at, shown_at + port_count, Shown());
    told.clear();
    this->Modified();
}

Playback &WeightscapeReader::opened()
{
    if (playback)
        return *playback;
    if (file.empty())
        throw std::runtime_error("no recording is named: FileName is empty");
    playback = std::make_unique<Playback>(file);
    const std::string missing = playback->missing();
    if (!missing.empty())
        vtkWarningMacro(<< missing);
    return *playback;
}

// Whether there is something new to show, an error included.
bool WeightscapeReader::look()
{
    const bool was_open = playback != nullptr;
    try {
        const auto change = opened().look();
        if (change == Playback::Change::rewritten) {
            close();
            opened();
        }
        return !was_open || change != Playback::Change::none;
    } catch (const std::exception &) {
        // The pipeline finds it again, and tells it.
        close();
        return was_open;
    }
}

bool WeightscapeReader::GetNeedsUpdate()
{
    if (file.empty() || !look())
        return false;
    told.clear();
    this->Modified();
    return true;
}

void WeightscapeReader::Refresh()
{
    told.clear();
    const bool was_open = playback != nullptr;
    if (!this->GetNeedsUpdate() && !was_open)
        this->Modified();
}

void WeightscapeReader::UpdateInformation()
{
    // A file that was never opened is opened by the request.
    if (playback)
        this->GetNeedsUpdate();
    this->Superclass::UpdateInformation();
}

std::vector<std::string> WeightscapeReader::layers()
{
    try {
        return opened().layers();
    } catch (const std::exception &) {
        return {};
    }
}

std::string WeightscapeReader::layer_shown()
{
    const auto all = opened().layers();
    return !layer.empty() || all.empty() ? layer : all.front();
}

uint64_t WeightscapeReader::frame_wanted(vtkInformation *request, vtkInformationVector *out)
{
    vtkInformation *port = out->GetInformationObject(std::max(port_of(request), 0));
    const bool has_time = port->Has(Pipeline::UPDATE_TIME_STEP());
    wanted_number = has_time ? opened().frame_at(port->Get(Pipeline::UPDATE_TIME_STEP())) : 0;
    return wanted_number;
}

// nullptr where nothing is to be seen.
vtkImageData *WeightscapeReader::image_of(int port, uint64_t n)
{
    Shown &at = shown_at[port];
    if (at.number != n) {
        const std::string wanted = layer_shown();
        at.image = wanted.empty() ? nullptr : opened().image(kind_of(port), wanted, n);
        if (at.image)
            hide_gaps(vtkImageData::SafeDownCast(at.image));
        at.number = n;
    }
    return vtkImageData::SafeDownCast(at.image);
}

void WeightscapeReader::tell_steps(vtkInformationVector *out)
{
    const std::vector<double> times(opened().steps().begin(), opened().steps().end());
    for (int port = 0; port < port_count; port++) {
        vtkInformation *information = out->GetInformationObject(port);
        information->Remove(Pipeline::TIME_STEPS());
        information->Remove(Pipeline::TIME_RANGE());
        if (is_image(port))
            information->Set(Pipeline::TIME_DEPENDENT_INFORMATION(), 1);
        if (times.empty())
            continue;
        const double range[2] = {times.front(), times.back()};
        information->Set(Pipeline::TIME_STEPS(), times.data(), static_cast<int>(times.size()));
        information->Set(Pipeline::TIME_RANGE(), range, 2);
    }
}

// A layer may change its shape in the course of a run. An image is made when its port is asked for.
void WeightscapeReader::tell_extent(vtkInformation *request, vtkInformationVector *out)
{
    const int asked = port_of(request);
    empty_extents(out, asked);
    if (opened().steps().empty())
        return;
    const uint64_t n = frame_wanted(request, out);
    for (int port = 0; port < port_count; port++)
        if (vtkImageData *shown =
                is_image(port) && (asked < 0 || port == asked) ? image_of(port, n) : nullptr)
            out->GetInformationObject(port)->Set(Pipeline::WHOLE_EXTENT(), shown->GetExtent(), 6);
}

vtkSmartPointer<vtkDataObject> WeightscapeReader::data_of(int port, uint64_t n)
{
    if (is_image(port))
        return image_of(port, n);
    if (port == norms_port)
        return opened().norms(n);
    if (port == ranks_port)
        return opened().ranks(n);
    const std::string shown = layer_shown();
    return shown.empty() ? nullptr : opened().trajectory(shown, n);
}

void WeightscapeReader::fill(vtkInformation *request, vtkInformationVector *out)
{
    if (opened().steps().empty())
        return;
    const int asked = port_of(request);
    const uint64_t n = frame_wanted(request, out);
    for (int port = 0; port < port_count; port++) {
        if (asked >= 0 && port != asked)
            continue;
        vtkDataObject *data = vtkDataObject::GetData(out, port);
        if (const auto shown = data_of(port, n))
            data->ShallowCopy(shown);
        data->GetInformation()->Set(vtkDataObject::DATA_TIME_STEP(),
                                    static_cast<double>(opened().steps()[n]));
    }
}

void WeightscapeReader::answer(vtkInformation *request, vtkInformationVector *out)
{
    if (request->Has(Pipeline::REQUEST_INFORMATION())) {
        tell_steps(out);
        tell_extent(request, out);
    } else if (request->Has(Pipeline::REQUEST_TIME_DEPENDENT_INFORMATION())) {
        tell_extent(request, out);
    } else if (request->Has(Pipeline::REQUEST_DATA_NOT_GENERATED())) {
        leave_others_out(request, out);
    } else if (request->Has(Pipeline::REQUEST_DATA())) {
        fill(request, out);
        // Another port of the frame that was told about may well be filled.
        if (wanted_number != told_number)
            told.clear();
    }
}

// The requests of one update would all tell the same, and the executive would add lines of its own.
void WeightscapeReader::fail(vtkInformationVector *out, const char *what)
{
    empty_extents(out, -1);
    this->SetErrorCode(vtkErrorCode::FileFormatError);
    if (told == what)
        return;
    told = what;
    told_number = wanted_number;
    vtkErrorMacro(<< what);
}

vtkTypeBool WeightscapeReader::ProcessRequest(vtkInformation *request, vtkInformationVector **in,
                                              vtkInformationVector *out)
{
    try {
        // A proxy is asked before it is told its file.
        if (!file.empty() || request->Has(Pipeline::REQUEST_DATA()))
            answer(request, out);
    } catch (const std::exception &error) {
        fail(out, error.what());
    }
    return this->Superclass::ProcessRequest(request, in, out);
}

} // namespace weightscape
