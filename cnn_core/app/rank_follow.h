/* SPDX-License-Identifier: BSD-3-Clause */
/* A rank other than 0 of a training: it loads the data, and then does as it is told. */
#ifndef APP_RANK_FOLLOW_H
#define APP_RANK_FOLLOW_H

#include "data_source.h"
#include "options.h"

/* The data of a training, as each rank loads it: from the folder that its own call names, else from rank 0's.
 */
typedef struct rank_data {
    const char *folder;
    int classes, threads;
    uint32_t validation;
    uint32_t probe; /* images, and how they are chosen, on which pictures look at the network */
    uint64_t seed;
} rank_data;

/* Rank 0: all ranks load the data, and have the same. Errors as data_source_load, of any rank;
 * CNN_BAD_ARGUMENT if a rank has other data. */
int rank_data_load(const rank_data *wanted, cnn_data *out);

/* Follows until rank 0 ends it, or all is lost; returns the exit status. `values` are those of this rank's
 * call; NULL: it could not be read, and the line that was told says why. */
int rank_follow(const option_values *values);

#endif
