// SPDX-License-Identifier: BSD-3-Clause
#include "playback.h"

#include <algorithm>
#include <new>
#include <stdexcept>
#include <unistd.h>

namespace weightscape
{

namespace
{

void check(int status)
{
    if (status < 0)
        throw std::runtime_error(ws_message());
}

std::string history_beside(const std::string &path)
{
    return path.substr(0, path.rfind('/') + 1) + "history.ws";
}

using Tail = std::unique_ptr<ws_history_tail, Closes<ws_history_tail_close>>;
using Layout = std::unique_ptr<ws_row_layout, Closes<ws_row_layout_free>>;

// What channels_of reads of a history: layers, without a row.
ws_history_view view_of(const ws_row_layout &layout)
{
    ws_history_view view{};
    view.layer_count = layout.layer_count;
    view.layers = layout.layers;
    view.kinds = layout.kinds;
    return view;
}

} // namespace

Playback::Playback(const std::string &file) : path(file), history(history_beside(file))
{
    // Before it is opened: a file that takes its place meanwhile is noticed at the next look.
    stat(path.c_str(), &looked);
    ws_recording *opened;
    check(ws_recording_open(path.c_str(), &opened));
    recording.reset(opened);
    open_rows();
    read_layers();
    take_steps(ws_recording_count(opened));
}

void Playback::open_rows()
{
    const bool beside = ws_recording_row_bytes(recording.get()) == 0 && access(history.c_str(), F_OK) == 0;
    ws_feed_plan plan{};
    plan.recording = path.c_str();
    plan.history = beside ? history.c_str() : nullptr;
    ws_feed *opened;
    check(ws_feed_open(&plan, &opened));
    feed.reset(opened);
}

void Playback::read_layers()
{
    ws_row_layout own{};
    const Layout owned(&own);
    Tail tail;
    const ws_row_layout *layout = &own;
    if (ws_recording_row_bytes(recording.get()) > 0) {
        check(ws_row_layout_read(path.c_str(), ws_recording_head(recording.get()), &own));
    } else {
        ws_history_tail *opened;
        check(ws_history_tail_open(history.c_str(), &opened));
        tail.reset(opened);
        layout = ws_history_tail_layout(opened);
    }
    channels = channels_of(view_of(*layout));
    names.assign(layout->layers, layout->layers + layout->layer_count);
}

// Steps alone would not tell: a run that was resumed with other options comes to the same steps again.
std::string Playback::signature(uint64_t n)
{
    struct Rows {
        std::vector<char> bytes;
        size_t row_bytes;
    } rows{{}, ws_recording_row_bytes(recording.get())};
    const auto take = [](void *context, const void *row) noexcept -> int {
        auto *into = static_cast<Rows *>(context);
        const char *bytes = static_cast<const char *>(row);
        try {
            into->bytes.insert(into->bytes.end(), bytes, bytes + into->row_bytes);
            return WS_OK;
        } catch (const std::bad_alloc &) {
            return WS_NO_MEMORY;
        }
    };
    ws_frame frame{};
    const std::unique_ptr<ws_frame, Closes<ws_frame_free>> owned(&frame);
    // What is damaged is told when it is to be shown.
    ws_recording_rows(recording.get(), n, take, &rows);
    std::string text(rows.bytes.begin(), rows.bytes.end());
    if (ws_recording_read(recording.get(), n, &frame) == WS_OK)
        text.append(static_cast<const char *>(frame.memory), sizeof(ws_frame_header));
    return text;
}

void Playback::take_steps(uint64_t count)
{
    while (known.size() < count) {
        uint64_t step;
        check(ws_recording_step(recording.get(), known.size(), &step));
        if (!known.empty() && step <= known.back())
            throw std::runtime_error(path + ": frame " + std::to_string(known.size()) + " is of step " +
                                     std::to_string(step) + ", which is not above " +
                                     std::to_string(known.back()) + " of the frame before");
        known.push_back(step);
    }
    last_signature = known.empty() ? "" : signature(known.size() - 1);
}

Playback::Change Playback::look()
{
    struct stat now;
    if (stat(path.c_str(), &now) != 0)
        return Change::none;
    if (now.st_dev != looked.st_dev || now.st_ino != looked.st_ino)
        return Change::rewritten;
    if (now.st_size == looked.st_size && now.st_mtim.tv_sec == looked.st_mtim.tv_sec &&
        now.st_mtim.tv_nsec == looked.st_mtim.tv_nsec)
        return Change::none;
    const uint64_t count = ws_recording_refresh(recording.get());
    if (count < known.size() || (!known.empty() && signature(known.size() - 1) != last_signature))
        return Change::rewritten;
    looked = now;
    if (count == known.size())
        return Change::none;
    take_steps(count);
    return Change::grown;
}

uint64_t Playback::frame_at(double time) const
{
    const auto later = std::upper_bound(known.begin(), known.end(), time, [](double asked, uint64_t step) {
        return asked < static_cast<double>(step);
    });
    return later == known.begin() ? 0 : static_cast<uint64_t>(later - known.begin() - 1);
}

std::string Playback::missing() const
{
    const uint64_t count = ws_recording_count(recording.get());
    const uint64_t claimed = ws_recording_claimed(recording.get());
    if (claimed <= count)
        return "";
    uint64_t stored, raw;
    const bool is_known = ws_recording_size(recording.get(), count, &stored, &raw) < 0;
    return path + ": has " + std::to_string(claimed) + " frames, of which only the first " +
           std::to_string(count) + " are there in full" + (is_known ? std::string(": ") + ws_message() : "");
}

std::vector<std::string> Playback::layers() const
{
    std::vector<std::string> found;
    for (const Channel &each : channels)
        if (each.kind == Channel::Kind::weights)
            found.push_back(names[each.layer]);
    return found;
}

const Channel &Playback::channel(Channel::Kind kind, const std::string &layer) const
{
    for (const Channel &each : channels)
        if (each.kind == kind && (layer.empty() || names[each.layer] == layer))
            return each;
    std::string text = path + ": has no convolution '" + layer + "'; those that it has:";
    for (const std::string &name : layers())
        text += " " + name;
    throw std::runtime_error(text);
}

const ws_scene &Playback::scene_of(uint64_t n)
{
    if (n == scene_number)
        return scene;
    scene_number = WS_NEVER;
    const uint64_t step = known.at(n);
    uint64_t found;
    const int status = ws_feed_next(feed.get(), step == 0 ? WS_NEVER : step - 1, &scene, &found);
    check(status);
    if (status == 0 || found != step)
        throw std::runtime_error(path + ": frame " + std::to_string(n) + ", step " + std::to_string(step) +
                                 ", is no longer there");
    scene_number = n;
    return scene;
}

vtkSmartPointer<vtkDataObject> Playback::image(Channel::Kind kind, const std::string &layer, uint64_t n)
{
    const Channel &wanted = channel(kind, layer);
    const ws_scene &shown = scene_of(n);
    return Mapping::is_there(wanted, shown) ? mapping.build(wanted, shown) : nullptr;
}

vtkSmartPointer<vtkDataObject> Playback::norms(uint64_t n)
{
    return mapping.build(channel(Channel::Kind::norms, ""), scene_of(n));
}

vtkSmartPointer<vtkDataObject> Playback::ranks(uint64_t n)
{
    return image(Channel::Kind::ranks, "", n);
}

vtkSmartPointer<vtkDataObject> Playback::trajectory(const std::string &layer, uint64_t n)
{
    return mapping.build(channel(Channel::Kind::trajectory, layer), scene_of(n));
}

} // namespace weightscape
