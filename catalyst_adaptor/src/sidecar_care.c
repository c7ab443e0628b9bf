/* SPDX-License-Identifier: BSD-3-Clause */
#include "clock.h"
#include "sidecar_parts.h"
#include "sidecar_request.h"

#define REAP_SECONDS 1.0  /* between looks for viewers that have gone */
#define PATIENCE     60.0 /* for a sidecar beyond the time of one script: ParaView may start slowly */

void ws_sidecar_hear(ws_sidecar *sidecar)
{
    ws_log_level level;
    char line[WS_RING_LINE];
    while (ws_ring_hear(sidecar->ring, WS_RING_OWN, &level, line))
        ws_tell(&sidecar->setup->log, level, "%s", line);
}

void ws_sidecar_bury(ws_sidecar *sidecar)
{
    ws_ring_progress progress;
    ws_ring_progress_of(sidecar->ring, WS_RING_OWN, &progress);
    if (!(ws_ring_reap(sidecar->ring) & 1u << WS_RING_OWN))
        return;
    sidecar->past.images_written += progress.counts.images_written;
    sidecar->past.images_expected += progress.counts.images_expected;
    sidecar->past.script_failures += progress.counts.script_failures;
    sidecar->last_at = progress.at;
}

/* The sidecar has died. What it had drawn of its last step need not be drawn again; a step that has ended
 * three of them is left out. */
static void mourn(ws_sidecar *sidecar)
{
    ws_sidecar_hear(sidecar);
    ws_sidecar_bury(sidecar);
    const uint64_t step = sidecar->last_at;
    sidecar->last_at = WS_NEVER;
    if (step == WS_NEVER)
        return;
    ws_nurse_ask(&sidecar->nurse, ws_sidecar_request(sidecar->setup, &sidecar->tried, step, NULL));
    if (!ws_nurse_blames(&sidecar->nurse, step))
        return;
    sidecar->given_up++;
    ws_ring_skip(sidecar->ring, step);
    /* That is no progress of the patient's. */
    ws_ring_progress progress;
    ws_ring_progress_of(sidecar->ring, WS_RING_OWN, &progress);
    sidecar->nurse.pulse.done = progress.done;
    const char *words = sidecar->nurse.last_line;
    ws_tell(&sidecar->setup->log, WS_LOG_WARNING,
            "step %llu is not drawn: it has ended the process that draws three times%s%s",
            (unsigned long long)step, words[0] ? ": " : "", words);
}

static void nurse(ws_sidecar *sidecar, double now)
{
    ws_ring_progress progress;
    ws_ring_progress_of(sidecar->ring, WS_RING_OWN, &progress);
    const ws_pulse pulse = {progress.done, progress.at != WS_NEVER ? progress.at : sidecar->last_at,
                            progress.beat};
    if (ws_nurse_look(&sidecar->nurse, &pulse, now) == WS_NURSE_DIED)
        mourn(sidecar);
}

void ws_sidecar_look(ws_sidecar *sidecar, double now)
{
    ws_ring_tell_share(sidecar->ring, sidecar->setup->wait ? 1 : sidecar->setup->overhead);
    ws_sidecar_hear(sidecar);
    if (sidecar->has_scripts)
        nurse(sidecar, now);
    if (sidecar->setup->live)
        ws_live_view_look(&sidecar->view, now);
    if (now - sidecar->reaped_at >= REAP_SECONDS) {
        sidecar->reaped_at = now;
        ws_sidecar_bury(sidecar);
    }
}

void ws_sidecar_begin_nurse(ws_sidecar *sidecar, char *request)
{
    ws_nurse_begin(&sidecar->nurse, request, ws_ring_descriptor(sidecar->ring), &sidecar->tried.place,
                   sidecar->setup->script_seconds + PATIENCE, &sidecar->setup->log);
    nurse(sidecar, ws_clock());
}
