/* SPDX-License-Identifier: BSD-3-Clause */
/* Nothing is drawn: the scripts, once they have been tried, only tell which frames are to be recorded. */
#include "transport.h"
#include <stdlib.h>

typedef struct ws_unseen {
    ws_transport transport;
    const ws_setup *setup;
    ws_schedule schedule;
} ws_unseen;

static int start(ws_transport *self, ws_history *history)
{
    (void)self;
    (void)history;
    return WS_OK;
}

static uint64_t next(const ws_transport *self, uint64_t from)
{
    return ws_schedule_next(&((const ws_unseen *)self)->schedule, from);
}

static int wants(ws_transport *self, uint64_t step, uint8_t *wanted, int *is_dump)
{
    const ws_unseen *unseen = (const ws_unseen *)self;
    *is_dump = 1;
    return ws_transport_wants(unseen->setup, &unseen->schedule, step, wanted);
}

static int show(ws_transport *self, const void *frame, double began)
{
    (void)self;
    (void)frame;
    (void)began;
    return WS_OK;
}

static void end(ws_transport *self)
{
    free(self);
}

int ws_unseen_create(const ws_setup *setup, ws_transport **out)
{
    ws_unseen *unseen = calloc(1, sizeof *unseen);
    if (!unseen)
        return ws_fail(WS_NO_MEMORY, "no memory for a transport");
    unseen->transport =
        (ws_transport){.start = start, .next = next, .wants = wants, .show = show, .end = end};
    unseen->setup = setup;
    if (setup->scripts->count > 0) {
        ws_pictures tried;
        const ws_pictures_options options = ws_transport_pictures(setup);
        const int status = ws_pictures_try(&tried, &options);
        if (status) {
            free(unseen);
            return status;
        }
        unseen->schedule = tried.schedule;
        ws_pictures_end(&tried);
    }
    *out = &unseen->transport;
    return WS_OK;
}
