/* SPDX-License-Identifier: BSD-3-Clause */
/* Forward and backward passes of a network over one batch, and the memory that they need. */
#ifndef CNN_PASS_H
#define CNN_PASS_H

#include "cnn/net.h"
#include "cnn/ranks.h"
#include "cnn/threads.h"
#include <stdint.h>

/* Layer outputs, their gradients and scratch, for batches of up to a fixed size. One thread at a time. */
typedef struct cnn_pass cnn_pass;

/* What passes are for. */
typedef enum cnn_pass_use {
    CNN_PASS_OUTPUTS, /* forward passes, after which the outputs of all layers are there */
    CNN_PASS_TRAIN,   /* backward passes, too; outputs that these do not need are not kept */
    CNN_PASS_LOGITS,  /* forward passes for the logits and the loss alone: least memory, and fastest */
} cnn_pass_use;

/* Allocates all that passes over up to `max_batch` images need; nothing is allocated afterwards. `net` and
 * `threads` (may be NULL) are borrowed and must outlive the pass. Errors: CNN_BAD_ARGUMENT, CNN_NO_MEMORY.
 * The caller frees with cnn_pass_free. */
int cnn_pass_create(cnn_net *net, int max_batch, cnn_pass_use use, cnn_threads *threads, cnn_pass **out);
void cnn_pass_free(cnn_pass *pass);

/* The memory that a pass takes, in bytes; it grows at most as its largest batch does. */
size_t cnn_pass_bytes(const cnn_pass *pass);

/* Where the caller writes the batch's images before a pass, float [N,C,H,W], and labels [N]. */
float *cnn_pass_images(cnn_pass *pass);
uint8_t *cnn_pass_labels(cnn_pass *pass);

/* Loss and hits of a batch: sums over its images, in double, added in the order of the images. */
typedef struct cnn_batch_result {
    double loss_sum; /* of -log softmax(logits)[label] */
    int correct;     /* images whose largest logit is the label's (the first of equals) */
} cnn_batch_result;

/* Inference (dropout passes through) over the first n images. */
cnn_batch_result cnn_pass_forward(cnn_pass *pass, int n);

/* One training pass: forward with dropout drawn for (net seed, step), then backward of the mean loss; fills
 * the gradients of the network. */
cnn_batch_result cnn_pass_train(cnn_pass *pass, int n, uint64_t step);

/* Somebody else's tasks, numbers `from` to `to` - 1, that threads may do beside what is left of a backward
 * pass, in any order. Their owner lowers `from` when it is told that gradients are there; the pass lowers
 * `to` to it once it has done them, and may leave all to the owner. */
typedef struct cnn_beside {
    int from, to;
    cnn_task *task;
    void *context;
    double work; /* of a task, as for cnn_threads_for */
} cnn_beside;

/* A batch of which a pass does a share only, as others do theirs: gradients are the share's part of those of
 * the mean loss over `whole` images, so that the sum over all shares is the gradient. Dropout is as in the
 * whole. */
typedef struct cnn_batch_part {
    uint32_t whole;  /* images of the batch, >= 1 */
    cnn_share share; /* of this pass; may be empty: its gradients are zero */
    /* Told when the gradients of all layers from `layer` on are there and their parameters are not read any
     * more; called in the same order for the same network, the last time for the first layer with parameters.
     * NULL: nobody is told. */
    void (*ready)(void *context, int layer);
    void *context;
    cnn_beside *beside; /* borrowed; NULL: there is nothing else to do */
} cnn_batch_part;

/* The training pass over such a share, whose images are the first ones of the pass. */
cnn_batch_result cnn_pass_train_part(cnn_pass *pass, const cnn_batch_part *part, uint64_t step);

/* Output of layer `index` for the last batch, [N, out shape]; relu and dropout work in place, so a
 * convolution followed by relu shows the values after it. NULL if the pass, being for something else, has not
 * kept it. Borrowed, valid until the next pass. */
const float *cnn_pass_output(const cnn_pass *pass, int index);

/* The logits of the last batch, [N, classes]. Borrowed. */
const float *cnn_pass_logits(const cnn_pass *pass);

#endif
