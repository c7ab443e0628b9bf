/* SPDX-License-Identifier: BSD-3-Clause */
#include "backlog.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int open_recorder(ws_backlog *backlog)
{
    const ws_recorder_options options = {
        .path = backlog->path, .head = "", .first_step = backlog->first_step};
    return ws_recorder_open(&options, &backlog->recorder);
}

/* What cannot be read must not keep a run from making new pictures; nor is it thrown away. */
static int set_aside(const ws_backlog *backlog)
{
    char aside[PATH_MAX];
    ws_tell(&backlog->log, WS_LOG_WARNING, "%s; it is kept as %s.damaged", ws_message(), backlog->path);
    if (snprintf(aside, sizeof aside, "%s.damaged", backlog->path) >= (int)sizeof aside ||
        rename(backlog->path, aside) != 0)
        return ws_fail(WS_IO_FAILED, "%s: cannot be set aside: %s", backlog->path, strerror(errno));
    return WS_OK;
}

int ws_backlog_begin(ws_backlog *backlog, const char *path, uint64_t first_step, const ws_log *log)
{
    *backlog = (ws_backlog){.path = path, .first_step = first_step, .log = *log};
    const int status = access(path, F_OK) == 0 ? open_recorder(backlog) : WS_OK;
    return status == WS_BAD_FILE ? set_aside(backlog) : status;
}

int ws_backlog_base(ws_backlog *backlog, const void *base)
{
    const size_t bytes = ws_frame_head(base)->bytes;
    void *copy = aligned_alloc(WS_FRAME_ALIGNMENT, bytes);
    if (!copy)
        return ws_fail(WS_NO_MEMORY, "no memory for %zu bytes of initial weights", bytes);
    memcpy(copy, base, bytes);
    free(backlog->base);
    backlog->base = copy;
    return WS_OK;
}

static int add(ws_backlog *backlog, const void *frame)
{
    int status = backlog->recorder ? WS_OK : open_recorder(backlog);
    if (status == WS_OK)
        status = ws_recorder_base(backlog->recorder, backlog->base);
    return status ? status : ws_recorder_add(backlog->recorder, frame, NULL, 0);
}

int ws_backlog_add(ws_backlog *backlog, const void *frame)
{
    if (backlog->has_failed)
        return WS_IO_FAILED;
    const int status = add(backlog, frame);
    if (status == WS_OK) {
        backlog->spilled++;
        return WS_OK;
    }
    backlog->has_failed = 1;
    ws_tell(&backlog->log, WS_LOG_WARNING,
            "%s; pictures that cannot be drawn in time are lost from step %llu on, training goes on",
            ws_message(), (unsigned long long)ws_frame_head(frame)->step);
    return status;
}

void ws_backlog_sync(ws_backlog *backlog)
{
    if (backlog->recorder && !backlog->has_failed && ws_recorder_sync(backlog->recorder) != WS_OK)
        ws_tell(&backlog->log, WS_LOG_WARNING, "%s", ws_message());
}

void ws_backlog_end(ws_backlog *backlog, int all_drawn)
{
    ws_recorder_close(backlog->recorder);
    if (all_drawn && backlog->path)
        unlink(backlog->path);
    free(backlog->base);
    *backlog = (ws_backlog){0};
}
