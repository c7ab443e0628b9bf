// SPDX-License-Identifier: BSD-3-Clause
// The table of functions that the plain C library loads; no exception leaves
// it.
#include "bridge.h"
#include "catalyst.h"
#include "guard.h"
#include "write.h"
#include <cstdio>
#include <exception>
#include <memory>

struct ws_bridge {
    std::unique_ptr<weightscape::Catalyst> catalyst;
};

namespace
{
using weightscape::Guard;

void put(char *message, size_t size, const std::string &text)
{
    std::snprintf(message, size, "%s", text.c_str());
}

int open_bridge(const ws_bridge_options *options, void (*imported)(void *, int, const ws_bridge_script *),
                void *context, ws_bridge **out, char *message, size_t size)
{
    const Guard guard;
    try {
        auto catalyst = std::make_unique<weightscape::Catalyst>(*options);
        std::string problem;
        if (!catalyst->start(problem)) {
            put(message, size, problem);
            return WS_NO_PICTURES;
        }
        for (int i = 0; i < catalyst->script_count(); i++) {
            problem = catalyst->import(i, *options->frame, *options->history);
            const ws_bridge_script about = {problem.empty(), catalyst->views(i), problem.c_str()};
            if (imported)
                imported(context, i, &about);
        }
        *out = new ws_bridge{std::move(catalyst)};
        return WS_OK;
    } catch (const std::exception &error) {
        put(message, size, error.what());
        return WS_NO_PICTURES;
    }
}

// Runs a call; an exception is reported as `otherwise`.
template <typename Result, typename Call> Result guarded(Result otherwise, Call call)
{
    const Guard guard;
    try {
        return call();
    } catch (const std::exception &) {
        return otherwise;
    }
}

uint64_t next(ws_bridge *bridge, uint64_t from)
{
    return guarded<uint64_t>(WS_NEVER, [&] { return bridge->catalyst->next(from); });
}

uint64_t wanted(ws_bridge *bridge, uint64_t step, int *active)
{
    bool any = false;
    const uint64_t bits = guarded<uint64_t>(0, [&] { return bridge->catalyst->wanted(step, any); });
    *active = any;
    return bits;
}

int show(ws_bridge *bridge, const ws_frame *frame, const ws_history *history)
{
    return guarded<int>(1, [&] { return bridge->catalyst->show(*frame, *history); });
}

void report(const ws_bridge *bridge, ws_report *out)
{
    guarded<int>(0, [&] {
        bridge->catalyst->report(*out);
        return 0;
    });
}

void close_bridge(ws_bridge *bridge)
{
    guarded<int>(0, [&] {
        delete bridge;
        return 0;
    });
}

int write_all(const ws_frame *frame, const ws_history *history, const char *folder, char *message,
              size_t size)
{
    const Guard guard;
    try {
        const std::string failed = weightscape::write_channels(*frame, *history, folder);
        if (failed.empty())
            return WS_OK;
        put(message, size, failed + ": cannot be written");
    } catch (const std::exception &error) {
        put(message, size, error.what());
    }
    return WS_IO_FAILED;
}
} // namespace

const ws_bridge_api *ws_bridge_get(void)
{
    static const ws_bridge_api api = {WS_BRIDGE_VERSION, open_bridge, next, wanted, show, report,
                                      close_bridge,      write_all};
    return &api;
}
