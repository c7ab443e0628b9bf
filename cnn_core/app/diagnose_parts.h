/* SPDX-License-Identifier: BSD-3-Clause */
/* What `diagnose` has found, and how it is told. */
#ifndef APP_DIAGNOSE_PARTS_H
#define APP_DIAGNOSE_PARTS_H

#include "run_folder.h"
#include <jansson.h>
#include <weightscape/growth.h>

/* The last update of a layer's weights. */
typedef struct update_length {
    uint64_t step;
    double ratio; /* its length / that of the weights; NaN: not known */
} update_length;

typedef struct diagnosis {
    const char *path;
    const char *status; /* of the run */
    int layer;          /* the only one that is asked for; -1: all */
    const ws_story *story;
    const json_t *record;   /* NULL: there is none */
    update_length *updates; /* [layers]; NULL: not known */
    json_t *filters;        /* as diagnose_filters tells them; NULL: not known */
    double threshold;       /* that they are compared with */
} diagnosis;

/* From the newest checkpoint's moments, or, for sgd, from the last gradient. One for each layer of the story,
 * in malloced memory; NULL if the record and the story do not tell what is needed. */
update_length *update_lengths(const run_folder *folder, const json_t *record, const ws_story *story);

void diagnosis_print_json(const diagnosis *found);
void diagnosis_print(const diagnosis *found);

/* One sentence about a layer; the caller frees it. */
char *diagnosis_sentence(const ws_story *story, const ws_story_layer *layer);

#endif
