// SPDX-License-Identifier: BSD-3-Clause
#include "mapping.h"
#include <vtkDoubleArray.h>
#include <vtkFieldData.h>
#include <vtkImageData.h>
#include <vtkNew.h>
#include <vtkPolyData.h>
#include <vtkStringArray.h>
#include <vtkTable.h>
#include <vtkTypeInt64Array.h>

namespace weightscape
{

const char *convolution_name(const ws_history &layers, int convolution)
{
    for (int i = 0; i < layers.layer_count; i++)
        if (layers.layers[i].kind == WS_CONVOLUTION && convolution-- == 0)
            return layers.layers[i].name;
    return "";
}

std::vector<Channel> channels_of(const ws_history &layers)
{
    std::vector<Channel> channels;
    for (int i = 0; i < layers.convolution_count; i++)
        channels.push_back({std::string("weights_") + convolution_name(layers, i), Channel::Weights, i});
    channels.push_back({"norms", Channel::Norms, 0});
    channels.push_back({"norms_points", Channel::NormsPoints, 0});
    for (int i = 0; i < layers.convolution_count; i++) {
        const std::string name = std::string("trajectory_") + convolution_name(layers, i);
        channels.push_back({name, Channel::Trajectory, i});
        channels.push_back({name + "_points", Channel::TrajectoryPoints, i});
    }
    return channels;
}

vtkSmartPointer<vtkDataObject> build(const Channel &channel, const ws_frame &frame, const ws_history &history)
{
    switch (channel.kind) {
    case Channel::Weights:
        return weights_image(frame, convolution_name(history, channel.convolution));
    case Channel::Norms:
        return norms_table(frame, history);
    case Channel::NormsPoints:
        return points_of(*norms_table(frame, history), "step", nullptr);
    case Channel::Trajectory:
        return trajectory_table(frame, history, channel.convolution);
    case Channel::TrajectoryPoints:
        return points_of(*trajectory_table(frame, history, channel.convolution), "w0", "w1");
    }
    return nullptr;
}

namespace
{
template <typename Array, typename Value>
void add(vtkDataObject &object, const char *name, const std::vector<Value> &values)
{
    vtkNew<Array> array;
    array->SetName(name);
    array->SetNumberOfComponents(1);
    for (const Value &value : values)
        array->InsertNextValue(value);
    object.GetFieldData()->AddArray(array);
}
} // namespace

void add_field(vtkDataObject &object, const char *name, const std::vector<double> &values)
{
    add<vtkDoubleArray>(object, name, values);
}

void add_field(vtkDataObject &object, const char *name, const std::vector<long long> &values)
{
    add<vtkTypeInt64Array>(object, name, values);
}

void add_field(vtkDataObject &object, const char *name, const std::vector<std::string> &values)
{
    add<vtkStringArray>(object, name, values);
}

void add_scalars(vtkDataObject &object, const ws_frame &frame)
{
    add_field(object, "step", std::vector<long long>{static_cast<long long>(frame.step)});
    add_field(object, "epoch", std::vector<double>{frame.epoch});
    add_field(object, "loss", std::vector<double>{frame.loss});
    add_field(object, "accuracy", std::vector<double>{frame.accuracy});
    add_field(object, "learning_rate", std::vector<double>{frame.learning_rate});
    add_field(object, "validation_loss", std::vector<double>{frame.validation_loss});
    add_field(object, "validation_accuracy", std::vector<double>{frame.validation_accuracy});
}

} // namespace weightscape
