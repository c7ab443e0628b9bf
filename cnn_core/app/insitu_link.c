/* SPDX-License-Identifier: BSD-3-Clause */
#include "insitu_link.h"
#include "tell.h"
#include "text.h"
#include <stdlib.h>

struct insitu_link {
    ws_insitu *insitu;
    const cnn_net *net;
    ws_norms *norms; /* of a row, one per layer with parameters */
};

void insitu_tell(void *context, ws_log_level level, const char *line)
{
    (void)context;
    if (level == WS_LOG_ERROR)
        tell_error("%s", line);
    else
        tell_warning("%s", line);
}

/* Returns the layer's index, or a status. */
static int add_layer(ws_insitu *insitu, const cnn_layer *layer)
{
    const int is_convolution = layer->kind == CNN_CONV;
    const ws_layer described = {
        .size = sizeof described,
        .kind = is_convolution ? WS_CONVOLUTION : WS_OTHER,
        .name = layer->name,
        .shape = {(int64_t)layer->bias_count, (int64_t)(layer->weight_count / layer->bias_count), 1, 1},
        .weight = layer->weight,
        .gradient = layer->weight_gradient,
        .initial = layer->weight_initial,
    };
    ws_layer tiled = described;
    if (is_convolution) {
        tiled.shape[1] = layer->in.c;
        tiled.shape[2] = layer->kernel_h;
        tiled.shape[3] = layer->kernel_w;
    }
    return ws_insitu_add_layer(insitu, &tiled);
}

static int start(ws_insitu *insitu, const cnn_net *net)
{
    for (int i = 0; i < net->layer_count; i++) {
        const int index = cnn_layer_has_parameters(&net->layers[i]) ? add_layer(insitu, &net->layers[i]) : 0;
        if (index < 0)
            return index;
    }
    return ws_insitu_start(insitu);
}

int insitu_link_open(const insitu_plan *plan, const cnn_net *net, insitu_link **out)
{
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
                                .log = insitu_tell};
    ws_insitu *insitu;
    int status = ws_insitu_create(&options, &insitu);
    if (status)
        return status;
    status = start(insitu, net);
    if (status) {
        ws_insitu_free(insitu);
        return status;
    }
    insitu_link *link = memory_of(1, sizeof *link);
    *link = (insitu_link){insitu, net, memory_of((size_t)net->layer_count, sizeof *link->norms)};
    *out = link;
    return WS_OK;
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
    return ws_insitu_row(link->insitu, &row);
}

void insitu_link_frame(insitu_link *link, uint64_t step)
{
    ws_insitu_show(link->insitu, step);
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
    free(link->norms);
    free(link);
}
