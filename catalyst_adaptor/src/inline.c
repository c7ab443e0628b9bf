/* SPDX-License-Identifier: BSD-3-Clause */
/* The scripts run between two steps, in the host's process. */
#include "transport.h"
#include <stdlib.h>

typedef struct ws_inline {
    ws_transport transport;
    const ws_setup *setup;
    ws_history *history;
    ws_pictures pictures;
} ws_inline;

static int start(ws_transport *self, ws_history *history)
{
    ws_inline *here = (ws_inline *)self;
    const ws_pictures_options options = ws_transport_pictures(here->setup);
    ws_history_view view;
    here->history = history;
    ws_history_look(history, &view);
    return ws_pictures_start(&here->pictures, &options, &view);
}

static uint64_t next(const ws_transport *self, uint64_t from)
{
    const ws_inline *here = (const ws_inline *)self;
    if (!here->pictures.bridge)
        return WS_NEVER;
    return here->setup->always ? from : ws_schedule_next(&here->pictures.schedule, from);
}

static int wants(ws_transport *self, uint64_t step, uint8_t *wanted, int *is_dump)
{
    const ws_inline *here = (const ws_inline *)self;
    *is_dump = 1;
    if (!here->pictures.bridge)
        return 0;
    if (!here->setup->always)
        return ws_transport_wants(here->setup, &here->pictures.schedule, step, wanted);
    ws_layer_set looked_at;
    ws_schedule_all(&here->pictures.schedule, &looked_at);
    ws_transport_want_weights(here->setup, wanted);
    for (uint32_t i = 0; i < here->setup->layers->count; i++)
        wanted[i] |= ws_transport_of_layer(here->setup, &looked_at, i);
    return 1;
}

static int show(ws_transport *self, const void *frame, double began)
{
    (void)began;
    ws_inline *here = (ws_inline *)self;
    ws_history_view view;
    ws_history_look(here->history, &view);
    const ws_scene scene = {frame, here->setup->base->memory, &view};
    return ws_pictures_show(&here->pictures, &scene, &here->setup->log);
}

static void report(const ws_transport *self, ws_report *report)
{
    const ws_inline *here = (const ws_inline *)self;
    ws_bridge_counts counts;
    ws_pictures_counts(&here->pictures, &counts);
    report->pictures = here->pictures.bridge != NULL;
    report->images_written = counts.images_written;
    report->images_expected = counts.images_expected;
    report->script_failures = counts.script_failures;
}

static void end(ws_transport *self)
{
    ws_inline *here = (ws_inline *)self;
    ws_pictures_end(&here->pictures);
    free(here);
}

int ws_inline_create(const ws_setup *setup, ws_transport **out)
{
    ws_inline *here = calloc(1, sizeof *here);
    if (!here)
        return ws_fail(WS_NO_MEMORY, "no memory for a transport");
    here->transport = (ws_transport){
        .start = start, .next = next, .wants = wants, .show = show, .report = report, .end = end};
    here->setup = setup;
    const ws_pictures_options options = ws_transport_pictures(setup);
    const int status = ws_pictures_try(&here->pictures, &options);
    if (status) {
        free(here);
        return status;
    }
    *out = &here->transport;
    return WS_OK;
}
