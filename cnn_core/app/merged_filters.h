/* SPDX-License-Identifier: BSD-3-Clause */
/* The filters that a run's merges have left out: where they were when the run began, which filter they went
 * into, after which step, and their weights then. For pictures; the network does not need them. It follows
 * from the run's log and the states that its merges have left, so that every process tells the same. */
#ifndef APP_MERGED_FILTERS_H
#define APP_MERGED_FILTERS_H

#include "cnn/net.h"
#include "run_folder.h"
#include "steering.h"
#include <weightscape/insitu.h>

typedef struct merged_filters merged_filters;

/* Of a run that begins with the network `whole`, with the weights that its seed gives: nothing is merged. */
merged_filters *merged_filters_open(const cnn_net *whole);
void merged_filters_close(merged_filters *of); /* NULL is allowed */

/* A merge is made: `result` as in the log; `before` the network that it leaves, NULL: its weights are not
 * known any more. Units are found by their numbers, so every merge of the run is to be added, in order. */
void merged_filters_add(merged_filters *of, const json_t *result, uint64_t step, const cnn_net *before);

/* The merges of a log, as far as their states are kept among the run's checkpoints. A state that cannot be
 * read is told. */
void merged_filters_read(merged_filters *of, const steering_log *log, const char *checkpoints);

/* The same of a run as it was at `step`, at which it had the network `net`; `record` is its run.json. NULL,
 * and the reason is told, if its log or record cannot be read. */
merged_filters *merged_filters_of_run(const run_folder *folder, const json_t *record, uint64_t step,
                                      const cnn_net *net);

/* Adds to the description of layer number `layer`, a convolution of `net`, what the run began with and what
 * is there no more. What it hands over is borrowed. */
void merged_filters_describe(const merged_filters *of, const cnn_net *net, int layer, ws_layer *out);

#endif
