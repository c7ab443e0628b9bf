/* SPDX-License-Identifier: BSD-3-Clause */
#include "transport.h"

int ws_transport_wants(const ws_setup *setup, const ws_schedule *schedule, uint64_t step, uint8_t *wanted)
{
    ws_layer_set layers = {{0}};
    if (!ws_schedule_wants(schedule, step, &layers))
        return 0;
    for (uint32_t i = 0; i < setup->layers->count; i++)
        wanted[i] |= ws_transport_of_layer(setup, &layers, i);
    return 1;
}

uint8_t ws_transport_of_layer(const ws_setup *setup, const ws_layer_set *set, uint32_t layer)
{
    return setup->layers->at[layer].kind == WS_CONVOLUTION ? (uint8_t)ws_layer_set_of(set, layer) : 0;
}

void ws_transport_want_weights(const ws_setup *setup, uint8_t *wanted)
{
    for (uint32_t i = 0; i < setup->layers->count; i++)
        if (setup->layers->at[i].kind == WS_CONVOLUTION)
            wanted[i] |= WS_WANTS_WEIGHTS;
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
