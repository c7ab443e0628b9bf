/* SPDX-License-Identifier: BSD-3-Clause */
/* A fixed choice of a few images, on which a network is looked at again and again: activations, correlations,
 * and what a merge would cost. */
#ifndef CNN_PROBE_H
#define CNN_PROBE_H

#include "cnn/dataset.h"
#include <stdint.h>

/* Images of their own, so that they outlive the set they were taken from; `set` is a view of them. */
typedef struct cnn_probe {
    cnn_dataset set;
    void *memory; /* owned */
} cnn_probe;

/* Chooses `count` different images of `from`, all of it if it has fewer; a function of the set and of `seed`
 * alone, and the first images of a larger probe are those of a smaller one. Image i is of class i mod
 * classes; where that class has no image left, of the next class that has one. Errors: CNN_BAD_ARGUMENT
 * (count 0, an empty set), CNN_NO_MEMORY. On error *out is untouched. Free with cnn_probe_free. Any thread.
 */
int cnn_probe_create(const cnn_dataset *from, uint32_t count, uint64_t seed, cnn_probe *out);
void cnn_probe_free(cnn_probe *probe);

#endif
