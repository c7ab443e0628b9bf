/* SPDX-License-Identifier: BSD-3-Clause */
/* A network: a chain of layers from one readable line, and its parameters in one arena.
 *
 * The line:  layer, layer, ...   e.g.  conv 16 3x3, relu, maxpool 2, linear 10
 *   conv K RxS [stride N] [same|valid]   K filters of R x S; default stride 1, same
 *   relu | maxpool N [stride M] | dropout RATE | linear OUT
 * `same` pads so that the output is ceil(input / stride), the odd row or column at the bottom or right
 * (TensorFlow's rule; equal to PyTorch's padding=R/2 for odd kernels at stride 1); `valid` pads nothing.
 * Layers are separated by commas or newlines; `#` starts a comment up to the end of the line. The last layer
 * must be `linear CLASSES`; its outputs are the logits of a softmax. */
#ifndef CNN_NET_H
#define CNN_NET_H

#include "cnn/merge_record.h"
#include <stddef.h>
#include <stdint.h>

#define CNN_NAME_SIZE 24
#define CNN_DEFAULT_NET                                                                                      \
    "conv 16 3x3, relu, maxpool 2, conv 32 3x3, relu, maxpool 2, linear 1024, relu, dropout 0.5, linear 10"

/* Extent of one image or feature map, without the batch: C x H x W, row-major. */
typedef struct cnn_shape {
    int c, h, w;
} cnn_shape;

static inline size_t cnn_shape_count(cnn_shape shape)
{
    return (size_t)shape.c * (size_t)shape.h * (size_t)shape.w;
}

typedef enum cnn_layer_kind {
    CNN_CONV,
    CNN_RELU,
    CNN_MAXPOOL,
    CNN_LINEAR,
    CNN_DROPOUT,
} cnn_layer_kind;

/* One layer. Pointers point into the network's arenas and live as long as the network. */
typedef struct cnn_layer {
    cnn_layer_kind kind;
    char name[CNN_NAME_SIZE]; /* conv1, conv2, fc1, relu1, pool1, drop1: counted per kind, from 1 */
    cnn_shape in, out;
    int kernel_h, kernel_w; /* conv (R, S) and maxpool */
    int stride;             /* conv and maxpool, both directions */
    int pad_top, pad_left;  /* conv: zero rows above and columns to the left */
    float rate;             /* dropout: probability of a zero, in [0, 1) */
    uint64_t random_base;   /* dropout: first position in the step's random sequence per image of the batch */
    size_t weight_count;    /* conv K*C*R*S, linear OUT*IN, else 0 */
    size_t bias_count;      /* conv K, linear OUT, else 0 */
    float *weight;          /* conv [K,C,R,S], linear [OUT,IN]; NULL without parameters */
    float *bias;            /* [bias_count] */
    float *weight_gradient; /* of the last backward pass, mean over the batch; same shapes */
    float *bias_gradient;
    const float *weight_initial; /* the weights that the seed gave, for distances; same shape */
    int32_t *source; /* [out.c] the number that each unit had before anything was merged; NULL: its own. Owned
                        by the network */
} cnn_layer;

typedef struct cnn_net {
    char *spec; /* canonical: as given, comments and blanks normalised */
    cnn_shape input;
    int classes; /* outputs of the last layer */
    uint64_t seed;
    int layer_count;
    cnn_layer *layers;
    size_t parameter_count; /* length of each arena */
    float *parameters;      /* weight, bias of the first layer with parameters, then of the next, ... */
    float *gradients;       /* same layout */
    float *initial;         /* same layout */
    int merge_count;
    cnn_merge_record *merges; /* what has been merged, oldest first; NULL if nothing was */
} cnn_net;

/* Parses `spec` for images of shape `input` with `classes` classes, and initialises weights and biases with
 * U(-b, b), b = 1 / sqrt(fan_in): what PyTorch's Conv2d and Linear do by default (Kaiming uniform,
 * a = sqrt(5)). Errors: CNN_BAD_ARGUMENT (message names the layer, its number, the value and the limit),
 * CNN_NO_MEMORY. On error *out is untouched. The caller frees with cnn_net_free. */
int cnn_net_create(const char *spec, cnn_shape input, int classes, uint64_t seed, cnn_net **out);
void cnn_net_free(cnn_net *net);

/* How many parameters that network would have, without memory for them. Errors as cnn_net_create. */
int cnn_net_measure(const char *spec, cnn_shape input, int classes, size_t *parameters);

/* The layer called `name`, NULL if there is none. */
cnn_layer *cnn_net_layer(cnn_net *net, const char *name);

/* CNN_OK if the network of text `merged` can come from that of `whole` by merging: the same layers, none but
 * the last with more units. Else CNN_BAD_ARGUMENT: the message names the first layer that differs. */
int cnn_net_check_merged(const char *whole, const char *merged);

/* True for layers with parameters (conv, linear). */
static inline int cnn_layer_has_parameters(const cnn_layer *layer)
{
    return layer->weight_count != 0;
}

#endif
