/* SPDX-License-Identifier: BSD-3-Clause */
#include "sidecar_parts.h"
#include "sidecar_request.h"

void ws_sidecar_start_early(ws_sidecar *sidecar)
{
    const ws_setup *setup = sidecar->setup;
    ws_pictures all = {.kept = setup->scripts->at, .kept_count = setup->scripts->count, .may_draw = 1};
    if (ws_place_find(&sidecar->tried.place) != WS_OK || ws_sidecar_make_ring(sidecar) != WS_OK)
        return;
    char *request = ws_sidecar_request(setup, &all, setup->first_step, NULL);
    if (request)
        ws_sidecar_begin_nurse(sidecar, request);
}

void ws_sidecar_forget_early(ws_sidecar *sidecar)
{
    ws_log_level level;
    char line[WS_RING_LINE];
    sidecar->nurse.log = ws_log_silent();
    ws_nurse_end(&sidecar->nurse);
    while (sidecar->ring && ws_ring_hear(sidecar->ring, WS_RING_OWN, &level, line))
        continue;
    if (sidecar->ring)
        ws_ring_reap(sidecar->ring);
}

void ws_sidecar_settle_early(ws_sidecar *sidecar)
{
    if (!sidecar->nurse.child || sidecar->tried.kept_count < sidecar->setup->scripts->count ||
        !sidecar->tried.may_draw)
        ws_sidecar_forget_early(sidecar);
}
