/* SPDX-License-Identifier: BSD-3-Clause */
/* The options of `merge`, and what they amount to. */
#ifndef APP_MERGE_OPTIONS_H
#define APP_MERGE_OPTIONS_H

#include "cnn/merge.h"
#include "options.h"

extern const app_option merge_options[];

/* Whether the call says all that it must. Errors: CNN_BAD_ARGUMENT, naming the option. */
int merge_options_check(const option_values *values);

/* Numbers the layers that are to be merged, in the order of the call, from 1 on: chosen[net->layer_count],
 * zeroed before. Errors: CNN_BAD_ARGUMENT (a layer that cannot be, or --keep has not a number for each). */
int merge_options_layers(const option_values *values, const cnn_net *net, int *chosen);

/* How the layer is merged that has number `index` of those that are, from 0 on. */
int merge_options_of(const option_values *values, int index, cnn_merge_options *out);

#endif
