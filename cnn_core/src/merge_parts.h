/* SPDX-License-Identifier: BSD-3-Clause */
/* What planning and applying a merge share. Internal to cnn_core. */
#ifndef CNN_MERGE_PARTS_H
#define CNN_MERGE_PARTS_H

#include "cnn/merge.h"

/* How a value of an arena follows a merge; merge.h says why. */
typedef enum cnn_merge_rule {
    CNN_RULE_WEIGHT,   /* parameters */
    CNN_RULE_GRADIENT, /* gradients, their means, momentum */
    CNN_RULE_SQUARE,   /* means of squared gradients */
    CNN_RULE_INITIAL,  /* what stays is as it was */
} cnn_merge_rule;

/* Fills the arena `to` of `merged` from the arena `from` of `net`. CNN_NO_MEMORY. */
int cnn_merge_arena(const cnn_merge_plan *plan, cnn_merge_rule rule, const cnn_net *net, const float *from,
                    const cnn_net *merged, float *to);

/* Chooses into, alpha and beta of a plan whose arrays say that every unit stays. Errors as
 * cnn_merge_plan_make. */
int cnn_merge_choose_similar(cnn_merge_plan *plan, cnn_net *net, const cnn_dataset *probe,
                             cnn_threads *threads);
int cnn_merge_choose_others(cnn_merge_plan *plan, const cnn_net *net);

#endif
