/* SPDX-License-Identifier: BSD-3-Clause */
/* What pictures show of a network beside its weights: what its convolutions say to a few images, how similar
 * their filters are. All of it is made when somebody wants to see it, and not before. */
#ifndef APP_INSITU_VIEWS_H
#define APP_INSITU_VIEWS_H

#include "cnn/dataset.h"
#include "cnn/net.h"
#include "cnn/threads.h"
#include "cnn/trainer.h"
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

/* Rank 0: the ranks of this trainer, which trains the network, compute a share each from here on; borrowed.
 * What is shown is the same to the bit. A trainer without ranks changes nothing. */
void insitu_views_share(insitu_views *views, cnn_trainer *trainer);

/* From which correlation on filters are a group. */
void insitu_views_set_threshold(insitu_views *views, double threshold);

/* Computes what is wanted: wants[i] has the ws_wants of layer number i of the network. Between two steps.
 * Returns a status of cnn_core, which is any rank's; what could not be computed is not shown. When a rank is
 * lost this process does it all. */
int insitu_views_prepare(insitu_views *views, const uint8_t *wants);

/* Another rank: its share, after LAUNCH_ORDER_LOOK, with the plan and the network of rank 0. Returns what all
 * ranks have agreed on. */
int insitu_views_follow(insitu_views *views, const cnn_ranks *ranks);

/* Adds to the description of layer number `layer` what it can show, and what was computed since
 * insitu_views_forget. */
void insitu_views_describe(const insitu_views *views, int layer, ws_layer *out);

/* What was computed is no longer true. Its memory stays for the next time. */
void insitu_views_forget(insitu_views *views);

#endif
