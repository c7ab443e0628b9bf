/* SPDX-License-Identifier: BSD-3-Clause */
/* A layer as the adaptor keeps it. Internal to catalyst_adaptor. */
#ifndef WS_LAYER_H
#define WS_LAYER_H

#include "weightscape/insitu.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { WS_NAME_SIZE = 32 };

typedef struct ws_layer_state {
    ws_layer given; /* strides are filled in; the name is `name` */
    char name[WS_NAME_SIZE];
    float *initial; /* dense copy, owned, when the host gave none; else NULL */
    int64_t count;  /* K*C*R*S */
} ws_layer_state;

/* Checks and copies a description. WS_BAD_ARGUMENT names the layer and what is
 * wrong. Free with ws_layer_clear. */
int ws_layer_copy(const ws_layer *layer, ws_layer_state *out);
void ws_layer_clear(ws_layer_state *layer);

/* Keeps the weights of this moment as the initial ones, if the host gave none.
 * WS_NO_MEMORY. */
int ws_layer_keep_initial(ws_layer_state *layer);

/* Writes the array in dense K,C,R,S order to out [count]; NaN throughout if
 * `from` is NULL. */
void ws_layer_dense(const ws_layer_state *layer, const float *from, float *out);

/* The initial weights, dense, to out [count]. */
void ws_layer_dense_initial(const ws_layer_state *layer, float *out);

/* Offset of element number `flat` (dense order) in the host's arrays. */
int64_t ws_layer_offset(const ws_layer_state *layer, int64_t flat);

/* L2 norms of weights, gradient (NaN without one) and distance, in double. */
ws_norms ws_layer_norms(const ws_layer_state *layer);

#ifdef __cplusplus
}
#endif
#endif
