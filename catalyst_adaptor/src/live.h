/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the ParaView that shows a run live and the training: wishes one way, status the other. */
#ifndef WEIGHTSCAPE_LIVE_H
#define WEIGHTSCAPE_LIVE_H

#include "pictures.h"
#include "ring.h"

/* Zero-initialise, with the two that it borrows. */
typedef struct ws_live {
    ws_pictures *pictures;  /* started, with a ParaView to be dialled */
    ws_ring_reader *reader; /* NULL: there is no training, only files */
    ws_live_state state;    /* as at the last call */
    int waits;              /* the command below waits for room in the ring */
    int has_refused;        /* told that nobody takes commands */
    char name[WS_COMMAND_NAME], value[WS_COMMAND_VALUE];
} ws_live;

/* A round with the ParaView, if it is time for one; hands on status, commands and pause. To be called often:
 * it costs next to nothing when there is nothing to do. */
void ws_live_serve(ws_live *live, const ws_log *log);

#endif
