// SPDX-License-Identifier: BSD-3-Clause
#include "mapping.h"
#include "tiles.h"

#include <vtkDoubleArray.h>
#include <vtkFieldData.h>
#include <vtkLongLongArray.h>
#include <vtkNew.h>

#include <algorithm>

namespace weightscape
{

std::vector<Channel> channels_of(const ws_history_view &history)
{
    std::vector<Channel> channels;
    const auto add_per_convolution = [&](const char *prefix, const char *suffix, Channel::Kind kind) {
        for (uint32_t i = 0; i < history.layer_count; i++)
            if (history.kinds[i] == WS_CONVOLUTION)
                channels.push_back({std::string(prefix) + history.layers[i] + suffix, kind, i});
    };
    add_per_convolution("weights_", "", Channel::Kind::weights);
    add_per_convolution("activations_", "", Channel::Kind::activations);
    add_per_convolution("correlation_", "", Channel::Kind::correlation);
    channels.push_back({"norms", Channel::Kind::norms, 0});
    channels.push_back({"norms_points", Channel::Kind::norms_points, 0});
    add_per_convolution("trajectory_", "", Channel::Kind::trajectory);
    add_per_convolution("trajectory_", "_points", Channel::Kind::trajectory_points);
    channels.push_back({"ranks", Channel::Kind::ranks, 0});
    channels.push_back({"ranks_points", Channel::Kind::ranks_points, 0});
    channels.push_back({"status", Channel::Kind::status, 0});
    return channels;
}

namespace
{

const ws_frame_array *weights_in(const void *block, const std::string &name)
{
    const ws_frame_array *array = ws_frame_find(block, name.c_str());
    return array && array->type == WS_FLOAT32 && array->rank == WS_FRAME_RANK ? array : nullptr;
}

bool is_of_ranks(const Channel &channel)
{
    return channel.kind == Channel::Kind::ranks || channel.kind == Channel::Kind::ranks_points;
}

} // namespace

Offers offers_of(const std::string &layer, const ws_scene &scene)
{
    Offers offers;
    const int32_t *told = values_of<int32_t>(scene.base, layer, "/offers", WS_INT32, 4);
    const ws_frame_array *weight = weights_in(scene.base, layer + "/weight");
    if (!told || !weight)
        return offers;
    offers.filters = weight->shape[0];
    offers.images = told[0];
    offers.rows = told[1];
    offers.columns = told[2];
    offers.has_correlation = told[3] != 0;
    return offers;
}

std::vector<Channel> channels_of(const ws_scene &scene)
{
    std::vector<Channel> channels = channels_of(*scene.history);
    const auto is_none = [&](const Channel &channel) {
        if (is_of_ranks(channel))
            return !has_ranks(scene.base);
        const Offers offers = offers_of(scene.history->layers[channel.layer], scene);
        return (channel.kind == Channel::Kind::activations && offers.images == 0) ||
               (channel.kind == Channel::Kind::correlation && !offers.has_correlation);
    };
    channels.erase(std::remove_if(channels.begin(), channels.end(), is_none), channels.end());
    return channels;
}

uint32_t wants_of(Channel::Kind kind)
{
    switch (kind) {
    case Channel::Kind::weights:
        return WS_WANTS_WEIGHTS;
    case Channel::Kind::activations:
        return WS_WANTS_ACTIVATIONS;
    case Channel::Kind::correlation:
        return WS_WANTS_CORRELATION;
    default:
        return 0;
    }
}

bool Mapping::is_there(const Channel &channel, const ws_scene &scene)
{
    if (is_of_ranks(channel))
        return has_ranks(scene.frame);
    if (wants_of(channel.kind) == 0)
        return true;
    const std::string layer = scene.history->layers[channel.layer];
    if (channel.kind == Channel::Kind::activations)
        return has_activations(layer, scene);
    if (channel.kind == Channel::Kind::correlation)
        return has_correlation(layer, scene);
    const ws_frame_array *weight = weights_in(scene.frame, layer + "/weight");
    const ws_frame_array *gradient = ws_frame_find(scene.frame, (layer + "/gradient").c_str());
    const ws_frame_array *initial = weights_in(scene.base, layer + "/initial");
    const ws_frame_array *range = ws_frame_find(scene.frame, (layer + "/weight_range").c_str());
    // Frames come from files, too: sizes are compared before anything is read.
    return weight && initial && range && range->type == WS_FLOAT64 && initial->bytes == weight->bytes &&
           (!gradient || gradient->bytes == weight->bytes);
}

vtkSmartPointer<vtkDataObject> Mapping::build(const Channel &channel, const ws_scene &scene) const
{
    if (channel.kind == Channel::Kind::status)
        return status.build(scene.frame);
    if (is_of_ranks(channel))
        return build_ranks(scene.frame, channel.kind == Channel::Kind::ranks_points);
    const bool as_points =
        channel.kind == Channel::Kind::norms_points || channel.kind == Channel::Kind::trajectory_points;
    if (channel.kind == Channel::Kind::norms || channel.kind == Channel::Kind::norms_points)
        return build_norms(scene, as_points);
    const std::string layer = scene.history->layers[channel.layer];
    if (channel.kind == Channel::Kind::weights)
        return build_weights(layer, scene, tiles[layer]);
    if (channel.kind == Channel::Kind::activations)
        return build_activations(layer, scene);
    if (channel.kind == Channel::Kind::correlation)
        return build_correlation(layer, scene);
    return build_trajectory(scene, channel.layer, as_points);
}

vtkSmartPointer<vtkDataObject> Mapping::build_or_blank(const Channel &channel, const ws_scene &scene) const
{
    if (is_there(channel, scene))
        return build(channel, scene);
    if (wants_of(channel.kind) == 0)
        return nullptr;
    const std::string layer = scene.history->layers[channel.layer];
    const Offers offers = offers_of(layer, scene);
    if (channel.kind == Channel::Kind::activations && offers.images > 0)
        return blank_activations(layer, scene);
    if (channel.kind == Channel::Kind::correlation && offers.has_correlation)
        return blank_correlation(layer, scene);
    return nullptr;
}

void add_state(vtkDataObject *data, const void *frame)
{
    const ws_frame_header *head = ws_frame_head(frame);
    vtkNew<vtkLongLongArray> step;
    step->SetName("step");
    step->InsertNextValue(static_cast<long long>(head->step));
    data->GetFieldData()->AddArray(step);
    const ws_scalars &scalars = head->scalars;
    const std::pair<const char *, double> values[] = {
        {"epoch", scalars.epoch},
        {"loss", scalars.loss},
        {"accuracy", scalars.accuracy},
        {"learning_rate", scalars.learning_rate},
        {"validation_loss", scalars.validation_loss},
        {"validation_accuracy", scalars.validation_accuracy},
    };
    for (const auto &[name, value] : values) {
        vtkNew<vtkDoubleArray> array;
        array->SetName(name);
        array->InsertNextValue(value);
        data->GetFieldData()->AddArray(array);
    }
}

} // namespace weightscape
