/* SPDX-License-Identifier: BSD-3-Clause */
#include "sidecar_parts.h"
#include "viewers.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

size_t ws_sidecar_most_bytes(const ws_sidecar *sidecar, const uint8_t *wanted, int is_base)
{
    const ws_scalars none = {0};
    const ws_frame_plan plan = {.layers = sidecar->setup->layers,
                                .wanted = wanted,
                                .is_base = is_base,
                                .scalars = &none,
                                .ranks = sidecar->setup->ranks};
    return ws_frame_most_bytes(&plan);
}

int ws_sidecar_frame_sizes(const ws_sidecar *sidecar, size_t *most, size_t *usual)
{
    const ws_layers *layers = sidecar->setup->layers;
    uint8_t *all = calloc(layers->count + 1, sizeof *all);
    if (!all)
        return ws_fail(WS_NO_MEMORY, "no memory for %u layers", layers->count);
    ws_transport_want_weights(sidecar->setup, all);
    *usual = ws_sidecar_most_bytes(sidecar, all, 0);
    for (uint32_t i = 0; i < layers->count; i++)
        if (all[i])
            all[i] |= (uint8_t)layers->at[i].offers;
    *most = ws_sidecar_most_bytes(sidecar, all, 1);
    free(all);
    return WS_OK;
}

int ws_sidecar_make_ring(ws_sidecar *sidecar)
{
    const ws_setup *setup = sidecar->setup;
    ws_ring_options options = {.base = setup->base->memory,
                               .base_bytes = ws_frame_head(setup->base->memory)->bytes,
                               .first_step = setup->first_step,
                               .folder = setup->paths->folder};
    const int status = ws_sidecar_frame_sizes(sidecar, &options.frame_bytes, &options.usual_bytes);
    if (status)
        return status;
    if (getrandom(sidecar->id, sizeof sidecar->id, 0) != sizeof sidecar->id)
        return ws_fail(WS_IO_FAILED, "no random number for the ring: %s", strerror(errno));
    memcpy(options.id, sidecar->id, sizeof options.id);
    sidecar->is_own_base = 0;
    return ws_ring_create(&options, &sidecar->ring);
}

int ws_sidecar_open_ring(ws_sidecar *sidecar, uint64_t done)
{
    const ws_setup *setup = sidecar->setup;
    const int status = sidecar->ring ? WS_OK : ws_sidecar_make_ring(sidecar);
    if (status)
        return status;
    if (ws_ring_is_file(sidecar->ring))
        ws_tell(&setup->log, WS_LOG_WARNING,
                "there is no shared memory for frames: a file in %s stands in for it", setup->paths->folder);
    ws_ring_promise(sidecar->ring, &sidecar->promised, done);
    ws_ring_tell_status(sidecar->ring, sidecar->status);
    ws_sidecar_read_wishes(sidecar);
    return ws_backlog_base(&sidecar->backlog, setup->base->memory);
}

void ws_sidecar_tell_open(const ws_sidecar *sidecar)
{
    const ws_setup *setup = sidecar->setup;
    ws_ring_open(sidecar->ring, setup->base->memory);
    if (setup->watchers &&
        ws_viewers_tell(setup->paths->viewers, ws_ring_descriptor(sidecar->ring), sidecar->id) != WS_OK)
        ws_tell(&setup->log, WS_LOG_WARNING, "%s; nobody can attach to this training", ws_message());
}
