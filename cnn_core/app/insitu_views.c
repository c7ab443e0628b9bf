/* SPDX-License-Identifier: BSD-3-Clause */
#include "insitu_views_parts.h"
#include "text.h"
#include <stdlib.h>

insitu_views *insitu_views_open(const insitu_views_plan *plan, cnn_net *net)
{
    insitu_views *views = memory_of(1, sizeof *views);
    *views = (insitu_views){.plan = *plan,
                            .net = net,
                            .layers = memory_of((size_t)net->layer_count, sizeof *views->layers),
                            .wants = memory_of((size_t)net->layer_count, 1)};
    return views;
}

void insitu_views_free_similarity(layer_view *layer)
{
    cnn_similarity_free(&layer->similarity);
    free(layer->dead);
    free(layer->group);
    layer->dead = NULL;
    layer->group = NULL;
    layer->is_measured = 0;
}

void insitu_views_free_pass(insitu_views *views)
{
    cnn_pass_free(views->pass);
    views->pass = NULL;
    views->room = 0;
    for (int i = 0; i < views->net->layer_count; i++)
        views->layers[i].activation = NULL;
}

static void clear(insitu_views *views)
{
    insitu_views_free_pass(views);
    for (int i = 0; i < views->net->layer_count; i++) {
        insitu_views_free_similarity(&views->layers[i]);
        free(views->layers[i].gathered);
        views->layers[i].gathered = NULL;
    }
}

void insitu_views_close(insitu_views *views)
{
    if (!views)
        return;
    clear(views);
    cnn_probe_free(&views->probe);
    free(views->layers);
    free(views->wants);
    free(views);
}

void insitu_views_change(insitu_views *views, cnn_net *net)
{
    clear(views);
    free(views->layers);
    free(views->wants);
    views->net = net;
    views->layers = memory_of((size_t)net->layer_count, sizeof *views->layers);
    views->wants = memory_of((size_t)net->layer_count, 1);
}

void insitu_views_use(insitu_views *views, cnn_threads *threads)
{
    insitu_views_free_pass(views);
    views->threads = threads;
}

void insitu_views_share(insitu_views *views, cnn_trainer *trainer)
{
    views->trainer = trainer;
}

void insitu_views_set_threshold(insitu_views *views, double threshold)
{
    views->plan.threshold = threshold;
}

void insitu_views_describe(const insitu_views *views, int number, ws_layer *out)
{
    const cnn_layer *layer = &views->net->layers[number];
    const layer_view *view = &views->layers[number];
    out->source = layer->source;
    if (!insitu_views_can_show(views))
        return;
    out->offers = WS_WANTS_ACTIVATIONS | WS_WANTS_CORRELATION;
    out->activation_shape[0] = insitu_views_shown(views);
    out->activation_shape[1] = layer->out.c;
    out->activation_shape[2] = layer->out.h;
    out->activation_shape[3] = layer->out.w;
    out->activation = view->activation;
    if (!view->is_measured)
        return;
    out->pearson = view->similarity.pearson;
    out->pearson_weights = view->similarity.pearson_weights;
    out->dead = view->dead;
    out->group = view->group;
}

void insitu_views_forget(insitu_views *views)
{
    for (int i = 0; i < views->net->layer_count; i++) {
        views->layers[i].activation = NULL;
        views->layers[i].is_measured = 0;
    }
}
