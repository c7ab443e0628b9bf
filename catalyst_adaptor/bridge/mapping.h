// SPDX-License-Identifier: BSD-3-Clause
// From frames and histories to the channels of docs/channels.md.
#ifndef WEIGHTSCAPE_MAPPING_H
#define WEIGHTSCAPE_MAPPING_H

#include "bridge_table.h"
#include "status.h"

#include <vtkDataArray.h>
#include <vtkDataObject.h>
#include <vtkSmartPointer.h>

#include <map>
#include <string>
#include <vector>

namespace weightscape
{

// A channel that a run has.
struct Channel {
    enum class Kind { weights, norms, norms_points, trajectory, trajectory_points, status };
    std::string name;
    Kind kind;
    uint32_t layer; // index of its layer in the history; not for norms and status
};

// All channels of a run with these layers.
std::vector<Channel> channels_of(const ws_history_view &history);

// What of a convolution's tiles does not change from step to step.
struct Tiles {
    int64_t shape[4] = {}; // K, C, R, S
    vtkSmartPointer<vtkDataArray> filter, channel, group;
};

// Builds channels.
class Mapping
{
  public:
    // Whether the scene has what the channel shows: a frame need not hold every layer.
    static bool is_there(const Channel &channel, const ws_scene &scene);
    // The data of a channel that is there.
    vtkSmartPointer<vtkDataObject> build(const Channel &channel, const ws_scene &scene) const;

    Status status; // what the host has told

  private:
    // Arrays that are kept know their range, which viewers ask for at each step.
    mutable std::map<std::string, Tiles> tiles; // of layers
};

// Parts of build, one per kind of data.
vtkSmartPointer<vtkDataObject> build_weights(const std::string &layer, const ws_scene &scene, Tiles &tiles);
vtkSmartPointer<vtkDataObject> build_norms(const ws_scene &scene, bool as_points);
vtkSmartPointer<vtkDataObject> build_trajectory(const ws_scene &scene, uint32_t layer, bool as_points);

// Adds the step and its scalars to the field data of a channel.
void add_state(vtkDataObject *data, const void *frame);

} // namespace weightscape

#endif
