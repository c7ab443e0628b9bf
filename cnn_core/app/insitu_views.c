/* SPDX-License-Identifier: BSD-3-Clause */
#include "insitu_views.h"
#include "cnn/groups.h"
#include "cnn/pass.h"
#include "cnn/probe.h"
#include "cnn/similarity.h"
#include "cnn/status.h"
#include "text.h"
#include <stdlib.h>

/* Of one layer, as far as somebody has wanted it. */
typedef struct layer_view {
    cnn_similarity similarity;
    int32_t *dead, *group; /* owned, [count] */
    int is_measured;       /* those are of the present step */
} layer_view;

struct insitu_views {
    insitu_views_plan plan;
    cnn_net *net;
    cnn_threads *threads;
    cnn_probe probe; /* chosen at first use */
    cnn_pass *pass;  /* made at first use: over the images that are shown */
    int has_run;     /* the pass, at the present step */
    layer_view *layers;
};

static uint32_t shown(const insitu_views *views)
{
    uint32_t most = views->plan.probe < WS_PROBE_SHOWN ? views->plan.probe : WS_PROBE_SHOWN;
    return most < views->plan.images->count ? most : views->plan.images->count;
}

static int can_show(const insitu_views *views)
{
    return views->plan.images && views->plan.images->count > 0;
}

insitu_views *insitu_views_open(const insitu_views_plan *plan, cnn_net *net)
{
    insitu_views *views = memory_of(1, sizeof *views);
    *views = (insitu_views){
        .plan = *plan, .net = net, .layers = memory_of((size_t)net->layer_count, sizeof *views->layers)};
    return views;
}

static void clear_layer(layer_view *layer)
{
    cnn_similarity_free(&layer->similarity);
    free(layer->dead);
    free(layer->group);
    *layer = (layer_view){0};
}

static void clear(insitu_views *views)
{
    cnn_pass_free(views->pass);
    views->pass = NULL;
    views->has_run = 0;
    for (int i = 0; i < views->net->layer_count; i++)
        clear_layer(&views->layers[i]);
}

void insitu_views_close(insitu_views *views)
{
    if (!views)
        return;
    clear(views);
    cnn_probe_free(&views->probe);
    free(views->layers);
    free(views);
}

void insitu_views_change(insitu_views *views, cnn_net *net)
{
    clear(views);
    free(views->layers);
    views->net = net;
    views->layers = memory_of((size_t)net->layer_count, sizeof *views->layers);
}

void insitu_views_use(insitu_views *views, cnn_threads *threads)
{
    cnn_pass_free(views->pass);
    views->pass = NULL;
    views->has_run = 0;
    views->threads = threads;
}

void insitu_views_set_threshold(insitu_views *views, double threshold)
{
    views->plan.threshold = threshold;
}

static int choose_probe(insitu_views *views)
{
    return views->probe.memory
               ? CNN_OK
               : cnn_probe_create(views->plan.images, views->plan.probe, views->plan.seed, &views->probe);
}

/* One pass shows the activations of all layers. */
static int run_pass(insitu_views *views)
{
    const uint32_t count = shown(views);
    if (views->has_run)
        return CNN_OK;
    if (!views->pass) {
        const int status =
            cnn_pass_create(views->net, (int)count, CNN_PASS_OUTPUTS, views->threads, &views->pass);
        if (status)
            return status;
    }
    uint32_t index[WS_PROBE_SHOWN];
    for (uint32_t i = 0; i < count; i++)
        index[i] = i;
    cnn_dataset_gather(&views->probe.set, index, (int)count, cnn_pass_images(views->pass),
                       cnn_pass_labels(views->pass));
    cnn_pass_forward(views->pass, (int)count);
    views->has_run = 1;
    return CNN_OK;
}

static int find_groups(const insitu_views *views, layer_view *layer)
{
    const int count = layer->similarity.count;
    const cnn_groups_options options = {.threshold = views->plan.threshold, .minimum = 1};
    for (int k = 0; k < count; k++)
        layer->dead[k] = layer->similarity.state[k] != CNN_UNIT_ALIVE;
    const int found =
        cnn_groups_find(layer->similarity.pearson, layer->similarity.state, count, &options, layer->group);
    return found < 0 ? found : CNN_OK;
}

static int measure(insitu_views *views, int number)
{
    layer_view *layer = &views->layers[number];
    if (layer->is_measured)
        return CNN_OK;
    clear_layer(layer);
    int status =
        cnn_similarity_measure(views->net, number, &views->probe.set, views->threads, &layer->similarity);
    if (status)
        return status;
    const size_t count = (size_t)layer->similarity.count;
    layer->dead = malloc(count * sizeof *layer->dead);
    layer->group = malloc(count * sizeof *layer->group);
    if (!layer->dead || !layer->group)
        return cnn_fail(CNN_NO_MEMORY, "no memory for the groups of %zu filters", count);
    status = find_groups(views, layer);
    layer->is_measured = status == CNN_OK;
    return status;
}

int insitu_views_prepare(insitu_views *views, int layer, uint32_t wants)
{
    int status = can_show(views) ? choose_probe(views) : CNN_OK;
    if (!status && wants & WS_WANTS_ACTIVATIONS)
        status = run_pass(views);
    if (!status && wants & WS_WANTS_CORRELATION)
        status = measure(views, layer);
    return status;
}

void insitu_views_describe(const insitu_views *views, int number, ws_layer *out)
{
    const cnn_layer *layer = &views->net->layers[number];
    const layer_view *view = &views->layers[number];
    out->source = layer->source;
    if (!can_show(views))
        return;
    out->offers = WS_WANTS_ACTIVATIONS | WS_WANTS_CORRELATION;
    out->activation_shape[0] = shown(views);
    out->activation_shape[1] = layer->out.c;
    out->activation_shape[2] = layer->out.h;
    out->activation_shape[3] = layer->out.w;
    if (views->has_run)
        out->activation = cnn_pass_output(views->pass, number);
    if (!view->is_measured)
        return;
    out->pearson = view->similarity.pearson;
    out->pearson_weights = view->similarity.pearson_weights;
    out->dead = view->dead;
    out->group = view->group;
}

void insitu_views_forget(insitu_views *views)
{
    views->has_run = 0;
    for (int i = 0; i < views->net->layer_count; i++)
        views->layers[i].is_measured = 0;
}
