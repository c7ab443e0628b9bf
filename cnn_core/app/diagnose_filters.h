/* SPDX-License-Identifier: BSD-3-Clause */
/* How a convolution's filters come to resemble one another, from a run's checkpoints and its own images. */
#ifndef APP_DIAGNOSE_FILTERS_H
#define APP_DIAGNOSE_FILTERS_H

#include "run_folder.h"
#include <jansson.h>

/* What is looked for. Texts are borrowed. */
typedef struct filters_wish {
    const char *data;  /* folder of the images; NULL: that of the record */
    const char *layer; /* NULL: all convolutions */
    double threshold;  /* correlation from which filters are alike */
} filters_wish;

/* A list with an object for each layer at each of some checkpoints and at step 0: `step`, `layer`, `filters`,
 * `dead` (that say the same to every image), `distinct` (groups of filters that are alike, and those alone:
 * what would be left of them). The caller ends with json_decref. Errors of any cnn_status. */
int diagnose_filters(const run_folder *folder, const json_t *record, const filters_wish *wish, json_t **out);

/* Prints the list for people; nothing if it is empty. */
void diagnose_filters_print(const json_t *list, double threshold);

#endif
