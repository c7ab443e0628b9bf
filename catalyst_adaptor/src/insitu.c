/* SPDX-License-Identifier: BSD-3-Clause */
#include "backlog.h"
#include "clock.h"
#include "endpoint.h"
#include "pending.h"
#include "team.h"
#include "transport.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_SCRIPT_SECONDS 120
#define DEFAULT_OVERHEAD       0.02
#define LEAST_OVERHEAD         1e-6
#define LEAST_LIVE_RATE        0.1
#define MOST_LIVE_RATE         1000.0

struct ws_insitu {
    ws_options options; /* its texts are not kept */
    ws_log log;
    char *live; /* owned; NULL: nobody is dialled */
    ws_paths paths;
    ws_setup setup;
    ws_team team;
    ws_scripts scripts;
    ws_layers layers;
    ws_rank_rows ranks;
    ws_history *history;     /* NULL before the start */
    ws_transport *transport; /* NULL: nothing is shown */
    ws_pending *pending;     /* what is recorded; NULL: nothing */
    int has_lost;            /* a frame, for want of memory */
    volatile uint64_t next;  /* published */
    ws_frame frame, base;
    uint8_t *all, *wanted; /* owned: per layer, the weights of every convolution; what is wanted now */
    uint8_t *recorded;     /* owned: the same for the recording */
    ws_norms *norms;       /* owned: of one row */
    uint64_t generation;
    int is_reshaped;    /* a shape has changed, and nobody has been told yet */
    uint64_t last_step; /* of the last row */
    ws_scalars scalars;
    uint64_t frames;
    double seconds, dump_seconds;
};

static const ws_scalars no_scalars = {NAN, NAN, NAN, NAN, NAN, NAN, NAN};

static int check_options(const ws_options *options)
{
    if (options->size != sizeof *options)
        return ws_fail(WS_BAD_ARGUMENT, "ws_options.size is %u, this library's is %zu", options->size,
                       sizeof *options);
    if (options->script_count > 0 && !options->scripts)
        return ws_fail(WS_BAD_ARGUMENT, "ws_options: script_count is %u, scripts is NULL",
                       options->script_count);
    if (!(options->script_seconds >= 0 && options->script_seconds <= 1e6))
        return ws_fail(WS_BAD_ARGUMENT, "ws_options.script_seconds is %g, must be from 0 to 1e6",
                       options->script_seconds);
    if (!(options->overhead >= 0 && options->overhead <= 1))
        return ws_fail(WS_BAD_ARGUMENT, "ws_options.overhead is %g, must be from 0 to 1", options->overhead);
    if (options->transport < WS_SIDECAR || options->transport > WS_RECORD)
        return ws_fail(WS_BAD_ARGUMENT, "ws_options.transport is %d, must be from %d to %d",
                       options->transport, WS_SIDECAR, WS_RECORD);
    if (options->live && options->transport != WS_SIDECAR)
        return ws_fail(WS_BAD_ARGUMENT, "ws_options.live: \"%s\" is dialled with WS_SIDECAR only",
                       options->live);
    if (options->live && ws_endpoint_parse(options->live, &(ws_endpoint){{0}, 0}) != WS_OK)
        return WS_BAD_ARGUMENT;
    if (options->record && !options->folder)
        return ws_fail(WS_BAD_ARGUMENT, "ws_options.folder is NULL: a recording needs the folder of the run");
    if (options->rank >= options->ranks && (options->communicator || options->rank > 0))
        return ws_fail(WS_BAD_ARGUMENT, "ws_options.rank is %u, must be below ws_options.ranks, %u",
                       options->rank, options->ranks);
    return WS_OK;
}

/* Whether this rank hands over to another one, which has scripts, files and lines. */
static int follows(const ws_options *options)
{
    return options->communicator && options->rank > 0;
}

static void make_setup(ws_insitu *insitu)
{
    const ws_options *options = &insitu->options;
    insitu->setup = (ws_setup){.scripts = &insitu->scripts,
                               .layers = &insitu->layers,
                               .base = &insitu->base,
                               .ranks = &insitu->ranks,
                               .paths = &insitu->paths,
                               .script_seconds = options->script_seconds > 0 ? options->script_seconds
                                                                             : DEFAULT_SCRIPT_SECONDS,
                               .overhead = options->overhead > 0 ? options->overhead : DEFAULT_OVERHEAD,
                               .live_seconds = 1.0 / WS_LIVE_RATE,
                               .live = insitu->live,
                               .first_step = options->first_step,
                               .required = options->required,
                               .always = options->always,
                               .wait = options->wait,
                               .watchers = options->watchers,
                               .stop = options->stop,
                               .progress = options->progress,
                               .wait_context = options->wait_context,
                               .log = insitu->log};
}

/* What only a rank that draws has. */
static int take_own(ws_insitu *insitu, const ws_options *options)
{
    insitu->live = options->live ? strdup(options->live) : NULL;
    if (options->live && !insitu->live)
        return ws_fail(WS_NO_MEMORY, "no memory for \"%s\"", options->live);
    const int status =
        ws_scripts_parse(options->scripts, options->script_count, options->output, &insitu->scripts);
    return status ? status : ws_paths_of(options->folder, &insitu->paths);
}

int ws_insitu_create(const ws_options *options, ws_insitu **out)
{
    int status = check_options(options);
    if (status)
        return status;
    ws_insitu *insitu = calloc(1, sizeof *insitu);
    if (!insitu)
        return ws_fail(WS_NO_MEMORY, "no memory for a ws_insitu");
    insitu->options = *options;
    insitu->log = follows(options) ? ws_log_silent() : ws_log_of(options);
    insitu->next = WS_NEVER;
    insitu->scalars = no_scalars;
    if (follows(options)) {
        insitu->options.record = 0;
    } else {
        status = take_own(insitu, options);
    }
    make_setup(insitu);
    if (status == WS_OK && options->communicator)
        status = ws_team_load(options, &insitu->team);
    if (status) {
        ws_insitu_free(insitu);
        return status;
    }
    *out = insitu;
    return WS_OK;
}

int ws_insitu_add_layer(ws_insitu *insitu, const ws_layer *layer)
{
    if (insitu->history)
        return ws_fail(WS_BAD_ARGUMENT, "layer \"%s\": layers are added before the start", layer->name);
    return ws_layers_add(&insitu->layers, layer);
}

static ws_frame_plan plan_of(ws_insitu *insitu, const uint8_t *wanted, uint64_t step)
{
    ws_rank_rows_average(&insitu->ranks);
    return (ws_frame_plan){.layers = &insitu->layers,
                           .wanted = wanted,
                           .step = step,
                           .generation = insitu->generation,
                           .scalars = insitu->last_step == step ? &insitu->scalars : &no_scalars,
                           .ranks = &insitu->ranks};
}

static int fill_base(ws_insitu *insitu)
{
    ws_frame_plan plan =
        plan_of(insitu, insitu->all, insitu->history ? insitu->last_step : insitu->options.first_step);
    plan.is_base = 1;
    return ws_frame_fill(&insitu->base, &plan);
}

/* Rows are kept in memory only for whoever draws in this process. */
static int keeps_curve(const ws_insitu *insitu)
{
    return insitu->options.read_only || (insitu->transport && insitu->options.transport == WS_INLINE);
}

int ws_insitu_change_layer(ws_insitu *insitu, int index, const ws_layer *layer)
{
    if (!insitu->history)
        return ws_fail(WS_BAD_ARGUMENT, "layer \"%s\": layers are changed after the start", layer->name);
    int reshaped;
    const int status = ws_layers_change(&insitu->layers, index, layer, &reshaped);
    if (status == WS_OK && reshaped)
        insitu->is_reshaped = 1;
    return status;
}

/* After layers have changed their shapes, before anything else happens: one generation for all of them. */
static int settle(ws_insitu *insitu)
{
    if (!insitu->is_reshaped)
        return WS_OK;
    insitu->is_reshaped = 0;
    insitu->generation++;
    int status = fill_base(insitu);
    if (status == WS_OK && insitu->pending)
        status = ws_pending_base(insitu->pending, insitu->base.memory);
    if (status == WS_OK && insitu->transport && insitu->transport->reshape)
        status = insitu->transport->reshape(insitu->transport);
    return status;
}

static int open_history(ws_insitu *insitu)
{
    const ws_history_options options = {.path = insitu->paths.history,
                                        .first_step = insitu->options.first_step,
                                        .read_only = insitu->options.read_only,
                                        .keep_curve = keeps_curve(insitu),
                                        .log = insitu->log};
    const int status = ws_history_open(&options, &insitu->layers, &insitu->history);
    if (status == WS_OK)
        ws_history_last(insitu->history, &insitu->last_step, &insitu->scalars);
    return status;
}

/* A run goes on without pictures, unless they are required; bad scripts are the user's to mend. */
static int or_without_pictures(ws_insitu *insitu, int status)
{
    if (status == WS_OK)
        return WS_OK;
    if (insitu->transport)
        insitu->transport->end(insitu->transport);
    insitu->transport = NULL;
    if (status == WS_BAD_SCRIPT || status == WS_BAD_ARGUMENT || insitu->options.required)
        return status;
    ws_tell(&insitu->log, WS_LOG_WARNING, "training goes on without pictures: %s", ws_message());
    return WS_OK;
}

static int make_transport(ws_insitu *insitu)
{
    static int (*const create[])(const ws_setup *, ws_transport **) = {
        [WS_SIDECAR] = ws_sidecar_create, [WS_INLINE] = ws_inline_create, [WS_RECORD] = ws_unseen_create};
    const int watched =
        insitu->options.watchers && insitu->paths.folder && insitu->options.transport == WS_SIDECAR;
    if (follows(&insitu->options))
        return WS_OK;
    if (insitu->scripts.count == 0 && !watched && !insitu->live)
        return WS_OK;
    return or_without_pictures(insitu, create[insitu->options.transport](&insitu->setup, &insitu->transport));
}

static int start_transport(ws_insitu *insitu)
{
    if (!insitu->transport)
        return WS_OK;
    return or_without_pictures(insitu, insitu->transport->start(insitu->transport, insitu->history));
}

static int open_recording(ws_insitu *insitu)
{
    if (!insitu->options.record)
        return WS_OK;
    const int status =
        ws_pending_open(insitu->paths.recording, insitu->options.record, insitu->options.first_step,
                        insitu->history, &insitu->log, &insitu->pending);
    return status ? status : ws_pending_base(insitu->pending, insitu->base.memory);
}

/* The next step at which a frame is wanted, from `from` on. */
static uint64_t next_from(const ws_insitu *insitu, uint64_t from)
{
    const uint64_t drawn = insitu->transport ? insitu->transport->next(insitu->transport, from) : WS_NEVER;
    const uint64_t recorded = insitu->pending ? ws_pending_next(insitu->pending, from) : WS_NEVER;
    return drawn < recorded ? drawn : recorded;
}

static int reserve(ws_insitu *insitu)
{
    const uint32_t count = insitu->layers.count;
    insitu->all = calloc(count + 1, sizeof *insitu->all);
    insitu->wanted = calloc(count + 1, sizeof *insitu->wanted);
    insitu->recorded = calloc(count + 1, sizeof *insitu->recorded);
    insitu->norms = calloc(count + 1, sizeof *insitu->norms);
    if (!insitu->all || !insitu->wanted || !insitu->recorded || !insitu->norms)
        return ws_fail(WS_NO_MEMORY, "no memory for %u layers", count);
    for (uint32_t i = 0; i < count; i++)
        insitu->all[i] = insitu->layers.at[i].kind == WS_CONVOLUTION ? WS_WANTS_WEIGHTS : 0;
    return ws_layers_begin(&insitu->layers);
}

/* Publishes it: what rank 0 finds. */
static void find_next(ws_insitu *insitu, uint64_t from)
{
    uint64_t next = next_from(insitu, from);
    ws_team_share(&insitu->team, &next, sizeof next);
    insitu->next = next;
}

static int start(ws_insitu *insitu)
{
    int status = reserve(insitu);
    if (status == WS_OK)
        status = fill_base(insitu);
    /* Scripts first: opening the history cuts its later rows, and a bad script must change nothing. */
    if (status == WS_OK)
        status = make_transport(insitu);
    if (status == WS_OK && !insitu->options.read_only)
        status = ws_paths_make(&insitu->paths);
    if (status == WS_OK)
        status = open_history(insitu);
    /* Again: a resumed run's scalars have come with the history. */
    if (status == WS_OK)
        status = fill_base(insitu);
    if (status == WS_OK)
        status = open_recording(insitu);
    if (status == WS_OK)
        status = start_transport(insitu);
    return status;
}

int ws_insitu_start(ws_insitu *insitu)
{
    if (insitu->history)
        return ws_fail(WS_BAD_ARGUMENT, "ws_insitu_start was called twice");
    int status = ws_team_join(&insitu->team, &insitu->options);
    if (status == WS_OK)
        status = ws_team_agree(&insitu->team, start(insitu));
    if (status == WS_OK)
        find_next(insitu, insitu->options.first_step);
    return status;
}

const volatile uint64_t *ws_insitu_next(const ws_insitu *insitu)
{
    return &insitu->next;
}

static int check_row(const ws_insitu *insitu, const ws_row *row)
{
    if (row->size != sizeof *row)
        return ws_fail(WS_BAD_ARGUMENT, "ws_row.size is %u, this library's is %zu", row->size, sizeof *row);
    if (!insitu->history)
        return ws_fail(WS_BAD_ARGUMENT, "row of step %llu: not started", (unsigned long long)row->step);
    if (row->norm_count != 0 && row->norm_count != insitu->layers.count)
        return ws_fail(WS_BAD_ARGUMENT, "row of step %llu: %u norms, but there are %u layers",
                       (unsigned long long)row->step, row->norm_count, insitu->layers.count);
    return WS_OK;
}

/* The host's norms, or ours at a step that is shown. */
static const ws_norms *norms_of(ws_insitu *insitu, const ws_row *row)
{
    if (row->norm_count > 0)
        return row->norms;
    for (uint32_t i = 0; i < insitu->layers.count; i++)
        insitu->norms[i] = row->step >= insitu->next ? ws_layers_norms(&insitu->layers, &insitu->layers.at[i])
                                                     : (ws_norms){NAN, NAN, NAN};
    return insitu->norms;
}

static void keep_scalars(ws_insitu *insitu, const ws_row *row)
{
    insitu->last_step = row->step;
    insitu->scalars = (ws_scalars){row->epoch,
                                   row->time_s,
                                   row->loss,
                                   row->accuracy,
                                   row->learning_rate,
                                   row->validation_loss,
                                   row->validation_accuracy};
}

int ws_insitu_row(ws_insitu *insitu, const ws_row *row)
{
    const double began = ws_clock();
    int status = check_row(insitu, row);
    if (status || follows(&insitu->options))
        return status;
    status = settle(insitu);
    if (status)
        return status;
    /* A resumed run may tell its first step again: the history has it. */
    const int is_known =
        row->step == insitu->options.first_step && row->step == insitu->last_step && row->step > 0;
    if (!is_known)
        status = ws_history_append(insitu->history, row, norms_of(insitu, row));
    if (status == WS_OK || status == WS_IO_FAILED) {
        keep_scalars(insitu, row);
        if (insitu->pending && !is_known)
            ws_pending_row(insitu->pending, ws_history_last_row(insitu->history));
    }
    if (insitu->transport && insitu->transport->tick &&
        insitu->transport->tick(insitu->transport, row->step, began))
        insitu->next = row->step;
    insitu->seconds += ws_clock() - began;
    return status;
}

int ws_insitu_ranks(ws_insitu *insitu, const ws_rank *rows, uint32_t count)
{
    if (insitu->history && insitu->ranks.count == 0)
        return ws_fail(WS_BAD_ARGUMENT, "ws_insitu_ranks: was not called before ws_insitu_start");
    return ws_rank_rows_take(&insitu->ranks, rows, count);
}

/* Asks the host for what is not weights. */
static void prepare(ws_insitu *insitu, uint64_t step, const uint8_t *wanted)
{
    int is_more = 0;
    for (uint32_t i = 0; i < insitu->layers.count; i++)
        is_more |= wanted[i] & (int)insitu->layers.at[i].offers;
    if (!is_more || !insitu->options.prepare)
        return;
    insitu->options.prepare(insitu->options.prepare_context, step, wanted);
}

/* A recording has the weights of every layer, and what else is wanted anyway. */
static int record(ws_insitu *insitu, uint64_t step, const void *frame, int fits)
{
    if (!fits) {
        const ws_frame_plan plan = plan_of(insitu, insitu->recorded, step);
        const int status = ws_frame_fill(&insitu->frame, &plan);
        if (status)
            return status;
        frame = insitu->frame.memory;
    }
    ws_pending_add(insitu->pending, frame); /* a failure is told through the log, and costs no picture */
    return WS_OK;
}

/* What a step is wanted for; `wanted` of the ws_insitu has the rest. */
typedef struct purpose {
    int is_drawn, is_dump, is_recorded;
} purpose;

/* What rank 0 decides, on all ranks. */
static purpose decide(ws_insitu *insitu, uint64_t step)
{
    ws_transport *transport = insitu->transport;
    purpose found = {0};
    memset(insitu->wanted, 0, insitu->layers.count);
    found.is_drawn = transport && transport->wants(transport, step, insitu->wanted, &found.is_dump);
    found.is_recorded =
        insitu->pending && ws_pending_wants(insitu->pending, step, found.is_drawn && found.is_dump);
    for (uint32_t i = 0; found.is_recorded && i < insitu->layers.count; i++)
        insitu->wanted[i] |= insitu->all[i];
    ws_team_share(&insitu->team, &found, sizeof found);
    ws_team_share(&insitu->team, insitu->wanted, insitu->layers.count);
    return found;
}

/* Rank 0 gets what the others have of the images. */
static int gather_images(ws_insitu *insitu)
{
    int status = WS_OK;
    for (uint32_t i = 0; i < insitu->layers.count && status == WS_OK; i++)
        if (insitu->wanted[i] & WS_WANTS_ACTIVATIONS)
            status = ws_team_gather_images(&insitu->team, &insitu->layers, i);
    return status;
}

static int show(ws_insitu *insitu, uint64_t step, double began)
{
    ws_transport *transport = insitu->transport;
    int is_base = 0;
    const purpose found = decide(insitu, step);
    const int is_drawn = found.is_drawn, is_dump = found.is_dump, is_recorded = found.is_recorded;
    if (!is_drawn && !is_recorded)
        return WS_OK;
    prepare(insitu, step, insitu->wanted);
    int status = ws_team_agree(&insitu->team, settle(insitu));
    if (status == WS_OK)
        status = gather_images(insitu);
    if (status || follows(&insitu->options))
        return status;
    memcpy(insitu->recorded, insitu->wanted, insitu->layers.count);
    void *memory =
        is_drawn && transport->memory ? transport->memory(transport, insitu->wanted, &is_base) : NULL;
    ws_frame_plan plan = plan_of(insitu, insitu->wanted, step);
    plan.is_base = is_base;
    if (memory)
        ws_frame_write(memory, &plan);
    else
        status = ws_frame_fill(&insitu->frame, &plan);
    const void *frame = memory ? memory : insitu->frame.memory;
    if (status == WS_OK && is_recorded)
        status = record(insitu, step, frame,
                        !is_base && memcmp(insitu->recorded, insitu->wanted, insitu->layers.count) == 0);
    if (status)
        return status;
    insitu->frames++;
    if (is_drawn)
        status = transport->show(transport, frame, began);
    if (is_dump || is_recorded)
        insitu->dump_seconds += ws_clock() - began;
    return status;
}

/* A frame that there is no memory for; what else can fail has been told. */
static void tell_lost(ws_insitu *insitu, uint64_t step, int status)
{
    if (status != WS_NO_MEMORY)
        return;
    if (!insitu->has_lost)
        ws_tell(&insitu->log, WS_LOG_WARNING, "step %llu is not shown: %s", (unsigned long long)step,
                ws_message());
    insitu->has_lost = 1;
}

int ws_insitu_show(ws_insitu *insitu, uint64_t step)
{
    const double began = ws_clock();
    if (!insitu->history)
        return ws_fail(WS_BAD_ARGUMENT, "step %llu: not started", (unsigned long long)step);
    int status = ws_team_agree(&insitu->team, settle(insitu));
    if (status == WS_OK)
        status = ws_team_agree(&insitu->team, show(insitu, step, began));
    tell_lost(insitu, step, status);
    find_next(insitu, step + 1);
    insitu->seconds += ws_clock() - began;
    return status;
}

/* ---- Viewers that ask for something. */

int ws_insitu_poll(ws_insitu *insitu, ws_command *command)
{
    if (command->size != sizeof *command)
        return ws_fail(WS_BAD_ARGUMENT, "ws_command.size is %u, this library's is %zu", command->size,
                       sizeof *command);
    ws_transport *transport = insitu->transport;
    return transport && transport->command ? transport->command(transport, command) : 0;
}

int ws_insitu_is_held(const ws_insitu *insitu, char who[WS_VIEWER_SIZE])
{
    const ws_transport *transport = insitu->transport;
    return transport && transport->is_held ? transport->is_held(transport, who) : 0;
}

void ws_insitu_idle(ws_insitu *insitu)
{
    ws_transport *transport = insitu->transport;
    settle(insitu); /* a failure comes again with the next row */
    if (transport && transport->tick && transport->tick(transport, insitu->last_step, ws_clock()))
        insitu->next = insitu->last_step;
}

/* What a host may change while it runs: each within its limits. */
static int set_within(double *to, double value, const char *name, double least, double most)
{
    if (!(value >= least && value <= most))
        return ws_fail(WS_BAD_ARGUMENT, "%s: %g is not from %g to %g", name, value, least, most);
    *to = value;
    return WS_OK;
}

int ws_insitu_set(ws_insitu *insitu, const char *name, double value)
{
    if (strcmp(name, "overhead") == 0)
        return set_within(&insitu->setup.overhead, value, name, LEAST_OVERHEAD, 1);
    if (strcmp(name, "live_rate") != 0)
        return ws_fail(WS_BAD_ARGUMENT, "\"%s\" is not overhead or live_rate", name);
    double rate = WS_LIVE_RATE;
    const int status = set_within(&rate, value, name, LEAST_LIVE_RATE, MOST_LIVE_RATE);
    if (status == WS_OK)
        insitu->setup.live_seconds = 1 / rate;
    return status;
}

int ws_insitu_status(ws_insitu *insitu, const char *json)
{
    if (strnlen(json, WS_STATUS_BYTES) == WS_STATUS_BYTES)
        return ws_fail(WS_BAD_ARGUMENT, "status: has more than %d bytes", WS_STATUS_BYTES - 1);
    if (insitu->transport && insitu->transport->tell_status)
        insitu->transport->tell_status(insitu->transport, json);
    return WS_OK;
}

void ws_insitu_sync(ws_insitu *insitu)
{
    const double began = ws_clock();
    if (settle(insitu) != WS_OK)
        ws_tell(&insitu->log, WS_LOG_WARNING, "%s", ws_message());
    if (insitu->history)
        ws_history_sync(insitu->history);
    if (insitu->transport && insitu->transport->sync)
        insitu->transport->sync(insitu->transport);
    if (insitu->pending)
        ws_pending_sync(insitu->pending);
    insitu->seconds += ws_clock() - began;
}

/* A recording ends with the state that the run ends with. */
static void record_last(ws_insitu *insitu)
{
    if (!insitu->pending || ws_pending_has(insitu->pending, insitu->last_step))
        return;
    const ws_frame_plan plan = plan_of(insitu, insitu->all, insitu->last_step);
    const int status = ws_frame_fill(&insitu->frame, &plan);
    if (status == WS_OK)
        ws_pending_add(insitu->pending, insitu->frame.memory);
    tell_lost(insitu, insitu->last_step, status);
}

int ws_insitu_finish(ws_insitu *insitu)
{
    if (!insitu->history)
        return ws_fail(WS_BAD_ARGUMENT, "ws_insitu_finish: not started");
    const int status = settle(insitu);
    if (status)
        return status;
    record_last(insitu);
    ws_history_flush(insitu->history);
    if (!insitu->transport || !insitu->transport->finish)
        return WS_OK;
    return insitu->transport->finish(insitu->transport, insitu->last_step);
}

int ws_insitu_export(ws_insitu *insitu, uint64_t step, const char *folder)
{
    if (!insitu->history)
        return ws_fail(WS_BAD_ARGUMENT, "export of step %llu: not started", (unsigned long long)step);
    ws_place place;
    const ws_bridge_table *table;
    int status = settle(insitu);
    if (status == WS_OK)
        status = ws_place_find(&place);
    if (status == WS_OK)
        status = ws_place_load(&place, &table);
    for (uint32_t i = 0; i < insitu->layers.count; i++)
        insitu->wanted[i] = insitu->all[i] ? insitu->all[i] | (uint8_t)insitu->layers.at[i].offers : 0;
    prepare(insitu, step, insitu->wanted);
    const ws_frame_plan plan = plan_of(insitu, insitu->wanted, step);
    if (status == WS_OK)
        status = ws_frame_fill(&insitu->frame, &plan);
    if (status)
        return status;
    ws_history_view view;
    ws_history_look(insitu->history, &view);
    char problem[WS_PROBLEM_SIZE];
    status = table->export_channels(&(ws_scene){insitu->frame.memory, insitu->base.memory, &view}, folder,
                                    problem);
    return status ? ws_fail(status, "%s", problem) : WS_OK;
}

void ws_insitu_report(const ws_insitu *insitu, ws_report *report)
{
    const uint32_t size = report->size;
    ws_report full = {.frames = insitu->frames, .seconds = insitu->seconds};
    if (insitu->transport && insitu->transport->report)
        insitu->transport->report(insitu->transport, &full);
    full.files_failed = insitu->has_lost && insitu->pending;
    full.files_failed += insitu->history && ws_history_has_failed(insitu->history);
    if (insitu->pending)
        ws_pending_report(insitu->pending, &full);
    full.size = size;
    full.dump_seconds = insitu->dump_seconds;
    /* A host built against another version has a shorter or longer struct. */
    memcpy(report, &full, size < sizeof full ? size : sizeof full);
}

void ws_insitu_free(ws_insitu *insitu)
{
    if (!insitu)
        return;
    if (insitu->transport)
        insitu->transport->end(insitu->transport);
    ws_pending_close(insitu->pending);
    ws_history_close(insitu->history);
    ws_frame_free(&insitu->frame);
    ws_frame_free(&insitu->base);
    ws_layers_free(&insitu->layers);
    ws_rank_rows_free(&insitu->ranks);
    ws_team_leave(&insitu->team);
    ws_scripts_free(&insitu->scripts);
    ws_paths_free(&insitu->paths);
    free(insitu->live);
    free(insitu->all);
    free(insitu->wanted);
    free(insitu->recorded);
    free(insitu->norms);
    free(insitu);
}
