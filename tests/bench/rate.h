/* SPDX-License-Identifier: BSD-3-Clause */
/* What the programs share that compute one network, each in its own way, and tell how fast:
 *
 *     rate_WAY SPEC CxHxW CLASSES THREADS IMAGES LABELS
 *
 * IMAGES and LABELS are files of bare bytes. Orders come line by line, an answer is one line of JSON; so many
 * programs can wait for each other and take turns:
 *
 *     train BATCH SECONDS     steps of Adam for so long, at least one: batch, forward, loss, backward, update
 *     infer BATCH SECONDS     forward passes over one batch that lies in memory
 *     layers BATCH SECONDS    as train, with the seconds of each layer, where the way can tell
 *     losses BATCH STEPS      of steps on the first images, again and again: so that all ways can be compared
 *     parameters FILE         writes those with which `losses` begins: float32, layer by layer, weight and
 * bias
 *
 * A way is made anew, and warmed up, when the order or the batch is another than before. */
#ifndef RATE_H
#define RATE_H

#include "cnn/dataset.h"
#include "cnn/net.h"
#include <stdint.h>

#define RATE_LEARNING_RATE 1e-3
#define RATE_BETA1         0.9
#define RATE_BETA2         0.999
#define RATE_EPSILON       1e-8
enum { RATE_SEED = 1 };

typedef struct rate_task {
    cnn_net *net;        /* fresh; the way may change its parameters */
    cnn_dataset set;     /* whole batches */
    const float *images; /* the same as floats, [count, C, H, W] */
    int batch, training, threads;
} rate_task;

/* Seconds of one layer in all steps since they were last asked for. */
typedef struct rate_layer {
    double forward, backward;
} rate_layer;

typedef struct rate_way {
    /* All that steps need; NULL, and one line on stderr, where it cannot be made. */
    void *(*create)(const rate_task *task);
    void (*destroy)(void *self);
    /* One step on images first, first + 1, ... of the order that the way chooses; on the first images of the
     * set, in order, if `fixed`. The loss, mean over the batch, before the update. */
    double (*train)(void *self, int fixed);
    /* One forward pass over the first images of the set, which lie in place since `create`. */
    void (*infer)(void *self);
    /* Called before and after the steps of which the layers are wanted, adds to [net->layer_count] and the
     * loss; *update: seconds of the optimiser. 0, or -1 without memory. NULL: the way cannot tell. */
    int (*layers)(void *self, rate_layer *layers, double *update);
} rate_way;

/* The whole program. */
int rate_main(int argc, char **argv, const rate_way *way);

/* ---- for ways that have no trainer of their own ---- */

/* Which images the next batch holds: all in a random order, then all in another one. */
typedef struct rate_order {
    uint32_t *order; /* [count] */
    uint32_t count, at;
    uint64_t epoch;
} rate_order;

/* 0, or -1 without memory. */
int rate_order_create(uint32_t count, rate_order *out);
void rate_order_free(rate_order *order);
/* Puts the next batch, or the first images if `fixed`, in place. */
void rate_gather(const rate_task *task, rate_order *order, int fixed, float *images, uint8_t *labels);

/* Softmax cross-entropy, mean over the batch; dlogits [batch, classes]. */
double rate_loss(const float *logits, const uint8_t *labels, int batch, int classes, float *dlogits);

/* Adam over `count` parameters; step counts from 1. All threads of OpenMP. */
void rate_adam(float *weight, const float *gradient, float *first, float *second, size_t count,
               uint64_t step);

/* Inverted dropout in place, with a cheap generator of its own; mask [count] holds the factors. */
void rate_dropout(float *y, float *mask, size_t count, float rate, uint32_t *state);

#endif
