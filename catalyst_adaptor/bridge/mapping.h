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
    enum class Kind {
        weights,
        activations,
        correlation,
        norms,
        norms_points,
        trajectory,
        trajectory_points,
        ranks,
        ranks_points,
        status
    };
    std::string name;
    Kind kind;
    uint32_t layer; // index of its layer in the history; not for norms, ranks and status
};

// What of a layer a base says that it can show beside weights; zeros for what it cannot.
struct Offers {
    int64_t filters = 0, images = 0, rows = 0, columns = 0; // of activations; filters also of correlations
    bool has_correlation = false;
};
Offers offers_of(const std::string &layer, const ws_scene &scene);

// All channels that a run with these layers may have.
std::vector<Channel> channels_of(const ws_history_view &history);

// Those of them that this run has, as the scene's base tells.
std::vector<Channel> channels_of(const ws_scene &scene);

// What of a layer a channel shows, as a bit of ws_wants; 0 if that is no array of a frame.
uint32_t wants_of(Channel::Kind kind);

// What of a convolution's tiles does not change from step to step.
struct Tiles {
    int64_t shape[4] = {}; // K, C, R, S
    vtkSmartPointer<vtkDataArray> filter, channel, source;
    vtkSmartPointer<vtkDataArray> alone; // the groups when none are known
    std::vector<int> sources;            // of the filters
};

// Builds channels.
class Mapping
{
  public:
    // Whether the scene has what the channel shows: a frame need not hold every layer.
    static bool is_there(const Channel &channel, const ws_scene &scene);
    // The data of a channel that is there.
    vtkSmartPointer<vtkDataObject> build(const Channel &channel, const ws_scene &scene) const;
    // The same, or, of a channel that is made only if somebody wants it, one of its size without values. NULL
    // if it is neither.
    vtkSmartPointer<vtkDataObject> build_or_blank(const Channel &channel, const ws_scene &scene) const;

    Status status; // what the host has told

  private:
    // Arrays that are kept know their range, which viewers ask for at each step.
    mutable std::map<std::string, Tiles> tiles; // of layers
};

// Parts of build, one per kind of data.
vtkSmartPointer<vtkDataObject> build_weights(const std::string &layer, const ws_scene &scene, Tiles &tiles);
bool has_activations(const std::string &layer, const ws_scene &scene);
vtkSmartPointer<vtkDataObject> build_activations(const std::string &layer, const ws_scene &scene);
vtkSmartPointer<vtkDataObject> blank_activations(const std::string &layer, const ws_scene &scene);
bool has_correlation(const std::string &layer, const ws_scene &scene);
vtkSmartPointer<vtkDataObject> build_correlation(const std::string &layer, const ws_scene &scene);
vtkSmartPointer<vtkDataObject> blank_correlation(const std::string &layer, const ws_scene &scene);
vtkSmartPointer<vtkDataObject> build_norms(const ws_scene &scene, bool as_points);
vtkSmartPointer<vtkDataObject> build_trajectory(const ws_scene &scene, uint32_t layer, bool as_points);
bool has_ranks(const void *frame);
vtkSmartPointer<vtkDataObject> build_ranks(const void *frame, bool as_points);

// Adds the step and its scalars to the field data of a channel.
void add_state(vtkDataObject *data, const void *frame);

} // namespace weightscape

#endif
