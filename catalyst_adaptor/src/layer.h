/* SPDX-License-Identifier: BSD-3-Clause */
/* The layers that a host has handed over. */
#ifndef WEIGHTSCAPE_LAYER_H
#define WEIGHTSCAPE_LAYER_H

#include "tensor.h"
#include "weightscape/insitu.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WS_NAME_SIZE 32

typedef struct ws_layer_arrays {
    char name[WS_NAME_SIZE];
    int32_t kind; /* ws_layer_kind */
    ws_tensor weight;
    ws_tensor gradient;  /* data is NULL if the host gives none */
    ws_tensor initial;   /* data is NULL until ws_layer_begin if the host gives none */
    float *own_initial;  /* owned: the copy made by ws_layer_begin; NULL if the host gave one */
    double weight_range; /* largest finite absolute initial weight when the run began */
    /* As in ws_layer; of a convolution. */
    const float *activation;
    int64_t activation_shape[4]; /* N as shown */
    int64_t activation_part[2];  /* of these N, what `activation` holds: from, and to below; 0, 0: all */
    const float *gathered;       /* borrowed: those of all ranks, where they have parts */
    const double *pearson, *pearson_weights;
    const int32_t *dead, *group, *source, *source_channel;
    int64_t whole[2];           /* filters and input channels when the run began */
    const double *merged;       /* [merged_count,3]; NULL: not known */
    const float *merged_weight; /* [merged_count,whole[1],R,S] */
    uint32_t merged_count;
    uint32_t offers; /* what the host can show: WS_WANTS_ACTIVATIONS and WS_WANTS_CORRELATION */
} ws_layer_arrays;

/* Layers in the order they were added. */
typedef struct ws_layers {
    ws_layer_arrays *at; /* owned */
    uint32_t count;
    float *scratch[3]; /* owned: room for dense copies of the largest layer's arrays */
    size_t scratch_count;
} ws_layers;

static inline size_t ws_layer_count(const ws_layer_arrays *layer)
{
    return ws_tensor_count(&layer->weight);
}

/* Checks and appends a layer. Returns its index, WS_BAD_ARGUMENT or WS_NO_MEMORY. */
int ws_layers_add(ws_layers *layers, const ws_layer *layer);

/* Replaces arrays of layer `index`, after ws_layers_begin. *reshaped tells whether one of its shapes, or what
 * it offers, is another.
 * Errors as above. */
int ws_layers_change(ws_layers *layers, int index, const ws_layer *layer, int *reshaped);

/* The run's start: copies initial weights that the host does not keep, and takes the weight ranges. */
int ws_layers_begin(ws_layers *layers);

/* L2 norms of a layer, summed in double; gradient is NaN without one. */
ws_norms ws_layers_norms(const ws_layers *layers, const ws_layer_arrays *layer);

/* Layers of which only names and kinds are known: enough to tell which channels there are. WS_NO_MEMORY. */
int ws_layers_named(uint32_t count, const char *const *names, const int32_t *kinds, ws_layers *out);

void ws_layers_free(ws_layers *layers);

#ifdef __cplusplus
}
#endif
#endif
