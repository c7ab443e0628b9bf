/* SPDX-License-Identifier: BSD-3-Clause */
/* What a network remembers of a merge that made it: a line of its history. */
#ifndef CNN_MERGE_RECORD_H
#define CNN_MERGE_RECORD_H

#include <stdint.h>

/* How it is chosen which units go. */
typedef enum cnn_merge_method {
    CNN_MERGE_SIMILAR, /* those that are like another one, which takes over what they say */
    CNN_MERGE_NORM,   /* those whose weights have the smallest L2 norm, without the bias; nobody takes over */
    CNN_MERGE_RANDOM, /* any, drawn from a seed; nobody takes over */
} cnn_merge_method;

typedef struct cnn_merge_record {
    uint64_t step;     /* steps that were done */
    int layer;         /* its number in the network */
    int before, after; /* units of the layer */
    cnn_merge_method method;
    double threshold; /* of CNN_MERGE_SIMILAR, else NaN */
    double predicted; /* loss over the probe, after minus before */
    double measured;  /* the same over other images, that whoever merges chooses; NaN: not measured */
} cnn_merge_record;

/* "similar", "norm", "random". */
const char *cnn_merge_method_name(cnn_merge_method method);
/* CNN_BAD_ARGUMENT for another name. */
int cnn_merge_method_parse(const char *name, cnn_merge_method *out);

#endif
