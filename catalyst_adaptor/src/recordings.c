/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of the public API that looks into recordings. */
#include "feed.h"
#include "message.h"
#include "place.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int describe(ws_recording *recording, ws_recording_facts *facts,
                    void (*each)(void *context, uint64_t step, uint64_t bytes, uint64_t raw), void *context)
{
    int status = WS_OK;
    facts->frames = ws_recording_refresh(recording);
    for (uint64_t n = 0; n < facts->frames && status == WS_OK; n++) {
        uint64_t step, stored, raw;
        status = ws_recording_step(recording, n, &step);
        if (status == WS_OK)
            status = ws_recording_size(recording, n, &stored, &raw);
        if (status)
            break;
        facts->first_step = n == 0 ? step : facts->first_step;
        facts->last_step = step;
        facts->raw += raw;
        if (each)
            each(context, step, stored, raw);
    }
    return status;
}

int ws_recording_describe(const char *path, ws_recording_facts *facts,
                          void (*each)(void *context, uint64_t step, uint64_t bytes, uint64_t raw),
                          void *context)
{
    ws_recording *recording;
    if (facts->size != sizeof *facts)
        return ws_fail(WS_BAD_ARGUMENT, "ws_recording_facts.size is %u, this library's is %zu", facts->size,
                       sizeof *facts);
    int status = ws_recording_open(path, &recording);
    if (status)
        return status;
    ws_recording_facts found = {.size = sizeof found, .version = WS_RECORDING_VERSION};
    status = describe(recording, &found, each, context);
    ws_recording_close(recording);
    struct stat file;
    if (status == WS_OK && stat(path, &file) == 0)
        found.bytes = (uint64_t)file.st_size;
    if (status == WS_OK)
        *facts = found;
    return status;
}

/* The frame of exactly this step. */
static int check_step(const char *path, uint64_t step)
{
    ws_recording *recording;
    int status = ws_recording_open(path, &recording);
    if (status)
        return status;
    uint64_t n = 0, found = WS_NEVER, before = 0;
    const uint64_t count = ws_recording_refresh(recording);
    status = ws_recording_find(recording, step, &n);
    if (status == WS_OK && n < count)
        status = ws_recording_step(recording, n, &found);
    if (status == WS_OK && n > 0 && found != step)
        status = ws_recording_step(recording, n - 1, &before);
    ws_recording_close(recording);
    if (status || found == step)
        return status;
    if (count == 0)
        return ws_fail(WS_BAD_ARGUMENT, "%s: holds no frame", path);
    if (n == 0 || found == WS_NEVER)
        return ws_fail(WS_BAD_ARGUMENT, "%s: holds no step %llu; the nearest is %llu", path,
                       (unsigned long long)step, (unsigned long long)(n == 0 ? found : before));
    return ws_fail(WS_BAD_ARGUMENT, "%s: holds no step %llu; the nearest are %llu and %llu", path,
                   (unsigned long long)step, (unsigned long long)before, (unsigned long long)found);
}

/* The history beside a recording that holds no rows. */
static char *history_beside(const char *path)
{
    const char *slash = strrchr(path, '/');
    const size_t folder = slash ? (size_t)(slash - path) + 1 : 0;
    char *history = malloc(folder + sizeof "history.ws");
    if (history) {
        memcpy(history, path, folder);
        memcpy(history + folder, "history.ws", sizeof "history.ws");
    }
    if (history && access(history, F_OK) != 0) {
        free(history);
        history = NULL;
    }
    return history;
}

static int export_scene(const ws_scene *scene, const char *folder)
{
    ws_place place;
    const ws_bridge_table *table;
    char problem[WS_PROBLEM_SIZE];
    int status = ws_place_find(&place);
    if (status == WS_OK)
        status = ws_place_load(&place, &table);
    if (status)
        return status;
    status = table->export_channels(scene, folder, problem);
    return status ? ws_fail(status, "%s", problem) : WS_OK;
}

int ws_recording_export(const char *path, uint64_t step, const char *folder)
{
    int status = check_step(path, step);
    if (status)
        return status;
    char *history = history_beside(path);
    ws_feed *feed;
    ws_scene scene;
    uint64_t found;
    status = ws_feed_open(&(ws_feed_plan){.recording = path, .history = history}, &feed);
    if (status == WS_OK) {
        status = ws_feed_next(feed, step > 0 ? step - 1 : WS_NEVER, &scene, &found);
        status = status == 1 ? export_scene(&scene, folder) : status;
        ws_feed_close(feed);
    }
    free(history);
    return status;
}
