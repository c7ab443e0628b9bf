/* SPDX-License-Identifier: BSD-3-Clause */
/* What a pass holds: pass.c makes it, pass_forward.c and pass_backward.c run it. Internal to cnn_core. */
#ifndef CNN_PASS_PARTS_H
#define CNN_PASS_PARTS_H

#include "cnn/pass.h"
#include "layers/layers.h"
#include "pass_watch.h"

/* Values of a batch, in two layouts that are one if an image has one channel or one pixel. */
typedef struct activation {
    cnn_shape shape;
    float *last;      /* [N,H,W,C], as layers work on it */
    float *first;     /* [N,C,H,W], as callers and linear layers see it; NULL: nobody does */
    int by_thread;    /* `last` is [threads,H,W,C], of the image at hand of each: nobody comes back to it */
    int first_is_old; /* `last` has changed since `first` was made from it */
} activation;

/* What one layer keeps from the forward to the backward pass. */
typedef struct layer_state {
    activation *output; /* shared with the layer before for relu and dropout */
    activation own;
    cnn_conv conv;   /* convolutions only */
    float *parts;    /* convolutions, training: a gradient of weights and bias for each part of the batch */
    int32_t *chosen; /* maxpool, training */
    ptrdiff_t *windows; /* convolutions with which the pooling behind them is done: where its windows are */
    uint8_t *kept;      /* dropout, training */
} layer_state;

struct cnn_pass {
    cnn_net *net;
    cnn_threads *threads;
    cnn_kernels kernels;
    int max_batch;
    cnn_pass_use use;
    int first_parameters;      /* layers before it need no gradient of their input */
    uint64_t random_per_image; /* dropout numbers of one image, over all layers */
    activation input;
    uint8_t *labels;
    layer_state *layers;
    float
        *gradients[2]; /* of the output and the input of the linear layer at hand, in turn, channels first */
    size_t image_gradient;    /* floats of each of the two gradients that a thread keeps of an image */
    cnn_picked rows, columns; /* of linear layers, and */
    float *turned;            /* their x^T and dy^T */
    float **scratch;          /* per thread: two gradients of an image, then what layers need */
    /* The pass that is running. */
    int n, is_training;
    cnn_batch_part part; /* of the batch that n images are, in training */
    uint64_t step;
    float *dy, *dx;        /* two of gradients */
    int begin, end;        /* the layers of the run that is at work */
    int bands;             /* that a convolution of an image is shared out in; 1: images are shared out */
    int part_count;        /* of the batch, whose gradients the run sums apart */
    int conv;              /* the layer of the run whose parts are added */
    cnn_pass_watch *watch; /* NULL: nobody measures */
    void *watch_context;
    void **blocks; /* everything allocated, for free */
    int block_count;
    size_t bytes; /* of the blocks and the convolutions */
};

static inline void cnn_pass_tell(const cnn_pass *pass, int thread, int layer, cnn_pass_direction direction)
{
    if (pass->watch)
        pass->watch(pass->watch_context, thread, layer, direction);
}

/* Layers that are no linear ones follow each other image by image, in runs. The end of that which begins at
 * `layer`. */
static inline int cnn_run_end(const cnn_net *net, int layer)
{
    while (layer < net->layer_count && net->layers[layer].kind != CNN_LINEAR)
        layer++;
    return layer;
}

/* The beginning, not before `first`, of the run that ends before `end`; `end` if a linear layer is there. */
static inline int cnn_run_begin(const cnn_net *net, int end, int first)
{
    while (end > first && net->layers[end - 1].kind != CNN_LINEAR)
        end--;
    return end;
}

/* The values that a layer takes. */
static inline activation *cnn_input_of(cnn_pass *pass, int layer)
{
    return layer ? pass->layers[layer - 1].output : &pass->input;
}

/* An image of them, which `thread` is at. */
static inline float *cnn_image(const activation *values, int image, int thread)
{
    return values->last + (size_t)(values->by_thread ? thread : image) * cnn_shape_count(values->shape);
}

/* Whether a relu is done by the layer before it. */
static inline int cnn_is_fused_relu(const cnn_net *net, int layer)
{
    return layer > 0 && layer < net->layer_count && net->layers[layer].kind == CNN_RELU &&
           cnn_layer_has_parameters(&net->layers[layer - 1]);
}

/* The layer that takes what a layer gives, or what a relu that is done by it has left of that. */
static inline int cnn_layer_behind(const cnn_net *net, int layer)
{
    return cnn_is_fused_relu(net, layer + 1) ? layer + 2 : layer + 1;
}

/* The places that pooling has chosen in an image; NULL: they are not wanted. */
static inline int32_t *cnn_chosen(const layer_state *pooling, int image)
{
    return pooling->chosen ? pooling->chosen + (size_t)image * cnn_shape_count(pooling->own.shape) : NULL;
}

/* A pooling layer. It does the backward pass of a relu before it: of a window that this passes nothing, no
 * place is told. */
static inline cnn_pool cnn_pass_pool(const cnn_pass *pass, int layer)
{
    cnn_pool pool = cnn_pool_of(&pass->net->layers[layer]);
    pool.after_relu = layer > 0 && pass->net->layers[layer - 1].kind == CNN_RELU;
    return pool;
}

static inline float *cnn_layer_scratch(const cnn_pass *pass, int thread)
{
    return pass->scratch[thread] + 2 * pass->image_gradient;
}

/* A linear layer of the running pass. */
cnn_linear cnn_pass_linear(cnn_pass *pass, int layer);

/* Multiplications that a run of layers takes forward for an image; backward twice as many. For
 * cnn_threads_for. */
double cnn_pass_run_work(const cnn_net *net, int begin, int end);

/* Parts of a batch of n images whose gradients a run of layers sums apart: each has an image at least. */
int cnn_pass_parts(const cnn_net *net, int begin, int end, int n);

/* Runs all layers on the first n images. */
void cnn_pass_run_forward(cnn_pass *pass, int n, int training);

/* Fills the gradients of the network from pass->gradients[0], that of the logits. */
void cnn_pass_run_backward(cnn_pass *pass);

#endif
