/* SPDX-License-Identifier: BSD-3-Clause */
/* What the host's end of the ring consists of, for the files that serve it. All functions are called from the
 * host's thread. */
#ifndef WEIGHTSCAPE_SIDECAR_PARTS_H
#define WEIGHTSCAPE_SIDECAR_PARTS_H

#include "backlog.h"
#include "live_view.h"
#include "nurse.h"
#include "ring.h"
#include "transport.h"

typedef struct ws_sidecar {
    ws_transport transport;
    const ws_setup *setup;
    ws_history *history;
    ws_pictures tried; /* scripts and place; nothing is drawn here */
    int has_scripts;
    ws_schedule promised;
    ws_ring *ring;
    uint8_t id[WS_RING_ID_SIZE];
    ws_backlog backlog;
    ws_nurse nurse;
    ws_live_view view;
    /* wishes, as last read */
    ws_ring_wish wishes[WS_RING_READERS];
    uint32_t changes;
    int knows_wishes;
    uint32_t live; /* readers that want news */
    uint32_t more; /* of these, who has begun to look at something that no frame had for it yet */
    /* this frame */
    uint32_t must;
    int is_live;
    int is_own_base;   /* shapes are others than when the ring was made */
    int has_told_room; /* that there is no memory for more than weights */
    /* times */
    double began, looked_at, reaped_at, live_from;
    double dump_seconds, live_seconds;
    /* what is past */
    uint64_t step;
    ws_ring_counts past; /* of sidecars that have died */
    uint64_t last_at;    /* the step that the last of them was working on, until it is mourned */
    uint64_t given_up;
    int all_drawn;
    char status[WS_STATUS_BYTES]; /* for the next ring, too */
} ws_sidecar;

/* A step counts as done when it is at or before `done`; nothing is when that is WS_NEVER. */
static inline int ws_sidecar_is_done(uint64_t step, uint64_t done)
{
    return done != WS_NEVER && step <= done;
}

/* ---- sidecar_wishes.c: what readers wish. */

/* Reads them from the ring, when they have changed. */
void ws_sidecar_read_wishes(ws_sidecar *sidecar);

/* As `next` and `wants` of a transport. */
uint64_t ws_sidecar_next(const ws_transport *self, uint64_t from);
int ws_sidecar_wants(ws_transport *self, uint64_t step, uint8_t *wanted, int *is_dump);

/* Readers that wait for news and have not had this step, or want to see more of it: a bit each. */
uint32_t ws_sidecar_hungry_for(const ws_sidecar *sidecar, uint64_t step);

/* ---- sidecar_ring.c: the ring, made and opened. */

/* Bytes of the largest frame with what is wanted of each layer. */
size_t ws_sidecar_most_bytes(const ws_sidecar *sidecar, const uint8_t *wanted, int is_base);

/* Bytes of the largest frame that there can be, and of one with the weights of all layers. WS_NO_MEMORY. */
int ws_sidecar_frame_sizes(const ws_sidecar *sidecar, size_t *most, size_t *usual);

/* Errors as ws_ring_create. */
int ws_sidecar_make_ring(ws_sidecar *sidecar);

/* Makes the ring unless it is there, and tells it what was promised and is done. */
int ws_sidecar_open_ring(ws_sidecar *sidecar, uint64_t done);

/* From here on readers may look at all of it, and strangers find it. */
void ws_sidecar_tell_open(const ws_sidecar *sidecar);

/* ---- sidecar_care.c: looking after the readers. */

/* Passes on what the run's own reader has told. */
void ws_sidecar_hear(ws_sidecar *sidecar);

/* Frees what dead readers held, and keeps what the run's own had told. */
void ws_sidecar_bury(ws_sidecar *sidecar);

/* All of it: hears, starts again what has died, buries now and then. A few system calls. */
void ws_sidecar_look(ws_sidecar *sidecar, double now);

/* Starts the process that draws with this request, owned from here on. */
void ws_sidecar_begin_nurse(ws_sidecar *sidecar, char *request);

/* ---- sidecar_early.c: the process that draws, started before it is known what it will draw. */

/* ParaView takes seconds to start: while the scripts are tried, the process that draws starts with all of
 * them, so that the training does not share its processors with that. Where it cannot, it is started later.
 */
void ws_sidecar_start_early(ws_sidecar *sidecar);

/* Its work was for nothing: it ends, and what it had to say is of no interest. */
void ws_sidecar_forget_early(ws_sidecar *sidecar);

/* After the trial: it goes on, if it was started, if all its scripts passed, and need a display. */
void ws_sidecar_settle_early(ws_sidecar *sidecar);

/* ---- sidecar_wait.c: where the host waits for the process that draws. */

/* Lockstep: until the step is drawn, or the process that draws is given up. */
void ws_sidecar_wait_for(ws_sidecar *sidecar, uint64_t step);

/* Before the first step: until it waits for the training, or has ended, or takes too long. */
void ws_sidecar_wait_until_ready(ws_sidecar *sidecar);

/* How many of the promised steps up to `last` are done, and how many there are. */
void ws_sidecar_count_steps(const ws_sidecar *sidecar, uint64_t done, uint64_t last, uint64_t *drawn,
                            uint64_t *all);

/* After the last step, until it has ended, all drawn. WS_SCRIPT_FAILED, WS_STOPPED. */
int ws_sidecar_wait_for_all(ws_sidecar *sidecar, uint64_t last);

#endif
