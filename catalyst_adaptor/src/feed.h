/* SPDX-License-Identifier: BSD-3-Clause */
/* Scenes in the order of their steps, from wherever frames are: a ring, what was spilled, a recording. */
#ifndef WEIGHTSCAPE_FEED_H
#define WEIGHTSCAPE_FEED_H

#include "bridge_table.h"
#include "history_tail.h"
#include "recording.h"
#include "ring.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where scenes come from; NULL for what there is not. Borrowed. */
typedef struct ws_feed_plan {
    ws_ring_reader *reader;
    const char *history;   /* file; NULL: rows come with the frames of the recording */
    const char *recording; /* file that is there */
    const char *backlog;   /* file that may come */
    int only_newest;       /* of the ring: what is between is left out */
} ws_feed_plan;

typedef struct ws_feed ws_feed;

/* Opens all of it. WS_BAD_FILE, WS_IO_FAILED, WS_NO_MEMORY, WS_BAD_ARGUMENT (neither ring nor frames); *out
 * is untouched. */
int ws_feed_open(const ws_feed_plan *plan, ws_feed **out);

/* A scene before the first: the base as its frame, no rows yet. Valid until the next call. */
int ws_feed_first(ws_feed *feed, ws_scene *out);

/* The scene of the smallest step > after (WS_NEVER: of all) that is there now: 1, and it is valid until
 * ws_feed_release; 0: none yet; or a status, and then *step tells the step that cannot be read. */
int ws_feed_next(ws_feed *feed, uint64_t after, ws_scene *out, uint64_t *step);
void ws_feed_release(ws_feed *feed);

/* How many steps > after wait in files; what is in the ring does not count. */
uint64_t ws_feed_stored(ws_feed *feed, uint64_t after);

/* NULL is allowed. */
void ws_feed_close(ws_feed *feed);

#ifdef __cplusplus
}
#endif
#endif
