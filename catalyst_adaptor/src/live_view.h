/* SPDX-License-Identifier: BSD-3-Clause */
/* The process that shows a run in a ParaView: apart from the one that draws its pictures, so that a viewer
 * which hangs holds none up, and pictures that lag do not hold up the viewer. */
#ifndef WEIGHTSCAPE_LIVE_VIEW_H
#define WEIGHTSCAPE_LIVE_VIEW_H

#include "nurse.h"
#include "pictures.h"

typedef struct ws_live_view {
    ws_nurse nurse;
    ws_place place;
    double started_at;
} ws_live_view;

/* Gets ready to start the process, at the first look, with a request (owned from here on; see
 * sidecar_request.h) and a ring's descriptor. WS_NO_PICTURES if there is no such program. */
int ws_live_view_begin(ws_live_view *view, char *request, int descriptor, const ws_log *log);

/* Looks after it, `now` on the monotonic clock: starts it again when it has died. */
void ws_live_view_look(ws_live_view *view, double now);

/* Ends the process. A zeroed view is allowed. */
void ws_live_view_end(ws_live_view *view);

#endif
