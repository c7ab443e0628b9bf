/* SPDX-License-Identifier: BSD-3-Clause */
/* The update of a training step, in tasks: parameters of a layer can be updated as soon as their gradients
 * are there and nobody reads the parameters any more, which is while layers before it go on. Internal to
 * cnn_core.
 */
#ifndef CNN_UPDATE_H
#define CNN_UPDATE_H

#include "cnn/optimizer.h"
#include "cnn/pass.h"
#include "kernels.h"

/* Lies still from begin to finish. */
typedef struct cnn_update_step {
    const cnn_optimizer *optimizer;
    const cnn_net *net;
    void (*kernel)(cnn_update *update);
    cnn_update common; /* of all stretches */
    cnn_beside beside; /* stretches, in the order of the arena */
} cnn_update_step;

/* Stretches of parameters, a task each, of the layers before `layer`: no stretch has part of two tensors. */
int cnn_update_stretches(const cnn_net *net, int layer);

/* As cnn_optimizer_step, of which nothing is done yet. */
void cnn_update_begin(cnn_update_step *update, cnn_optimizer *optimizer, cnn_net *net, double learning_rate,
                      uint64_t step);

/* Has the pass over a batch of which this process has all do what it can. */
void cnn_update_beside(cnn_update_step *update, cnn_batch_part *batch);

/* What is left, once all gradients are there; fills `norms` as cnn_optimizer_step does. */
void cnn_update_finish(cnn_update_step *update, cnn_threads *threads, cnn_layer_norms *norms);

#endif
