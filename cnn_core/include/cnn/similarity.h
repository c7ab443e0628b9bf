/* SPDX-License-Identifier: BSD-3-Clause */
/* How similar the units of a layer are (filters of a convolution, neurons of a linear layer): Pearson's
 * correlation of what they say to a set of images, and of their weights. */
#ifndef CNN_SIMILARITY_H
#define CNN_SIMILARITY_H

#include "cnn/dataset.h"
#include "cnn/net.h"
#include "cnn/ranks.h"
#include "cnn/threads.h"
#include <stdint.h>

/* What a unit's activations over the images are. */
typedef enum cnn_unit_state {
    CNN_UNIT_ALIVE = 0,
    CNN_UNIT_DEAD = 1,       /* the same value everywhere: no variance, so no correlation with any other */
    CNN_UNIT_NOT_FINITE = 2, /* a NaN or an infinity somewhere */
} cnn_unit_state;

/* Matrices are [count, count], symmetric, in -1..1 and never NaN. */
typedef struct cnn_similarity {
    int count;       /* units of the layer, K */
    double *pearson; /* of the activations, every image and position a sample; rows and columns of units
                        that are not alive are 0, the diagonal of those that are is 1 */
    double *pearson_weights; /* of the weights without the bias (C*R*S of a filter); 0 for a unit whose
                                weights are all equal or not finite */
    uint8_t *state;          /* [count] cnn_unit_state */
} cnn_similarity;

/* Measures layer number `layer` of the net (one with parameters) over all images of `set`, a probe as a rule.
 * Activations are those after a relu that follows the layer, as cnn_pass_output shows them. Sums are float64,
 * in one pass over the images in small batches: memory grows with K * K, not with the images. The result does
 * not depend on the number of threads; permuted units give permuted matrices. Errors: CNN_BAD_ARGUMENT (a
 * layer without parameters, an empty set, images that are not the network's), CNN_NO_MEMORY. On error *out is
 * untouched. Free with cnn_similarity_free. */
int cnn_similarity_measure(cnn_net *net, int layer, const cnn_dataset *set, cnn_threads *threads,
                           cnn_similarity *out);

/* The same, shared: all ranks, who have the same network and the same images, call it, and rank 0 gets the
 * result; *out of the others is untouched. It is the same to the bit for any number of ranks. NULL ranks: as
 * cnn_similarity_measure. Errors: CNN_RANKS_FAILED; those above, of any rank, on all of them, but for a lack
 * of memory at rank 0 when the others are done. */
int cnn_similarity_measure_shared(const cnn_ranks *ranks, cnn_net *net, int layer, const cnn_dataset *set,
                                  cnn_threads *threads, cnn_similarity *out);
void cnn_similarity_free(cnn_similarity *similarity);

#endif
