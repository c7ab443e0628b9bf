/* SPDX-License-Identifier: BSD-3-Clause */
/* The text of a network, read into a list of layers without shapes. Internal to cnn_core. */
#ifndef CNN_SPEC_H
#define CNN_SPEC_H

#include "cnn/net.h"

/* One layer as written. */
typedef struct cnn_spec_layer {
    cnn_layer_kind kind;
    int outputs;            /* conv: filters, linear: outputs */
    int kernel_h, kernel_w; /* conv, maxpool */
    int stride;             /* conv, maxpool */
    int same;               /* conv: 1 same, 0 valid */
    float rate;             /* dropout */
} cnn_spec_layer;

typedef struct cnn_spec {
    cnn_spec_layer *layers;
    int count;
    char *text; /* canonical form */
} cnn_spec;

/* Errors: CNN_BAD_ARGUMENT (layer number, word, limit), CNN_NO_MEMORY. Free with cnn_spec_free. */
int cnn_spec_parse(const char *text, cnn_spec *out);
void cnn_spec_free(cnn_spec *spec);

/* The canonical text of `text` with another number of outputs of layer `layer`; the caller frees it. Errors
 * as cnn_spec_parse. */
int cnn_spec_resize(const char *text, int layer, int outputs, char **out);

#endif
