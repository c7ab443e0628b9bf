// SPDX-License-Identifier: BSD-3-Clause
// A recording as channels, whichever of its frames is asked for.
#ifndef WEIGHTSCAPE_PLAYBACK_H
#define WEIGHTSCAPE_PLAYBACK_H

#include "feed.h"
#include "mapping.h"

#include <memory>
#include <sys/stat.h>

namespace weightscape
{

// Calls a function of C where a unique_ptr would delete.
template <auto function> struct Closes {
    template <class Object> void operator()(Object *object) const { function(object); }
};

// One thread. Members throw a std::runtime_error, whose text is one line, if the file cannot be read.
class Playback
{
  public:
    // Opens the recording; where it holds no rows, with the history.ws beside it.
    explicit Playback(const std::string &path);
    Playback(const Playback &) = delete;
    Playback &operator=(const Playback &) = delete;

    enum class Change { none, grown, rewritten };
    // Looks at the file again, which costs a few system calls, and takes what has come. `rewritten`: what was
    // known is no longer there (another file, or its run was resumed from an earlier step); open it anew.
    Change look();

    // Of all frames, rising.
    const std::vector<uint64_t> &steps() const { return known; }
    // The frame to show at a time, which is a step: the last one up to it, else the first. There must be one.
    uint64_t frame_at(double time) const;
    // What is wrong with frames that the file claims to have beyond these; "" if there are none.
    std::string missing() const;

    // Names of the convolutions, in order.
    std::vector<std::string> layers() const;

    // Channels of frame n. A frame need not hold every layer, nor what costs the training: then the image of
    // weights, activations or correlation is nullptr.
    vtkSmartPointer<vtkDataObject> image(Channel::Kind kind, const std::string &layer, uint64_t n);
    vtkSmartPointer<vtkDataObject> norms(uint64_t n);
    vtkSmartPointer<vtkDataObject> ranks(uint64_t n); // nullptr where the host told of none
    vtkSmartPointer<vtkDataObject> trajectory(const std::string &layer, uint64_t n);

  private:
    void open_rows();
    void read_layers();
    void take_steps(uint64_t count);
    std::string signature(uint64_t n);
    const Channel &channel(Channel::Kind kind, const std::string &layer) const;
    const ws_scene &scene_of(uint64_t n);

    const std::string path, history;
    struct stat looked { // the file, when it was looked at last
    };
    std::unique_ptr<ws_recording, Closes<ws_recording_close>> recording;
    std::unique_ptr<ws_feed, Closes<ws_feed_close>> feed;
    std::vector<Channel> channels;
    std::vector<std::string> names; // of all layers, as channels number them
    std::vector<uint64_t> known;
    std::string last_signature; // of the last known frame
    ws_scene scene{};           // of frame scene_number
    uint64_t scene_number = WS_NEVER;
    Mapping mapping;
};

} // namespace weightscape

#endif
