/* SPDX-License-Identifier: BSD-3-Clause */
#include "clock.h"
#include "sidecar_parts.h"
#include <time.h>

#define PROGRESS_SECONDS 0.2
#define READY_SECONDS    30.0 /* for a sidecar to start before the training does; it need not have */

static int is_to_stop(const ws_sidecar *sidecar)
{
    return sidecar->setup->stop && sidecar->setup->stop(sidecar->setup->wait_context);
}

static void wait_a_moment(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

void ws_sidecar_wait_for(ws_sidecar *sidecar, uint64_t step)
{
    ws_ring_progress progress;
    for (;;) {
        ws_ring_progress_of(sidecar->ring, WS_RING_OWN, &progress);
        if (ws_sidecar_is_done(step, progress.done) || sidecar->nurse.given_up || is_to_stop(sidecar))
            return;
        ws_sidecar_look(sidecar, ws_clock());
        wait_a_moment();
    }
}

static uint64_t beat_of(const ws_sidecar *sidecar)
{
    ws_ring_progress progress;
    ws_ring_progress_of(sidecar->ring, WS_RING_OWN, &progress);
    return progress.beat;
}

void ws_sidecar_wait_until_ready(ws_sidecar *sidecar)
{
    const double until = ws_clock() + READY_SECONDS;
    const uint64_t beat = beat_of(sidecar);
    while (sidecar->nurse.child && beat_of(sidecar) == beat && ws_clock() < until && !is_to_stop(sidecar)) {
        ws_sidecar_look(sidecar, ws_clock());
        wait_a_moment();
    }
}

void ws_sidecar_count_steps(const ws_sidecar *sidecar, uint64_t done, uint64_t last, uint64_t *drawn,
                            uint64_t *all)
{
    const ws_schedule *schedule = &sidecar->wishes[WS_RING_OWN].schedule;
    const uint64_t first = sidecar->setup->first_step;
    *drawn = *all = 0;
    for (uint64_t step = ws_schedule_next(schedule, first ? first + 1 : 0); step <= last;
         step = ws_schedule_next(schedule, step + 1)) {
        ++*all;
        *drawn += ws_sidecar_is_done(step, done);
    }
}

static int has_left(const ws_sidecar *sidecar)
{
    return sidecar->nurse.child == 0 && sidecar->nurse.next_start > 1e299;
}

int ws_sidecar_wait_for_all(ws_sidecar *sidecar, uint64_t last)
{
    double told = 0;
    while (!has_left(sidecar)) {
        const double now = ws_clock();
        ws_sidecar_look(sidecar, now);
        if (sidecar->nurse.given_up)
            return ws_fail(WS_SCRIPT_FAILED, "the process that draws has been given up");
        if (is_to_stop(sidecar))
            return ws_fail(WS_STOPPED, "the wait for pictures was stopped");
        if (sidecar->setup->progress && now - told >= PROGRESS_SECONDS) {
            ws_ring_progress progress;
            uint64_t drawn, all;
            told = now;
            ws_ring_progress_of(sidecar->ring, WS_RING_OWN, &progress);
            ws_sidecar_count_steps(sidecar, progress.done, last, &drawn, &all);
            sidecar->setup->progress(sidecar->setup->wait_context, drawn, all);
        }
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    ws_sidecar_hear(sidecar);
    return WS_OK;
}
