// SPDX-License-Identifier: BSD-3-Clause
// weightscape-bridge: tries in a process of its own what could end the process.
// Answers with lines of JSON on descriptor 3.
//
//   weightscape-bridge abilities
//   weightscape-bridge check SECONDS LAYER=KIND:K,C,R,S... -- SCRIPT
//   ARGUMENT... [-- SCRIPT ARGUMENT...]...
#include "bridge.h"
#include "catalyst.h"
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <jansson.h>
#include <string>
#include <vector>
#include <vtkPVVersion.h>

#include <X11/Xlib.h> // last: it defines macros such as None

namespace
{
constexpr int answer_fd = 3;

void answer(json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);
    if (text)
        dprintf(answer_fd, "%s\n", text);
    std::free(text);
    json_decref(object);
}

// 1: $DISPLAY answers, 0: it is not set, -1: nothing answers there.
int display_state()
{
    const char *name = std::getenv("DISPLAY");
    if (!name || !*name)
        return 0;
    Display *display = XOpenDisplay(nullptr);
    if (display)
        XCloseDisplay(display);
    return display ? 1 : -1;
}

void imported(void *, int script, const ws_bridge_script *about)
{
    json_t *problem = json_string(about->problem);
    answer(json_pack("{s:i, s:b, s:i, s:o}", "script", script, "good", about->good, "views", about->views,
                     "problem", problem ? problem : json_string("(its reason is not UTF-8)")));
}

// Layers with weights of zero, a history of one row, and the frame of step 0:
// what scripts look at while they are tried.
class Trial
{
  public:
    // "conv1=1:16,1,3,3"; false if it is none.
    bool add(const char *word)
    {
        const char *equals = std::strchr(word, '=');
        ws_layer layer = {};
        long long shape[4];
        if (!equals || std::sscanf(equals + 1, "%d:%lld,%lld,%lld,%lld", &layer.kind, &shape[0], &shape[1],
                                   &shape[2], &shape[3]) != 5)
            return false;
        const std::string name(word, static_cast<size_t>(equals - word));
        layer.size = sizeof layer;
        layer.name = name.c_str();
        std::copy(shape, shape + 4, layer.shape);
        // One zero serves as every weight: its strides lead nowhere else.
        layer.weight = layer.initial = layer.gradient = &zero;
        layer.stride[0] = 1;
        ws_layer_state state;
        if (ws_layer_copy(&layer, &state) != WS_OK)
            return false;
        state.given.stride[0] = 0;
        layers.push_back(state);
        return true;
    }

    // Runs the scripts and answers for each.
    int run(const std::vector<ws_script> &scripts, double seconds,
            void (*imported)(void *, int, const ws_bridge_script *), char *message, size_t size)
    {
        const int count = static_cast<int>(layers.size());
        ws_row row = {};
        row.size = sizeof row;
        const std::vector<ws_norms> norms(layers.size());
        ws_history history;
        ws_frame_buffer buffer = {};
        if (ws_history_open(nullptr, layers.data(), count, 0, 0, &history) != WS_OK ||
            ws_history_append(&history, &row, norms.data(), layers.data()) != WS_OK ||
            ws_frame_build(&buffer, layers.data(), count, UINT64_MAX, &row, 0, 0) != WS_OK) {
            std::snprintf(message, size, "%s", ws_message());
            return WS_NO_PICTURES;
        }
        ws_bridge_options options = {};
        options.history = &history;
        options.frame = buffer.frame;
        options.scripts = scripts.data();
        options.script_count = static_cast<int>(scripts.size());
        options.script_seconds = seconds;
        options.check = 1;
        ws_bridge *bridge = nullptr;
        return ws_bridge_get()->open(&options, imported, nullptr, &bridge, message, size);
    }

  private:
    const float zero = 0;
    std::vector<ws_layer_state> layers;
};

int abilities()
{
    char message[1024] = "";
    const int status = Trial().run({}, 60, nullptr, message, sizeof message);
    answer(json_pack("{s:b, s:s, s:s, s:s, s:i}", "good", status == WS_OK, "paraview", PARAVIEW_VERSION_FULL,
                     "python", weightscape::Python::version(), "problem", message, "display",
                     display_state()));
    return status == WS_OK ? 0 : 1;
}

int check(int count, char **words)
{
    Trial trial;
    int at = 1;
    for (; at < count && std::strcmp(words[at], "--") != 0; at++)
        if (!trial.add(words[at]))
            return 2;
    std::vector<ws_script> scripts;
    char nowhere[] = "/nonexistent";
    while (at + 1 < count) {
        ws_script script = {};
        script.path = words[++at];
        script.folder = nowhere;
        script.arguments = words + ++at;
        for (; at < count && std::strcmp(words[at], "--") != 0; at++)
            script.argument_count++;
        scripts.push_back(script);
    }
    char message[1024] = "";
    answer(json_pack("{s:i}", "display", display_state()));
    const int status = trial.run(scripts, std::atof(words[0]), imported, message, sizeof message);
    answer(json_pack("{s:b, s:s}", "good", status == WS_OK, "problem", message));
    return status == WS_OK ? 0 : 1;
}
} // namespace

int main(int count, char **words)
{
    int status = 2;
    if (count == 2 && !std::strcmp(words[1], "abilities"))
        status = abilities();
    else if (count > 2 && !std::strcmp(words[1], "check"))
        status = check(count - 2, words + 2);
    // All was said; ParaView's own tear-down has nothing to add, and some scripts
    // make it crash.
    std::_Exit(status);
}
