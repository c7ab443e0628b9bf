/* SPDX-License-Identifier: BSD-3-Clause */
/* What insitu_views consists of: insitu_views.c keeps and describes it, insitu_views_look.c computes it. */
#ifndef APP_INSITU_VIEWS_PARTS_H
#define APP_INSITU_VIEWS_PARTS_H

#include "cnn/pass.h"
#include "cnn/probe.h"
#include "cnn/similarity.h"
#include "insitu_views.h"

/* Of one layer, as far as somebody has wanted it. */
typedef struct layer_view {
    float *gathered;         /* owned: [shown, K, P, Q] of all ranks; NULL without ranks */
    const float *activation; /* of the present step; NULL: not wanted */
    cnn_similarity similarity;
    int32_t *dead, *group; /* owned, [count] */
    int is_measured;       /* those are of the present step */
} layer_view;

struct insitu_views {
    insitu_views_plan plan;
    cnn_net *net;
    cnn_threads *threads;
    cnn_trainer *trainer; /* whose ranks help; NULL: nobody does */
    cnn_probe probe;      /* chosen at first use */
    cnn_pass *pass; /* made at first use: over the images that are shown, or this rank's share of them */
    uint32_t room;  /* images of the pass */
    layer_view *layers;
    uint8_t *wants; /* [layers] what travels */
};

/* Images whose activations are shown, and whether there are any. */
static inline uint32_t insitu_views_shown(const insitu_views *views)
{
    const uint32_t most = views->plan.probe < WS_PROBE_SHOWN ? views->plan.probe : WS_PROBE_SHOWN;
    return most < views->plan.images->count ? most : views->plan.images->count;
}

static inline int insitu_views_can_show(const insitu_views *views)
{
    return views->plan.images && views->plan.images->count > 0;
}

void insitu_views_free_pass(insitu_views *views);
void insitu_views_free_similarity(layer_view *layer);

#endif
