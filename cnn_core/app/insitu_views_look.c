/* SPDX-License-Identifier: BSD-3-Clause */
/* How it is computed what pictures show beside weights: by this process, or by all ranks, a share each. */
#include "cnn/groups.h"
#include "cnn/status.h"
#include "insitu_views_parts.h"
#include "launch.h"
#include <stdlib.h>
#include <string.h>

static int choose_probe(insitu_views *views)
{
    return views->probe.memory
               ? CNN_OK
               : cnn_probe_create(views->plan.images, views->plan.probe, views->plan.seed, &views->probe);
}

static int is_wanted(const insitu_views *views, ws_wants what)
{
    int all = 0;
    for (int i = 0; i < views->net->layer_count; i++)
        all |= views->wants[i];
    return (all & (int)what) != 0;
}

/* ---- activations ---- */

/* One pass shows the activations of all layers. */
static int make_pass(insitu_views *views, uint32_t count)
{
    if (views->room >= count)
        return CNN_OK;
    insitu_views_free_pass(views);
    const int status =
        cnn_pass_create(views->net, (int)count, CNN_PASS_OUTPUTS, views->threads, &views->pass);
    views->room = status ? 0 : count;
    return status;
}

/* Room for what all ranks hand to rank 0. */
static int make_room(insitu_views *views)
{
    for (int i = 0; i < views->net->layer_count; i++) {
        layer_view *layer = &views->layers[i];
        const size_t count = insitu_views_shown(views) * cnn_shape_count(views->net->layers[i].out);
        if (views->wants[i] & WS_WANTS_ACTIVATIONS && !layer->gathered &&
            !(layer->gathered = malloc(count * sizeof *layer->gathered)))
            return cnn_fail(CNN_NO_MEMORY, "no memory for %zu activations", count);
    }
    return CNN_OK;
}

static void run_pass(insitu_views *views, cnn_share share)
{
    uint32_t index[WS_PROBE_SHOWN];
    for (uint32_t i = 0; i < share.n; i++)
        index[i] = share.first + i;
    cnn_dataset_gather(&views->probe.set, index, (int)share.n, cnn_pass_images(views->pass),
                       cnn_pass_labels(views->pass));
    cnn_pass_forward(views->pass, (int)share.n);
}

/* What this rank's share of the images says in a layer, and, at rank 0, what all say. */
static int hand_over(insitu_views *views, const cnn_ranks *ranks, cnn_share share, int number)
{
    layer_view *layer = &views->layers[number];
    const float *own = share.n ? cnn_pass_output(views->pass, number) : NULL;
    if (!ranks) {
        layer->activation = own;
        return CNN_OK;
    }
    const size_t size = cnn_shape_count(views->net->layers[number].out) * sizeof(float);
    const int status = ranks->collect(ranks->context, own, size, insitu_views_shown(views), layer->gathered);
    layer->activation = status || ranks->rank ? NULL : layer->gathered;
    return status;
}

static int see(insitu_views *views, const cnn_ranks *ranks)
{
    const cnn_share share = ranks ? cnn_share_of(insitu_views_shown(views), ranks->rank, ranks->count)
                                  : (cnn_share){.n = insitu_views_shown(views)};
    int status = make_pass(views, share.n);
    if (!status && ranks && ranks->rank == 0)
        status = make_room(views);
    if (ranks)
        status = cnn_ranks_agree(ranks, status);
    if (!status && share.n)
        run_pass(views, share);
    for (int i = 0; i < views->net->layer_count && !status; i++)
        if (views->wants[i] & WS_WANTS_ACTIVATIONS)
            status = hand_over(views, ranks, share, i);
    return status;
}

/* ---- similarity ---- */

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

/* `layer` holds the similarity. */
static int describe_units(const insitu_views *views, layer_view *layer)
{
    const size_t count = (size_t)layer->similarity.count;
    layer->dead = malloc(count * sizeof *layer->dead);
    layer->group = malloc(count * sizeof *layer->group);
    if (!layer->dead || !layer->group)
        return cnn_fail(CNN_NO_MEMORY, "no memory for the groups of %zu filters", count);
    return find_groups(views, layer);
}

static int measure(insitu_views *views, const cnn_ranks *ranks, int number)
{
    layer_view *layer = &views->layers[number];
    insitu_views_free_similarity(layer);
    int status = cnn_similarity_measure_shared(ranks, views->net, number, &views->probe.set, views->threads,
                                               &layer->similarity);
    if (!status && (!ranks || ranks->rank == 0))
        status = describe_units(views, layer);
    /* Rank 0 has done more than the others, who must know whether it goes on. */
    if (ranks)
        status = cnn_ranks_agree(ranks, status);
    layer->is_measured = status == CNN_OK;
    return status;
}

/* ---- all of it ---- */

/* What all ranks do alike, or this process alone. */
static int look(insitu_views *views, const cnn_ranks *ranks)
{
    if (!insitu_views_can_show(views))
        return CNN_OK;
    int status = choose_probe(views);
    if (ranks)
        status = cnn_ranks_agree(ranks, status);
    if (!status && is_wanted(views, WS_WANTS_ACTIVATIONS))
        status = see(views, ranks);
    for (int i = 0; i < views->net->layer_count && !status; i++)
        if (views->wants[i] & WS_WANTS_CORRELATION)
            status = measure(views, ranks, i);
    return status;
}

/* Rank 0, with the others. */
static int lead(insitu_views *views)
{
    const cnn_ranks *ranks = views->trainer->options.ranks;
    /* After a merge they do not have the network yet. */
    int status = cnn_trainer_tell(views->trainer);
    if (!status)
        status = cnn_order_give(ranks, LAUNCH_ORDER_LOOK, 0, views->trainer->step);
    if (!status)
        status = cnn_ranks_send(ranks, views->wants, (size_t)views->net->layer_count);
    return status ? status : look(views, ranks);
}

int insitu_views_prepare(insitu_views *views, const uint8_t *wanted)
{
    memcpy(views->wants, wanted, (size_t)views->net->layer_count);
    if (!views->trainer || !views->trainer->options.ranks)
        return look(views, NULL);
    const int status = lead(views);
    /* The step is done: what belongs to it comes out the same without the others. */
    return status == CNN_RANKS_FAILED ? look(views, NULL) : status;
}

int insitu_views_follow(insitu_views *views, const cnn_ranks *ranks)
{
    int status = cnn_ranks_send(ranks, views->wants, (size_t)views->net->layer_count);
    if (!status)
        status = look(views, ranks);
    insitu_views_forget(views);
    return status;
}
