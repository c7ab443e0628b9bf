/* SPDX-License-Identifier: BSD-3-Clause */
/* A merge that is worked out, told and judged, and not in force yet: layer by layer, each on what the one
 * before has left. */
#ifndef APP_MERGE_DRAFT_H
#define APP_MERGE_DRAFT_H

#include "cnn/optimizer.h"
#include "cnn/trainer.h"
#include "merge_spec.h"
#include <jansson.h>

/* What is merged, and on what it is judged. All is borrowed. */
typedef struct merge_ground {
    cnn_net *net;
    const cnn_optimizer *optimizer;
    uint64_t step;
    const cnn_dataset *probe;    /* tells what is similar, and predicts the loss */
    const cnn_dataset *judge;    /* on which the true change is measured */
    const char *judge_name;      /* "validation" or "probe" */
    const cnn_evaluation *known; /* of `net` on the judge; NULL: not measured */
    cnn_threads *threads;
    int quiet;
} merge_ground;

typedef struct merge_draft {
    cnn_net *net; /* owned, as what follows; NULL: nothing is merged */
    cnn_optimizer *optimizer;
    json_t *result;  /* docs/steering.md: result of a merge */
    json_t *refused; /* a text for each layer that the bound has kept as it is */
} merge_draft;

/* Works out what `spec` means for the network, and tells a line for each layer: its groups, its units, the
 * predicted change of the loss, or that it is refused. A layer with which the predicted change of the whole
 * merge would be above the bound stays as it is. Errors: as cnn_merge_plan_make and cnn_merge_apply; *out is
 * untouched then. Free with merge_draft_free. */
int merge_draft_make(const merge_ground *ground, const merge_spec *spec, merge_draft *out);
void merge_draft_free(merge_draft *draft);

#endif
