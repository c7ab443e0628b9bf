/* SPDX-License-Identifier: BSD-3-Clause */
/* What `merge` has done, layer by layer, for people and as JSON. */
#ifndef APP_MERGE_REPORT_H
#define APP_MERGE_REPORT_H

#include "cnn/merge.h"
#include "cnn/trainer.h"
#include <jansson.h>

/* One merge of one layer: who stays, who speaks for whom, and the change of the loss. `measured` is over the
 * set that was evaluated. The caller ends with json_decref. */
json_t *merge_report_layer(const cnn_net *before, const cnn_merge_plan *plan, double measured);

/* The whole call. Takes `layers`. */
json_t *merge_report(json_t *layers, double predicted, const char *set, const cnn_evaluation *before,
                     const cnn_evaluation *after, const cnn_net *merged, const char *output);

void merge_report_print(const json_t *report);

#endif
