/* SPDX-License-Identifier: BSD-3-Clause */
/* Draws what a feed brings until it ends: what the sidecar, `watch` and `replay` do. */
#ifndef WEIGHTSCAPE_FOLLOW_H
#define WEIGHTSCAPE_FOLLOW_H

#include "feed.h"
#include "live.h"
#include "pace.h"

typedef struct ws_follow_plan {
    ws_feed *feed;
    ws_ring_reader *reader; /* the feed's; NULL: files only */
    ws_pictures *pictures;  /* tried or adopted; started here unless they are */
    ws_pictures_options options;
    ws_pace *pace;              /* of a process that gives way to the ring's writer; NULL: none */
    int is_live;                /* tells the ring that it wants news, whatever rules say */
    double rate;                /* with options.live_host, of files: steps a second; 0: as they are taken */
    uint64_t after;             /* the last step that need not be drawn; WS_NEVER: all are to be */
    uint64_t last;              /* ends after this step */
    int is_replaced;            /* another process draws on when this one has no memory for a step */
    void (*ended)(void);        /* called once, when the writer of the ring has ended; may be NULL */
    int (*stop)(void *context); /* may be NULL */
    void (*progress)(void *context, uint64_t drawn, uint64_t step); /* may be NULL */
    void *context;
} ws_follow_plan;

/* What it came to. */
typedef struct ws_followed {
    uint64_t steps;   /* scenes shown */
    uint64_t unread;  /* frames that could not be read (each told through the log) */
    uint64_t undrawn; /* steps for which there was no memory (the first is told) */
    int writer_died;  /* the ring's writer has ended without a word */
} ws_followed;

/* Draws. WS_OK when there is no more; WS_NO_PICTURES; WS_STOPPED; WS_NO_MEMORY; a status of the feed. The
 * scripts stay open: their counts can be read, and ws_pictures_end ends them. With options.live_host all is
 * shown to the ParaView there: of a training what is newest, while somebody looks; of files one step after
 * the other, from the first time that somebody looks, not during a pause, and the last one as long as
 * somebody does. */
int ws_follow(const ws_follow_plan *plan, ws_followed *out);

#endif
