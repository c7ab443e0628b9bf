/* SPDX-License-Identifier: BSD-3-Clause */
#include "insitu_link.h"
#include "cnn/status.h"
#include "tell.h"
#include "text.h"
#include <math.h>
#include <stdlib.h>

struct insitu_link {
    ws_insitu *insitu;
    cnn_net *net;
    insitu_views *views;
    const merged_filters *merged; /* NULL: not shown */
    uint8_t *wants;               /* [layers of the network] of a step */
    ws_norms *norms;              /* of a row, one per layer with parameters */
    ws_rank *ranks;               /* [rank_count], of a row */
    int rank_count;               /* 0: they are not shown */
    int has_views;                /* something was computed for the step that is shown */
    int has_told_views;           /* that it could not be */
};

void insitu_tell(void *context, ws_log_level level, const char *line)
{
    (void)context;
    if (level == WS_LOG_ERROR)
        tell_error("%s", line);
    else
        tell_warning("%s", line);
}

/* Where the input channels of a convolution come from: the filters of the one before. */
static const int32_t *channel_source(const cnn_net *net, int number)
{
    for (int i = number - 1; i >= 0; i--)
        if (net->layers[i].kind == CNN_CONV)
            return net->layers[i].source;
    return NULL;
}

static ws_layer describe(const insitu_link *link, int number)
{
    const cnn_layer *layer = &link->net->layers[number];
    const int is_convolution = layer->kind == CNN_CONV;
    ws_layer described = {
        .size = sizeof described,
        .kind = is_convolution ? WS_CONVOLUTION : WS_OTHER,
        .name = layer->name,
        .shape = {(int64_t)layer->bias_count, (int64_t)(layer->weight_count / layer->bias_count), 1, 1},
        .weight = layer->weight,
        .gradient = layer->weight_gradient,
        .initial = layer->weight_initial,
    };
    if (!is_convolution)
        return described;
    described.shape[1] = layer->in.c;
    described.shape[2] = layer->kernel_h;
    described.shape[3] = layer->kernel_w;
    described.source_channel = channel_source(link->net, number);
    insitu_views_describe(link->views, number, &described);
    if (link->merged)
        merged_filters_describe(link->merged, link->net, number, &described);
    return described;
}

/* Calls for each layer with parameters; `index` counts them, as the adaptor does. The first status below 0
 * ends it. */
static int for_each_layer(insitu_link *link, int (*call)(insitu_link *link, int index, const ws_layer *layer))
{
    int index = 0;
    for (int i = 0; i < link->net->layer_count; i++) {
        if (!cnn_layer_has_parameters(&link->net->layers[i]))
            continue;
        const ws_layer layer = describe(link, i);
        const int status = call(link, index++, &layer);
        if (status < 0)
            return status;
    }
    return WS_OK;
}

static int add(insitu_link *link, int index, const ws_layer *layer)
{
    (void)index;
    return ws_insitu_add_layer(link->insitu, layer);
}

static int change(insitu_link *link, int index, const ws_layer *layer)
{
    return ws_insitu_change_layer(link->insitu, index, layer);
}

/* Somebody wants to see more than weights at this step. What fails is told once, and not shown. */
static void prepare(void *context, uint64_t step, const uint8_t *wanted)
{
    insitu_link *link = context;
    uint32_t index = 0;
    for (int i = 0; i < link->net->layer_count; i++)
        link->wants[i] = cnn_layer_has_parameters(&link->net->layers[i]) ? wanted[index++] : 0;
    const int status = insitu_views_prepare(link->views, link->wants);
    if (status && !link->has_told_views)
        tell_warning("step %llu: %s; it is not shown", (unsigned long long)step, cnn_message());
    link->has_told_views |= status != CNN_OK;
    link->has_views = 1;
    for_each_layer(link, change);
}

/* What each rank had of a step; NULL: there was none yet. */
static int tell_ranks(insitu_link *link, const cnn_step *step)
{
    for (int i = 0; i < link->rank_count; i++) {
        const cnn_rank_row *row = step ? &step->ranks[i] : NULL;
        link->ranks[i] = (ws_rank){.size = sizeof *link->ranks,
                                   .rank = (uint32_t)i,
                                   .images = row ? row->images : 0,
                                   .loss = row ? cnn_rank_row_loss(row) : NAN,
                                   .gradient_norm = row ? cnn_rank_row_gradient(row, step->batch) : NAN,
                                   .step_seconds = row ? row->busy_seconds + row->wait_seconds : NAN,
                                   .wait_seconds = row ? row->wait_seconds : NAN};
    }
    return link->rank_count ? ws_insitu_ranks(link->insitu, link->ranks, (uint32_t)link->rank_count) : WS_OK;
}

static int start(insitu_link *link)
{
    int status = for_each_layer(link, add);
    if (!status)
        status = tell_ranks(link, NULL);
    return status ? status : ws_insitu_start(link->insitu);
}

int insitu_link_open(const insitu_plan *plan, cnn_net *net, insitu_link **out)
{
    insitu_link *link = memory_of(1, sizeof *link);
    *link = (insitu_link){.net = net,
                          .views = insitu_views_open(&plan->views, net),
                          .merged = plan->merged,
                          .wants = memory_of((size_t)net->layer_count, 1),
                          .norms = memory_of((size_t)net->layer_count, sizeof *link->norms),
                          .ranks = memory_of((size_t)plan->ranks + 1, sizeof *link->ranks),
                          .rank_count = plan->ranks};
    uint32_t count = 0;
    while (plan->scripts && plan->scripts[count])
        count++;
    const ws_options options = {.size = sizeof options,
                                .script_count = count,
                                .scripts = plan->scripts,
                                .output = plan->images,
                                .folder = plan->folder,
                                .first_step = plan->first_step,
                                .required = plan->required,
                                .read_only = plan->read_only,
                                .transport = plan->transport,
                                .wait = plan->wait,
                                .always = plan->always,
                                .watchers = plan->watchers,
                                .overhead = plan->overhead,
                                .record = plan->record,
                                .live = plan->live,
                                .stop = plan->stop,
                                .progress = plan->progress,
                                .wait_context = plan->context,
                                .prepare = prepare,
                                .prepare_context = link,
                                .log = insitu_tell};
    int status = ws_insitu_create(&options, &link->insitu);
    if (!status)
        status = start(link);
    if (status) {
        insitu_link_close(link);
        return status;
    }
    *out = link;
    return WS_OK;
}

int insitu_link_change(insitu_link *link, cnn_net *net)
{
    insitu_views_change(link->views, net);
    link->net = net;
    return for_each_layer(link, change);
}

void insitu_link_use(insitu_link *link, cnn_threads *threads)
{
    insitu_views_use(link->views, threads);
}

void insitu_link_share(insitu_link *link, cnn_trainer *trainer)
{
    insitu_views_share(link->views, trainer);
}

void insitu_link_set_threshold(insitu_link *link, double threshold)
{
    insitu_views_set_threshold(link->views, threshold);
}

const volatile uint64_t *insitu_link_next(const insitu_link *link)
{
    return ws_insitu_next(link->insitu);
}

int insitu_link_row(insitu_link *link, const cnn_step *step, const insitu_times *times)
{
    uint32_t count = 0;
    for (int i = 0; i < link->net->layer_count; i++)
        if (cnn_layer_has_parameters(&link->net->layers[i]))
            link->norms[count++] =
                (ws_norms){step->norms[i].weight, step->norms[i].gradient, step->norms[i].distance};
    const ws_row row = {.size = sizeof row,
                        .norm_count = count,
                        .step = step->step,
                        .epoch = step->epoch,
                        .time_s = times->time_s,
                        .loss = step->loss,
                        .accuracy = step->accuracy,
                        .learning_rate = step->learning_rate,
                        .validation_loss = times->validation->loss,
                        .validation_accuracy = times->validation->accuracy,
                        .norms = link->norms};
    const int status = step->ranks && step->rank_count == link->rank_count ? tell_ranks(link, step) : WS_OK;
    return status ? status : ws_insitu_row(link->insitu, &row);
}

void insitu_link_frame(insitu_link *link, uint64_t step)
{
    ws_insitu_show(link->insitu, step);
    if (!link->has_views)
        return;
    /* Groups of this step are none of the next one. */
    link->has_views = 0;
    insitu_views_forget(link->views);
    for_each_layer(link, change);
}

int insitu_link_poll(insitu_link *link, ws_command *command)
{
    *command = (ws_command){.size = sizeof *command};
    return ws_insitu_poll(link->insitu, command) == 1;
}

int insitu_link_is_held(const insitu_link *link, char who[WS_VIEWER_SIZE])
{
    return ws_insitu_is_held(link->insitu, who);
}

void insitu_link_idle(insitu_link *link)
{
    ws_insitu_idle(link->insitu);
}

int insitu_link_set(insitu_link *link, const char *name, double value)
{
    return ws_insitu_set(link->insitu, name, value);
}

int insitu_link_status(insitu_link *link, const char *json)
{
    return ws_insitu_status(link->insitu, json);
}

void insitu_link_sync(insitu_link *link)
{
    ws_insitu_sync(link->insitu);
}

int insitu_link_finish(insitu_link *link)
{
    return ws_insitu_finish(link->insitu);
}

int insitu_link_export(insitu_link *link, uint64_t step, const char *folder)
{
    return ws_insitu_export(link->insitu, step, folder);
}

ws_report insitu_link_report(const insitu_link *link)
{
    ws_report report = {.size = sizeof report};
    ws_insitu_report(link->insitu, &report);
    return report;
}

void insitu_link_close(insitu_link *link)
{
    if (!link)
        return;
    ws_insitu_free(link->insitu);
    insitu_views_close(link->views);
    free(link->wants);
    free(link->norms);
    free(link->ranks);
    free(link);
}
