/* SPDX-License-Identifier: BSD-3-Clause */
/* Makes a layer narrower while the network goes on doing what it did.
 *
 * A unit j that is much like a unit i is left out; i speaks for it: where the next layer with parameters read
 * a_j it reads alpha * a_i + beta, so its weights become V_i += alpha * V_j and its bias += beta * sum V_j.
 * alpha >= 0 and beta are the least squares fit over a probe, of what that next layer sees: behind relu,
 * pooling and flattening, every (position, tap) that looks at a value counts as a sample, the zeros of a
 * padded border included. So the merge is exact, border and all, where weights and bias of j are alpha times
 * those of i; and where they are not, the border is a part of the compromise.
 *
 * The optimiser's moments follow the chain rule of that map, m being a mean of gradients and v of their
 * squares:
 *   next layer   V_i, bias: their own m and v; the merged network's gradient by V_i is the one it was
 *   this layer   w_i, b_i:  m_i + sum alpha_j m_j;  (sqrt v_i + sum alpha_j sqrt v_j)^2, which is the largest
 *                           that v of such a sum of gradients can be (Cauchy-Schwarz): steps get no larger
 * A momentum buffer is an m. Gradients follow as m does. Initial values are those of the units that stay.
 *
 * Sources: Srinivas & Babu arXiv 1507.06149 (outgoing weights added), NoiseOut arXiv
 * 1611.06211 (correlated activations), Kim et al. arXiv 2010.13160 (scale through a relu). */
#ifndef CNN_MERGE_H
#define CNN_MERGE_H

#include "cnn/dataset.h"
#include "cnn/merge_record.h"
#include "cnn/net.h"
#include "cnn/optimizer.h"
#include "cnn/threads.h"
#include <stdint.h>

typedef struct cnn_merge_options {
    cnn_merge_method method;
    double threshold; /* of CNN_MERGE_SIMILAR: correlation of activations that merges, [-1, 1] */
    int keep;         /* stop at so many units; 0: no such end. The other methods need keep or most */
    int most;         /* at most so many units fewer; 0: any number */
    int minimum;      /* never fewer units, >= 1 */
    uint64_t seed;    /* of CNN_MERGE_RANDOM */
} cnn_merge_options;

/* Similar ones from 0.9 on, at least one stays, no other limit. */
cnn_merge_options cnn_merge_defaults(void);

/* What is to happen to one layer, and what that costs on the probe. Arrays are [before], owned. */
typedef struct cnn_merge_plan {
    cnn_merge_options options;
    int layer, consumer;  /* numbers of the layer and of the next one with parameters */
    int before, after;    /* units; equal: there is nothing to merge */
    int32_t *group;       /* -1: alone, else the number of the group that becomes one unit */
    int32_t *into;        /* the unit that speaks for this one: itself, another, or -1: nobody does */
    double *alpha, *beta; /* its factor and offset; 1 and 0 for a unit that stays, 0 and 0 for nobody */
    double loss_before, loss_after; /* mean over the probe, of the network and of the merged one */
    double accuracy_before, accuracy_after;
} cnn_merge_plan;

/* Predicted change of the loss: measured over the probe, with the merged network. */
static inline double cnn_merge_predicted(const cnn_merge_plan *plan)
{
    return plan->loss_after - plan->loss_before;
}

/* The number of the layer called `name`, if its units can be merged. CNN_BAD_ARGUMENT in one line if there is
 * none such, if it has no units, or if its outputs are the classes, which are never merged. */
int cnn_merge_find_layer(const cnn_net *net, const char *name, int *out);

/* Plans the merge of one layer over a probe; the network stays as it is. CNN_MERGE_SIMILAR joins by
 * cnn_groups_find on cnn_similarity.pearson; of each group that unit stays which costs least (sum over the
 * others of what the fit leaves, times the square of the weights that read it; of equals the first), and
 * those that stay are grouped again until no two of them reach the threshold: so merging twice is merging
 * once. Which units stay does not depend on the order in which pairs are looked at, nor on threads.
 * Errors: CNN_BAD_ARGUMENT (an option, named with its value and limit; a layer as above; an empty probe),
 * CNN_NOT_FINITE (a parameter, an activation or a loss is not finite: named), CNN_NO_MEMORY. On error *out is
 * untouched. Free with cnn_merge_plan_free. */
int cnn_merge_plan_make(cnn_net *net, int layer, const cnn_merge_options *options, const cnn_dataset *probe,
                        cnn_threads *threads, cnn_merge_plan *out);
void cnn_merge_plan_free(cnn_merge_plan *plan);

/* Makes the merged network, and unless `optimizer` is NULL its optimiser; the old ones stay untouched, so
 * that going back is exact. The new network has the new width in its spec, source and initial values of the
 * units that stay, and one record more in `merges` (step, prediction; measured is NaN until the caller sets
 * it); a plan without anything to merge gives an exact copy without a record. Rates of dropout layers are
 * carried over as they are. Errors: CNN_NOT_FINITE (a moment, or a merged weight that overflows),
 * CNN_NO_MEMORY; on error both outputs are untouched. The caller frees both. */
int cnn_merge_apply(const cnn_merge_plan *plan, const cnn_net *net, const cnn_optimizer *optimizer,
                    uint64_t step, cnn_net **out, cnn_optimizer **out_optimizer);

#endif
