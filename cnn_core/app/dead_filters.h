/* SPDX-License-Identifier: BSD-3-Clause */
/* Filters of convolutions that no gradient reaches: their ReLU lets nothing through, for no image of a batch.
 */
#ifndef APP_DEAD_FILTERS_H
#define APP_DEAD_FILTERS_H

#include "cnn/net.h"
#include <stdint.h>

typedef struct dead_filters dead_filters;

/* The layer with the greatest part of dead filters. */
typedef struct dead_filters_found {
    const char *layer; /* borrowed from the network */
    int dead, count;   /* filters */
    int looks;         /* steps that were looked at */
} dead_filters_found;

dead_filters *dead_filters_begin(void);

/* Begins anew. */
void dead_filters_clear(dead_filters *dead);

/* Looks at the gradients of row number `row`, every few rows. Filters that have one are alive. A network of
 * other sizes than before begins anew. */
void dead_filters_take(dead_filters *dead, const cnn_net *net, uint64_t row);

/* 1 if some filter was dead whenever it was looked at; 0 too if the last layer got no gradient either (then
 * nothing is known), or after few looks. */
int dead_filters_worst(const dead_filters *dead, const cnn_net *net, dead_filters_found *out);

void dead_filters_end(dead_filters *dead); /* NULL is allowed */

#endif
