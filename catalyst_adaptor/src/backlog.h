/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames that somebody must see and that would be lost: they go to a recording without rows (those are in the
 * history), which is made when the first one comes. */
#ifndef WEIGHTSCAPE_BACKLOG_H
#define WEIGHTSCAPE_BACKLOG_H

#include "message.h"
#include "recording.h"

typedef struct ws_backlog {
    const char *path; /* borrowed */
    ws_recorder *recorder;
    void *base; /* owned: copy of the present base */
    uint64_t first_step;
    uint64_t spilled; /* by this session */
    int has_failed;   /* told already; the frames are lost from here on */
    ws_log log;
} ws_backlog;

/* Takes up what an earlier session has left: frames up to first_step stay, later ones will be made again. A
 * file that is damaged is told, and kept under another name. WS_IO_FAILED, WS_NO_MEMORY. */
int ws_backlog_begin(ws_backlog *backlog, const char *path, uint64_t first_step, const ws_log *log);

/* The base of the frames that follow; copied. WS_NO_MEMORY. */
int ws_backlog_base(ws_backlog *backlog, const void *base);

/* Keeps a frame. The first failure is told through the log; returns 0 if it is kept. */
int ws_backlog_add(ws_backlog *backlog, const void *frame);

/* Makes what it holds outlive a failure of the system. */
void ws_backlog_sync(ws_backlog *backlog);

/* Closes it; `all_drawn`: and removes the file. */
void ws_backlog_end(ws_backlog *backlog, int all_drawn);

#endif
