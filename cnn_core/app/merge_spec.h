/* SPDX-License-Identifier: BSD-3-Clause */
/* What is to be merged, how, and when, from one line:
 *   key=value,...   e.g.  threshold=0.9,layers=conv1+conv2,every=1epoch,bound=0.02
 * docs/merging.md tells the keys to people. */
#ifndef APP_MERGE_SPEC_H
#define APP_MERGE_SPEC_H

#include "cnn/course.h"
#include "cnn/merge.h"

enum { MERGE_LAYERS_MOST = 32, MERGE_TIMES_MOST = 64 };

/* A number of steps, or of epochs. */
typedef struct merge_time {
    uint64_t count; /* 0: none */
    int is_epochs;
} merge_time;

typedef struct merge_spec {
    cnn_merge_options options; /* but for `keep` and `seed` */
    int has_threshold;         /* 0: `keep` or `most` alone tell how many go */
    int layer_count;           /* 0: all convolutions */
    char layers[MERGE_LAYERS_MOST][CNN_NAME_SIZE];
    int keep_count; /* 0: no such end; 1: the same for all layers; else one for each of them */
    int keep[MERGE_LAYERS_MOST];
    double bound; /* of the predicted change of the loss; infinite: none */
    uint32_t probe;
    /* When; neither: only when somebody asks for it. */
    int at_count;
    merge_time at[MERGE_TIMES_MOST];
    merge_time every, from, until;
} merge_spec;

/* Similar filters of all convolutions, from 0.9 on, when somebody asks. */
merge_spec merge_spec_defaults(void);

/* Reads the line. `what` begins the message ("--merge"): CNN_BAD_ARGUMENT names the key, the value and the
 * limit. *out is untouched on error. */
int merge_spec_parse(const char *what, const char *text, merge_spec *out);

/* Whether a network has the layers that the line means, and they can be merged. CNN_BAD_ARGUMENT. */
int merge_spec_check(const char *what, const merge_spec *spec, const cnn_net *net);

/* Whether the layers of a network from which nothing was merged yet have as many units as are to stay.
 * CNN_BAD_ARGUMENT. */
int merge_spec_check_keep(const char *what, const merge_spec *spec, const cnn_net *net);

/* 1 if it says when. */
int merge_spec_has_time(const merge_spec *spec);

/* 1 if the state after `step` steps, from 1 on, is to be merged. */
int merge_spec_is_due(const merge_spec *spec, const cnn_course *course, uint64_t step);

/* The same line without the times and with the names of all layers of `net` that it means; the caller frees
 * it. */
char *merge_spec_text(const merge_spec *spec, const cnn_net *net);

/* How many layers of `net` it means, and the name of each. */
int merge_spec_layer_count(const merge_spec *spec, const cnn_net *net);
const char *merge_spec_layer(const merge_spec *spec, const cnn_net *net, int index);

/* What is to be done to the layer at `index`. */
cnn_merge_options merge_spec_options(const merge_spec *spec, int index, uint64_t seed);

#endif
