/* SPDX-License-Identifier: BSD-3-Clause */
#include "live_view.h"
#include "clock.h"
#include <signal.h>
#include <stdlib.h>

#define PROGRESS_SECONDS 60.0  /* it has got somewhere if it has lived that long */
#define FOR_EVER         1e300 /* it guards itself against viewers that hang, and nobody waits for it */

static const ws_nurse_words words = {"the process that shows the run live",
                                     "no live view while training goes on"};

int ws_live_view_begin(ws_live_view *view, char *request, int descriptor, const ws_log *log)
{
    const int status = request ? ws_place_find(&view->place)
                               : ws_fail(WS_NO_PICTURES, "the name of the run's folder is no UTF-8");
    if (status) {
        free(request);
        return status;
    }
    ws_nurse_begin(&view->nurse, request, descriptor, &view->place, FOR_EVER, log);
    view->nurse.words = &words;
    view->nurse.death_signal = SIGTERM; /* it has a delivery to end */
    view->started_at = ws_clock();
    return WS_OK;
}

void ws_live_view_look(ws_live_view *view, double now)
{
    const ws_pulse pulse = {.done = (uint64_t)((now - view->started_at) / PROGRESS_SECONDS), .at = WS_NEVER};
    if (ws_nurse_look(&view->nurse, &pulse, now) == WS_NURSE_DIED)
        view->started_at = now;
}

void ws_live_view_end(ws_live_view *view)
{
    if (view->nurse.request)
        ws_nurse_end(&view->nurse);
}
