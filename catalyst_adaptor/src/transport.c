/* SPDX-License-Identifier: BSD-3-Clause */
#include "transport.h"

int ws_transport_wants(const ws_setup *setup, const ws_schedule *schedule, uint64_t step, uint8_t *wanted)
{
    ws_layer_set layers = {{0}};
    if (!ws_schedule_wants(schedule, step, &layers))
        return 0;
    for (uint32_t i = 0; i < setup->layers->count; i++)
        if (setup->layers->at[i].kind == WS_CONVOLUTION && ws_layer_set_has(&layers, i))
            wanted[i] = 1;
    return 1;
}

ws_pictures_options ws_transport_pictures(const ws_setup *setup)
{
    return (ws_pictures_options){.scripts = setup->scripts,
                                 .layers = setup->layers,
                                 .base = setup->base->memory,
                                 .script_seconds = setup->script_seconds,
                                 .first_step = setup->first_step,
                                 .shown_until = setup->first_step,
                                 .required = setup->required,
                                 .always = setup->always,
                                 .log = setup->log};
}
