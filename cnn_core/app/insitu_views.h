/* SPDX-License-Identifier: BSD-3-Clause */
/* What pictures show of a network beside its weights: what its convolutions say to a few images, how similar
 * their filters are. All of it is made when somebody wants to see it, and not before. */
#ifndef APP_INSITU_VIEWS_H
#define APP_INSITU_VIEWS_H

#include "cnn/dataset.h"
#include "cnn/net.h"
#include "cnn/threads.h"
#include <weightscape/insitu.h>

typedef struct insitu_views insitu_views;

typedef struct insitu_views_plan {
    const cnn_dataset *images; /* what the probe is chosen from; NULL: nothing can be shown. Borrowed */
    uint32_t probe;            /* how many of them, at least 1 */
    uint64_t seed;
    double threshold; /* filters that correlate at least so much are a group, -1 to 1 */
} insitu_views_plan;

insitu_views *insitu_views_open(const insitu_views_plan *plan, cnn_net *net);
void insitu_views_close(insitu_views *views); /* NULL is allowed */

/* Another network from here on; to be called while the old one is still there. Nothing of it is kept. */
void insitu_views_change(insitu_views *views, cnn_net *net);

/* Threads to use from here on; borrowed; NULL: none. */
void insitu_views_use(insitu_views *views, cnn_threads *threads);

/* From which correlation on filters are a group. */
void insitu_views_set_threshold(insitu_views *views, double threshold);

/* Computes `wants` (ws_wants) of layer number `layer` of the network. Returns a status of cnn_core; what
 * could not be computed is not shown. */
int insitu_views_prepare(insitu_views *views, int layer, uint32_t wants);

/* Adds to the description of layer number `layer` what it can show, and what was computed since
 * insitu_views_forget. */
void insitu_views_describe(const insitu_views *views, int layer, ws_layer *out);

/* What was computed is no longer true. Its memory stays for the next time. */
void insitu_views_forget(insitu_views *views);

#endif
