/* SPDX-License-Identifier: BSD-3-Clause */
/* The host's end of the ring as a transport. */
#include "clock.h"
#include "sidecar_parts.h"
#include "sidecar_request.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_SECONDS 0.05 /* between looks at messages and at the sidecar */
#define LEAST_SHARE  0.1  /* of the budget, for live updates, however much the dumps take */

static ws_sidecar *of(ws_transport *self)
{
    return (ws_sidecar *)self;
}

static int spill(void *context, const void *frame, uint32_t readers)
{
    (void)readers;
    return ws_backlog_add(&((ws_sidecar *)context)->backlog, frame);
}

/* Live updates may take what the dumps leave of the budget. */
static double live_share(const ws_sidecar *sidecar, double now)
{
    const double budget = sidecar->setup->overhead, spent = now - sidecar->began;
    const double left = budget - (spent > 0 ? sidecar->dump_seconds / spent : 0);
    return left > LEAST_SHARE * budget ? left : LEAST_SHARE * budget;
}

/* Memory for more than weights is taken when it is wanted for the first time. */
static int make_room(ws_sidecar *sidecar, const uint8_t *wanted)
{
    if (ws_sidecar_most_bytes(sidecar, wanted, sidecar->is_own_base) <= ws_ring_room(sidecar->ring))
        return WS_OK;
    const int status = ws_ring_complete(sidecar->ring);
    if (status && !sidecar->has_told_room)
        ws_tell(&sidecar->setup->log, WS_LOG_WARNING, "%s; nothing but weights is shown", ws_message());
    sidecar->has_told_room = status != WS_OK;
    return status;
}

static void *memory(ws_transport *self, uint8_t *wanted, int *is_base)
{
    ws_sidecar *sidecar = of(self);
    if (make_room(sidecar, wanted) != WS_OK)
        for (uint32_t i = 0; i < sidecar->setup->layers->count; i++)
            wanted[i] &= WS_WANTS_WEIGHTS;
    *is_base = sidecar->is_own_base;
    return ws_ring_begin(sidecar->ring, spill, sidecar);
}

static int show(ws_transport *self, const void *frame, double began)
{
    ws_sidecar *sidecar = of(self);
    /* Readers take the rows up to this step from the history. */
    ws_history_flush(sidecar->history);
    const uint64_t step = ws_frame_head(frame)->step;
    ws_ring_publish(sidecar->ring, sidecar->must);
    const double now = ws_clock(), cost = now - began;
    if (sidecar->must) {
        sidecar->dump_seconds += cost;
    } else {
        sidecar->live_seconds += cost;
        const double pause = cost / live_share(sidecar, now);
        const double least = sidecar->setup->live_seconds;
        sidecar->live_from = now + (pause > least ? pause : least);
    }
    if (sidecar->is_live)
        sidecar->more = 0;
    sidecar->is_live = 0;
    if (sidecar->setup->wait && sidecar->must & 1u << WS_RING_OWN)
        ws_sidecar_wait_for(sidecar, step);
    return WS_OK;
}

static int tick(ws_transport *self, uint64_t step, double now)
{
    ws_sidecar *sidecar = of(self);
    if (!sidecar->ring)
        return 0;
    sidecar->step = step;
    ws_ring_tell_step(sidecar->ring, step);
    if (now - sidecar->looked_at >= LOOK_SECONDS) {
        sidecar->looked_at = now;
        ws_sidecar_look(sidecar, now);
    }
    const int has_changed = !sidecar->knows_wishes || ws_ring_changes(sidecar->ring) != sidecar->changes;
    if (has_changed)
        ws_sidecar_read_wishes(sidecar);
    sidecar->is_live = sidecar->live && now >= sidecar->live_from && ws_sidecar_hungry_for(sidecar, step);
    return has_changed || sidecar->is_live;
}

/* ---- What viewers ask for. */

static void name_viewer(char who[WS_VIEWER_SIZE], uint32_t process)
{
    snprintf(who, WS_VIEWER_SIZE, "ParaView, through process %u", process);
}

static int command(ws_transport *self, ws_command *out)
{
    ws_sidecar *sidecar = of(self);
    for (uint32_t i = 0; i < WS_RING_READERS && sidecar->ring; i++)
        if (ws_ring_asked(sidecar->ring, i, out->name, out->value)) {
            snprintf(out->origin, sizeof out->origin, "ParaView");
            return 1;
        }
    return 0;
}

static int is_held(const ws_transport *self, char who[WS_VIEWER_SIZE])
{
    const ws_sidecar *sidecar = (const ws_sidecar *)self;
    for (uint32_t i = 0; i < WS_RING_READERS && sidecar->ring; i++) {
        const uint32_t process = ws_ring_held_by(sidecar->ring, i);
        if (process && who)
            name_viewer(who, process);
        if (process)
            return 1;
    }
    return 0;
}

static void tell_status(ws_transport *self, const char *json)
{
    ws_sidecar *sidecar = of(self);
    snprintf(sidecar->status, sizeof sidecar->status, "%s", json);
    if (sidecar->ring)
        ws_ring_tell_status(sidecar->ring, json);
}

static int start_nurse(ws_sidecar *sidecar)
{
    char *request = ws_sidecar_request(sidecar->setup, &sidecar->tried, sidecar->setup->first_step, NULL);
    if (!request)
        return ws_fail(WS_NO_PICTURES, "the name of the run's folder is no UTF-8");
    ws_sidecar_begin_nurse(sidecar, request);
    return WS_OK;
}

static int start_view(ws_sidecar *sidecar)
{
    const ws_setup *setup = sidecar->setup;
    const int status = ws_live_view_begin(
        &sidecar->view, ws_sidecar_request(setup, &sidecar->tried, setup->first_step, setup->live),
        ws_ring_descriptor(sidecar->ring), &setup->log);
    if (status == WS_OK)
        ws_live_view_look(&sidecar->view, ws_clock());
    return status;
}

static int start_processes(ws_sidecar *sidecar)
{
    const int status = sidecar->has_scripts && !sidecar->nurse.child ? start_nurse(sidecar) : WS_OK;
    return status == WS_OK && sidecar->setup->live ? start_view(sidecar) : status;
}

static int start(ws_transport *self, ws_history *history)
{
    ws_sidecar *sidecar = of(self);
    const ws_setup *setup = sidecar->setup;
    sidecar->history = history;
    sidecar->began = ws_clock();
    int status = ws_backlog_begin(&sidecar->backlog, setup->paths->backlog, setup->first_step, &setup->log);
    if (status == WS_OK)
        status = ws_sidecar_open_ring(sidecar, WS_NEVER);
    if (status == WS_OK)
        ws_sidecar_settle_early(sidecar);
    if (status == WS_OK)
        status = start_processes(sidecar);
    if (status == WS_OK && sidecar->nurse.child)
        ws_sidecar_wait_until_ready(sidecar);
    if (status == WS_OK)
        ws_sidecar_tell_open(sidecar);
    return status;
}

/* Frames become their own bases in the ring that is there; what is not drawn yet is put where its base is. */
static int keep_ring(ws_sidecar *sidecar)
{
    ws_ring_flush(sidecar->ring, spill, sidecar);
    sidecar->is_own_base = 1;
    return ws_backlog_base(&sidecar->backlog, sidecar->setup->base->memory);
}

/* Readers of the old ring see its end; the run's own attach to the new one. */
static int replace_ring(ws_sidecar *sidecar)
{
    ws_ring_progress progress;
    ws_ring_flush(sidecar->ring, spill, sidecar);
    ws_nurse_end(&sidecar->nurse);
    ws_live_view_end(&sidecar->view);
    ws_sidecar_hear(sidecar);
    ws_ring_progress_of(sidecar->ring, WS_RING_OWN, &progress);
    ws_sidecar_bury(sidecar);
    sidecar->last_at = WS_NEVER;
    ws_ring_end(sidecar->ring);
    ws_ring_free(sidecar->ring);
    sidecar->ring = NULL;
    const int status = ws_sidecar_open_ring(sidecar, progress.done);
    if (status)
        return status;
    ws_sidecar_tell_open(sidecar);
    return start_processes(sidecar);
}

/* Shapes have changed. Frames that fit where the old ones were go on there, so that nobody notices. */
static int reshape(ws_transport *self)
{
    ws_sidecar *sidecar = of(self);
    size_t most, usual;
    if (!sidecar->ring)
        return WS_OK;
    const int status = ws_sidecar_frame_sizes(sidecar, &most, &usual);
    if (status)
        return status;
    return most <= ws_ring_frame_bytes(sidecar->ring) ? keep_ring(sidecar) : replace_ring(sidecar);
}

static void sync_backlog(ws_transport *self)
{
    ws_sidecar *sidecar = of(self);
    if (!sidecar->ring)
        return;
    ws_ring_flush(sidecar->ring, spill, sidecar);
    ws_backlog_sync(&sidecar->backlog);
}

static int finish(ws_transport *self, uint64_t last_step)
{
    ws_sidecar *sidecar = of(self);
    if (!sidecar->ring)
        return WS_OK;
    sidecar->step = last_step;
    sync_backlog(self); /* all that is left would outlive us */
    ws_ring_end(sidecar->ring);
    if (!sidecar->has_scripts)
        return WS_OK;
    ws_nurse_insist(&sidecar->nurse, ws_clock());
    const int status = ws_sidecar_wait_for_all(sidecar, last_step);
    sidecar->all_drawn = status == WS_OK && !sidecar->backlog.has_failed;
    return status;
}

static void report(const ws_transport *self, ws_report *report)
{
    const ws_sidecar *sidecar = (const ws_sidecar *)self;
    ws_ring_progress progress = {.done = WS_NEVER};
    uint64_t drawn = 0, all = 0;
    if (sidecar->ring) {
        ws_ring_progress_of(sidecar->ring, WS_RING_OWN, &progress);
        ws_sidecar_count_steps(sidecar, progress.done, sidecar->step, &drawn, &all);
        for (uint32_t i = 0; i < WS_RING_READERS; i++)
            report->live_dropped += i == WS_RING_OWN ? 0 : ws_ring_dropped(sidecar->ring, i);
    }
    report->pictures = sidecar->has_scripts && sidecar->ring != NULL;
    report->images_written = sidecar->past.images_written + progress.counts.images_written;
    report->images_expected = sidecar->past.images_expected + progress.counts.images_expected;
    report->script_failures = sidecar->past.script_failures + progress.counts.script_failures;
    report->steps_waiting = all - drawn;
    report->steps_given_up = sidecar->given_up;
    report->restarts = sidecar->nurse.restarts;
    report->frames_spilled = sidecar->backlog.spilled;
    report->dump_seconds = sidecar->dump_seconds;
    report->live_seconds = sidecar->live_seconds;
}

static void end(ws_transport *self)
{
    ws_sidecar *sidecar = of(self);
    if (sidecar->ring) {
        ws_ring_end(sidecar->ring);
        if (sidecar->setup->watchers)
            unlink(sidecar->setup->paths->viewers);
    }
    ws_nurse_end(&sidecar->nurse);
    ws_live_view_end(&sidecar->view);
    ws_backlog_end(&sidecar->backlog, sidecar->all_drawn);
    ws_ring_free(sidecar->ring);
    ws_pictures_end(&sidecar->tried);
    free(sidecar);
}

static int try_scripts(ws_sidecar *sidecar)
{
    const ws_pictures_options options = ws_transport_pictures(sidecar->setup);
    const int status = ws_pictures_try(&sidecar->tried, &options);
    if (status)
        return status;
    /* The sidecar starts one of its own. */
    ws_display_end(&sidecar->tried.display);
    sidecar->has_scripts = 1;
    sidecar->promised = sidecar->tried.schedule;
    return WS_OK;
}

int ws_sidecar_create(const ws_setup *setup, ws_transport **out)
{
    if (!setup->paths->folder)
        return ws_fail(WS_BAD_ARGUMENT, "ws_options.folder is NULL: the sidecar needs the folder of the run");
    ws_sidecar *sidecar = calloc(1, sizeof *sidecar);
    if (!sidecar)
        return ws_fail(WS_NO_MEMORY, "no memory for a transport");
    sidecar->transport = (ws_transport){.start = start,
                                        .next = ws_sidecar_next,
                                        .tick = tick,
                                        .wants = ws_sidecar_wants,
                                        .memory = memory,
                                        .show = show,
                                        .reshape = reshape,
                                        .command = command,
                                        .is_held = is_held,
                                        .tell_status = tell_status,
                                        .sync = sync_backlog,
                                        .finish = finish,
                                        .report = report,
                                        .end = end};
    sidecar->setup = setup;
    sidecar->nurse.output = -1;
    sidecar->last_at = WS_NEVER;
    if (setup->scripts->count > 0)
        ws_sidecar_start_early(sidecar);
    const int status = setup->scripts->count > 0 ? try_scripts(sidecar) : WS_OK;
    if (status) {
        ws_sidecar_forget_early(sidecar);
        ws_ring_free(sidecar->ring);
        free(sidecar);
        return status;
    }
    *out = &sidecar->transport;
    return WS_OK;
}
