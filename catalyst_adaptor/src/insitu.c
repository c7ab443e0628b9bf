/* SPDX-License-Identifier: BSD-3-Clause */
#include "pictures.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DEFAULT_SCRIPT_SECONDS 120

struct ws_insitu {
    ws_log log;
    char *history_path; /* owned; NULL: memory only */
    uint64_t first_step;
    double script_seconds;
    int required, read_only;
    ws_scripts scripts;
    ws_layers layers;
    ws_history *history; /* NULL before the start */
    ws_pictures pictures;
    volatile uint64_t next; /* published */
    ws_frame frame;
    uint8_t *all;    /* owned: per layer, 1 for a convolution */
    ws_norms *norms; /* owned: of one row */
    uint64_t generation;
    uint64_t last_step; /* of the last row */
    ws_scalars scalars;
    uint64_t frames;
    double seconds;
};

static const ws_scalars no_scalars = {NAN, NAN, NAN, NAN, NAN, NAN, NAN};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

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
    return WS_OK;
}

int ws_insitu_create(const ws_options *options, ws_insitu **out)
{
    int status = check_options(options);
    if (status)
        return status;
    ws_insitu *insitu = calloc(1, sizeof *insitu);
    if (!insitu)
        return ws_fail(WS_NO_MEMORY, "no memory for a ws_insitu");
    insitu->log = ws_log_of(options);
    insitu->first_step = options->first_step;
    insitu->script_seconds = options->script_seconds > 0 ? options->script_seconds : DEFAULT_SCRIPT_SECONDS;
    insitu->required = options->required;
    insitu->read_only = options->read_only;
    insitu->next = insitu->pictures.next = WS_NEVER;
    insitu->scalars = no_scalars;
    status = ws_scripts_parse(options->scripts, options->script_count, options->output, &insitu->scripts);
    if (status == WS_OK && options->history && !(insitu->history_path = strdup(options->history)))
        status = ws_fail(WS_NO_MEMORY, "no memory for the name of the history");
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

int ws_insitu_change_layer(ws_insitu *insitu, int index, const ws_layer *layer)
{
    if (!insitu->history)
        return ws_fail(WS_BAD_ARGUMENT, "layer \"%s\": layers are changed after the start", layer->name);
    int reshaped;
    const int status = ws_layers_change(&insitu->layers, index, layer, &reshaped);
    if (status == WS_OK && reshaped)
        insitu->generation++;
    return status;
}

static int open_history(ws_insitu *insitu)
{
    const ws_history_options options = {.path = insitu->history_path,
                                        .first_step = insitu->first_step,
                                        .read_only = insitu->read_only,
                                        .keep_curve = 1,
                                        .log = insitu->log};
    const int status = ws_history_open(&options, &insitu->layers, &insitu->history);
    if (status == WS_OK)
        ws_history_last(insitu->history, &insitu->last_step, &insitu->scalars);
    return status;
}

static int fill_frame(ws_insitu *insitu, const uint8_t *wanted, uint64_t step)
{
    const ws_scalars *scalars = insitu->last_step == step ? &insitu->scalars : &no_scalars;
    return ws_frame_fill(&insitu->frame, &insitu->layers, wanted, step, insitu->generation, scalars);
}

static ws_pictures_options pictures_options(const ws_insitu *insitu)
{
    return (ws_pictures_options){.scripts = &insitu->scripts,
                                 .layers = &insitu->layers,
                                 .frame = &insitu->frame,
                                 .script_seconds = insitu->script_seconds,
                                 .first_step = insitu->first_step,
                                 .required = insitu->required,
                                 .log = insitu->log};
}

/* A run goes on without pictures, unless they are required; bad scripts are the user's to mend. */
static int or_without_pictures(const ws_insitu *insitu, int status)
{
    if (status == WS_OK || status == WS_BAD_SCRIPT || insitu->required)
        return status;
    ws_tell(&insitu->log, WS_LOG_WARNING, "training goes on without pictures: %s", ws_message());
    return WS_OK;
}

/* *passed: scripts that can be used. */
static int try_pictures(ws_insitu *insitu, int *passed)
{
    int status = fill_frame(insitu, insitu->all, insitu->first_step);
    if (status)
        return status;
    const ws_pictures_options options = pictures_options(insitu);
    status = ws_pictures_try(&insitu->pictures, &options);
    *passed = status == WS_OK;
    return or_without_pictures(insitu, status);
}

static int start_pictures(ws_insitu *insitu)
{
    /* Again: a resumed run's scalars have come with the history. */
    int status = fill_frame(insitu, insitu->all, insitu->first_step);
    if (status)
        return status;
    const ws_pictures_options options = pictures_options(insitu);
    status = ws_pictures_start(&insitu->pictures, &options, insitu->history);
    insitu->next = insitu->pictures.next;
    return or_without_pictures(insitu, status);
}

int ws_insitu_start(ws_insitu *insitu)
{
    if (insitu->history)
        return ws_fail(WS_BAD_ARGUMENT, "ws_insitu_start was called twice");
    insitu->all = calloc(insitu->layers.count + 1, sizeof *insitu->all);
    insitu->norms = calloc(insitu->layers.count + 1, sizeof *insitu->norms);
    if (!insitu->all || !insitu->norms)
        return ws_fail(WS_NO_MEMORY, "no memory for %u layers", insitu->layers.count);
    for (uint32_t i = 0; i < insitu->layers.count; i++)
        insitu->all[i] = insitu->layers.at[i].kind == WS_CONVOLUTION;
    int status = ws_layers_begin(&insitu->layers), passed = 0;
    /* Scripts first: opening the history cuts its later rows, and a bad script must change nothing. */
    if (status == WS_OK && insitu->scripts.count > 0)
        status = try_pictures(insitu, &passed);
    if (status == WS_OK)
        status = open_history(insitu);
    if (status == WS_OK && passed)
        status = start_pictures(insitu);
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

int ws_insitu_row(ws_insitu *insitu, const ws_row *row)
{
    const double began = now();
    int status = check_row(insitu, row);
    if (status)
        return status;
    /* A resumed run may tell its first step again: the history has it. */
    const int is_known = row->step == insitu->first_step && row->step == insitu->last_step && row->step > 0;
    if (!is_known)
        status = ws_history_append(insitu->history, row, norms_of(insitu, row));
    if (status == WS_OK || status == WS_IO_FAILED) {
        insitu->last_step = row->step;
        insitu->scalars = (ws_scalars){row->epoch,
                                       row->time_s,
                                       row->loss,
                                       row->accuracy,
                                       row->learning_rate,
                                       row->validation_loss,
                                       row->validation_accuracy};
    }
    insitu->seconds += now() - began;
    return status;
}

static int show(ws_insitu *insitu, uint64_t step)
{
    const int status = fill_frame(insitu, insitu->pictures.wanted, step);
    if (status)
        return status;
    ws_history_flush(insitu->history); /* a failure is told through the log, and costs no picture */
    ws_history_view view;
    ws_history_look(insitu->history, &view);
    insitu->frames++;
    return ws_pictures_show(&insitu->pictures, &(ws_scene){insitu->frame.memory, &view}, &insitu->log);
}

int ws_insitu_show(ws_insitu *insitu, uint64_t step)
{
    const double began = now();
    const int status = ws_pictures_are_wanted(&insitu->pictures, step) ? show(insitu, step) : WS_OK;
    insitu->next = insitu->pictures.next;
    insitu->seconds += now() - began;
    return status;
}

int ws_insitu_export(ws_insitu *insitu, uint64_t step, const char *folder)
{
    if (!insitu->history)
        return ws_fail(WS_BAD_ARGUMENT, "export of step %llu: not started", (unsigned long long)step);
    ws_place place;
    const ws_bridge_table *table;
    int status = ws_place_find(&place);
    if (status == WS_OK)
        status = ws_place_load(&place, &table);
    if (status == WS_OK)
        status = fill_frame(insitu, insitu->all, step);
    if (status)
        return status;
    ws_history_view view;
    ws_history_look(insitu->history, &view);
    char problem[WS_PROBLEM_SIZE];
    status = table->export_channels(&(ws_scene){insitu->frame.memory, &view}, folder, problem);
    return status ? ws_fail(status, "%s", problem) : WS_OK;
}

void ws_insitu_report(const ws_insitu *insitu, ws_report *report)
{
    ws_bridge_counts counts;
    ws_pictures_counts(&insitu->pictures, &counts);
    const uint32_t size = report->size;
    const ws_report full = {.size = size,
                            .pictures = insitu->pictures.bridge != NULL,
                            .frames = insitu->frames,
                            .images_written = counts.images_written,
                            .images_expected = counts.images_expected,
                            .script_failures = counts.script_failures,
                            .seconds = insitu->seconds};
    /* A host built against another version has a shorter or longer struct. */
    memcpy(report, &full, size < sizeof full ? size : sizeof full);
}

void ws_insitu_free(ws_insitu *insitu)
{
    if (!insitu)
        return;
    ws_pictures_end(&insitu->pictures);
    ws_history_close(insitu->history);
    ws_frame_free(&insitu->frame);
    ws_layers_free(&insitu->layers);
    ws_scripts_free(&insitu->scripts);
    free(insitu->history_path);
    free(insitu->all);
    free(insitu->norms);
    free(insitu);
}
