/* SPDX-License-Identifier: BSD-3-Clause */
#include "live.h"

static void hand_on_status(const ws_live *live)
{
    char text[WS_STATUS_BYTES];
    if (live->reader && ws_ring_status(live->reader, text) && text[0])
        live->pictures->table->tell_status(live->pictures->bridge, text);
}

static void refuse(ws_live *live, const ws_log *log)
{
    if (!live->has_refused)
        ws_tell(log, WS_LOG_WARNING, "--live: %s is ignored: what is shown is no training that goes on",
                live->name);
    live->has_refused = 1;
}

/* None is lost when the ring has no room for it: it waits. */
static void hand_on_commands(ws_live *live, const ws_log *log)
{
    const ws_pictures *pictures = live->pictures;
    while (live->waits || pictures->table->take_command(pictures->bridge, live->name, live->value)) {
        live->waits = live->reader && !ws_ring_ask(live->reader, live->name, live->value);
        if (live->waits)
            return;
        if (!live->reader)
            refuse(live, log);
    }
}

void ws_live_serve(ws_live *live, const ws_log *log)
{
    ws_pictures *pictures = live->pictures;
    hand_on_status(live);
    pictures->table->idle(pictures->bridge);
    ws_pictures_ask(pictures); /* somebody may look at something else */
    pictures->table->live(pictures->bridge, &live->state);
    hand_on_commands(live, log);
    if (live->reader)
        ws_ring_hold(live->reader, live->state.is_paused);
}
