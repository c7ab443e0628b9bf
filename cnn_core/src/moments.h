/* SPDX-License-Identifier: BSD-3-Clause */
/* Means, variances and covariances of the units of a layer, summed in float64 in one pass over samples.
 * Internal to cnn_core. */
#ifndef CNN_MOMENTS_H
#define CNN_MOMENTS_H

#include "cnn/dataset.h"
#include "cnn/net.h"
#include "cnn/ranks.h"
#include "cnn/threads.h"
#include <stddef.h>
#include <stdint.h>

/* How often each value of a unit's map [P,Q] counts, and how many zeros of a padded border count beside them,
 * in one image. */
typedef struct cnn_visits {
    double *at; /* [P*Q], NULL: each once */
    double zeros;
} cnn_visits;

/* What the convolution or linear layer `reader` sees of the maps that it reads: each (position, tap) that
 * looks at a value counts. CNN_NO_MEMORY. Free with cnn_visits_free. */
int cnn_visits_of(const cnn_layer *reader, cnn_visits *out);
void cnn_visits_free(cnn_visits *visits);

typedef struct cnn_moments {
    int count;       /* units */
    double weight;   /* samples, each as often as it counts */
    double *mean;    /* [count] */
    double *product; /* [count,count] sum of (x_i - mean_i)(x_j - mean_j); 0 where a unit is not finite or
                        does not vary */
    uint8_t *state;  /* [count] cnn_unit_state */
} cnn_moments;

/* Sums that grow by samples. */
typedef struct cnn_moment_sums cnn_moment_sums;

/* CNN_NO_MEMORY. End with cnn_moment_sums_finish or _free. threads may be NULL. */
int cnn_moment_sums_create(int units, cnn_threads *threads, cnn_moment_sums **out);
void cnn_moment_sums_free(cnn_moment_sums *sums);
/* Adds the n samples x[units, n]; visits NULL: each once. */
void cnn_moment_sums_add(cnn_moment_sums *sums, const float *x, size_t n, const cnn_visits *visits);

/* Sums can be made in parts, here or elsewhere, that are added one after the other; all parts must have the
 * same shift, which the first samples choose, or these n. */
void cnn_moment_sums_prime(cnn_moment_sums *sums, const float *x, size_t n);
/* Numbers of a part, which begins as zeros: it is added to by pouring, which leaves the sums empty, or by
 * adding another part, number by number. Filled with a part, the sums are as if all had been added here. */
size_t cnn_moment_sums_length(const cnn_moment_sums *sums);
void cnn_moment_sums_pour(cnn_moment_sums *sums, double *part);
void cnn_moment_sums_fill(cnn_moment_sums *sums, const double *part);

/* Frees the sums, also on error: CNN_NO_MEMORY. Free the moments with cnn_moments_free. */
int cnn_moment_sums_finish(cnn_moment_sums *sums, cnn_moments *out);
void cnn_moments_free(cnn_moments *moments);

/* The moments of the outputs of layer `layer` over all images of `set`, in small batches: units are its
 * channels. With ranks (NULL: none) all of them call it, and rank 0 gets the moments; they are the same to
 * the bit for any number of ranks. Errors: CNN_BAD_ARGUMENT, CNN_NO_MEMORY, of any rank; CNN_RANKS_FAILED. */
int cnn_moments_measure(const cnn_ranks *ranks, cnn_net *net, int layer, const cnn_visits *visits,
                        const cnn_dataset *set, cnn_threads *threads, cnn_moments *out);

#endif
