/* SPDX-License-Identifier: BSD-3-Clause */
/* What readers of the ring wish, and which frames that makes. */
#include "sidecar_parts.h"

static int has_more(const ws_layer_set *now, const ws_layer_set *before)
{
    for (size_t i = 0; i < sizeof now->words / sizeof *now->words; i++)
        if (now->words[i] & ~before->words[i])
            return 1;
    return 0;
}

void ws_sidecar_read_wishes(ws_sidecar *sidecar)
{
    sidecar->changes = ws_ring_changes(sidecar->ring);
    sidecar->knows_wishes = 1;
    sidecar->live = 0;
    for (uint32_t i = 0; i < WS_RING_READERS; i++) {
        const ws_layer_set before = sidecar->wishes[i].schedule.live;
        ws_ring_wishes(sidecar->ring, i, &sidecar->wishes[i]);
        if (!sidecar->wishes[i].attached || !sidecar->wishes[i].live)
            continue;
        sidecar->live |= 1u << i;
        if (has_more(&sidecar->wishes[i].schedule.live, &before))
            sidecar->more |= 1u << i;
    }
    sidecar->more &= sidecar->live;
}

/* Whether reader i must see what it wishes: the run's own also while nobody serves it. */
static int counts(const ws_sidecar *sidecar, uint32_t i)
{
    return sidecar->wishes[i].attached || i == WS_RING_OWN;
}

uint64_t ws_sidecar_next(const ws_transport *self, uint64_t from)
{
    const ws_sidecar *sidecar = (const ws_sidecar *)self;
    uint64_t found = WS_NEVER;
    for (uint32_t i = 0; i < WS_RING_READERS && sidecar->ring; i++) {
        if (!counts(sidecar, i))
            continue;
        const uint64_t step = ws_schedule_next(&sidecar->wishes[i].schedule, from);
        found = step < found ? step : found;
    }
    return found;
}

/* A live reader looks at what it says; else at the layers of its rules, whenever those say; at the weights of
 * all if it has no rules. */
static void want_live(const ws_sidecar *sidecar, const ws_schedule *schedule, uint8_t *wanted)
{
    ws_layer_set looked_at;
    ws_schedule_all(schedule, &looked_at);
    if (schedule->has_live)
        looked_at = schedule->live;
    else if (schedule->count == 0)
        ws_transport_want_weights(sidecar->setup, wanted);
    for (uint32_t i = 0; i < sidecar->setup->layers->count; i++)
        wanted[i] |= ws_transport_of_layer(sidecar->setup, &looked_at, i);
}

/* The state that a resumed run begins with has been given to its own scripts by the session before, and is
 * shown again only if it rests there. */
static int was_given(const ws_sidecar *sidecar, uint32_t reader, uint64_t step)
{
    return reader == WS_RING_OWN && sidecar->setup->first_step && step <= sidecar->setup->first_step;
}

int ws_sidecar_wants(ws_transport *self, uint64_t step, uint8_t *wanted, int *is_dump)
{
    ws_sidecar *sidecar = (ws_sidecar *)self;
    if (!sidecar->ring)
        return 0;
    sidecar->must = 0;
    for (uint32_t i = 0; i < WS_RING_READERS; i++)
        if (counts(sidecar, i) && !was_given(sidecar, i, step) &&
            !ws_sidecar_is_done(step, sidecar->wishes[i].done) &&
            ws_transport_wants(sidecar->setup, &sidecar->wishes[i].schedule, step, wanted))
            sidecar->must |= 1u << i;
    const uint32_t hungry =
        sidecar->is_live ? (ws_ring_hungry(sidecar->ring) | sidecar->more) & sidecar->live : 0;
    for (uint32_t i = 0; i < WS_RING_READERS; i++)
        if (hungry >> i & 1)
            want_live(sidecar, &sidecar->wishes[i].schedule, wanted);
    *is_dump = sidecar->must != 0;
    return sidecar->must || hungry;
}

uint32_t ws_sidecar_hungry_for(const ws_sidecar *sidecar, uint64_t step)
{
    uint32_t hungry = ws_ring_hungry(sidecar->ring) & sidecar->live;
    for (uint32_t i = 0; i < WS_RING_READERS && hungry; i++) {
        ws_ring_progress progress;
        ws_ring_progress_of(sidecar->ring, i, &progress);
        if (ws_sidecar_is_done(step, progress.done))
            hungry &= ~(1u << i);
    }
    return hungry | sidecar->more;
}
