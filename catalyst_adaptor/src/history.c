/* SPDX-License-Identifier: BSD-3-Clause */
#include "history.h"
#include "history_file.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct ws_history {
    const ws_layers *layers;
    ws_row_layout layout;
    ws_history_file *file; /* NULL: no file */
    int has_failed;        /* there was one */
    ws_curve *curve;       /* NULL: rows are not kept */
    ws_log log;
    uint64_t first_step;
    uint64_t last_step; /* WS_NO_STEP before the first row */
    char *last,
        *next;      /* owned: two rows; last is the last one taken, next where the one after it is written */
    uint8_t *table; /* of the sketch; for the largest layer */
    size_t table_count;
};

static int no_memory(void)
{
    return ws_fail(WS_NO_MEMORY, "no memory for the histories");
}

static int rises(const ws_history *history, uint64_t step)
{
    return history->last_step == WS_NO_STEP || step > history->last_step;
}

/* Takes a row whose step rises as the last one. */
static int keep(ws_history *history, const void *row)
{
    const int status = history->curve ? ws_curve_append(history->curve, row) : WS_OK;
    if (status)
        return status;
    memcpy(history->last, row, history->layout.row_bytes);
    history->last_step = ws_row_step(row);
    return WS_OK;
}

static int read_row(void *context, const void *row)
{
    ws_history *history = context;
    const uint64_t step = ws_row_step(row);
    if (step == WS_NO_STEP || step > history->first_step || !rises(history, step))
        return 0;
    const int status = keep(history, row);
    return status ? status : 1;
}

static int open_file(ws_history *history, const ws_history_options *options)
{
    const size_t room = strlen(options->path) + 32;
    char *aside = malloc(room);
    if (!aside)
        return no_memory();
    snprintf(aside, room, "%s.after-%llu", options->path, (unsigned long long)options->first_step);
    const int status =
        ws_history_file_open(options->path, aside, history->layout.head, history->layout.row_bytes,
                             options->read_only, read_row, history, &history->file);
    free(aside);
    return status;
}

static int begin(ws_history *history, const ws_history_options *options)
{
    int status = ws_row_layout_of(history->layers, &history->layout);
    if (status)
        return status;
    history->last = malloc(history->layout.row_bytes);
    history->next = malloc(history->layout.row_bytes);
    if (!history->last || !history->next)
        return no_memory();
    if (options->keep_curve)
        status = ws_curve_create(&history->layout, &history->curve);
    if (status == WS_OK && options->path)
        status = open_file(history, options);
    return status;
}

int ws_history_open(const ws_history_options *options, const ws_layers *layers, ws_history **out)
{
    ws_history *history = calloc(1, sizeof *history);
    if (!history)
        return no_memory();
    history->layers = layers;
    history->log = options->log;
    history->first_step = options->first_step;
    history->last_step = WS_NO_STEP;
    const int status = begin(history, options);
    if (status)
        ws_history_close(history);
    else
        *out = history;
    return status;
}

const ws_row_layout *ws_history_layout(const ws_history *history)
{
    return &history->layout;
}

const void *ws_history_last_row(const ws_history *history)
{
    return history->last_step == WS_NO_STEP ? NULL : history->last;
}

/* Filters keep their cells and signs when others are merged away. */
static ws_sketch_places places_of(const ws_layer_arrays *layer)
{
    const int64_t *shape = layer->weight.shape;
    return (ws_sketch_places){.rows = (size_t)shape[0],
                              .columns = (size_t)shape[1],
                              .each = (size_t)(shape[2] * shape[3]),
                              .whole_columns = (size_t)layer->whole[1],
                              .row = layer->source,
                              .column = layer->source_channel};
}

/* Layers may have grown since the table was made. */
static int reserve_table(ws_history *history, size_t count)
{
    if (count <= history->table_count)
        return WS_OK;
    uint8_t *table = realloc(history->table, count);
    if (!table)
        return no_memory();
    ws_sketch_table(table, count);
    history->table = table;
    history->table_count = count;
    return WS_OK;
}

static int write_walk(ws_history *history, const ws_layer_arrays *layer, double *first_two, float *sketch)
{
    const ws_layers *layers = history->layers;
    const ws_sketch_places places = places_of(layer);
    const int status = reserve_table(history, ws_sketch_places_count(&places));
    if (status)
        return status;
    const float *weight = ws_tensor_dense(&layer->weight, layers->scratch[0]);
    const float *initial = ws_tensor_dense(&layer->initial, layers->scratch[1]);
    first_two[0] = weight[0];
    first_two[1] = ws_layer_count(layer) > 1 ? (double)weight[1] : NAN;
    ws_sketch(history->table, &places, weight, initial, sketch);
    return WS_OK;
}

static int write_row(ws_history *history, const ws_row *row, const ws_norms *norms)
{
    double *values = (double *)history->next;
    const double scalars[WS_SCALAR_COLUMNS] = {
        (double)row->step, row->epoch,         row->time_s,          row->loss,
        row->accuracy,     row->learning_rate, row->validation_loss, row->validation_accuracy};
    memcpy(values, scalars, sizeof scalars);
    memcpy(values + WS_SCALAR_COLUMNS, norms, history->layers->count * sizeof *norms);
    double *first_two = values + history->layout.norm_columns;
    float *sketch = (float *)(values + history->layout.column_count);
    for (uint32_t i = 0; i < history->layers->count; i++) {
        if (history->layout.kinds[i] != WS_CONVOLUTION)
            continue;
        const int status = write_walk(history, &history->layers->at[i], first_two, sketch);
        if (status)
            return status;
        first_two += 2;
        sketch += WS_SKETCH_CELLS;
    }
    return WS_OK;
}

/* The run goes on without the file; a row torn by the failure is cut off when it is next opened. */
static int told(ws_history *history, int status)
{
    if (status == WS_OK)
        return WS_OK;
    ws_tell(&history->log, WS_LOG_WARNING, "%s; the histories are %s from here on", ws_message(),
            history->curve ? "kept in memory only" : "lost");
    ws_history_file_close(history->file);
    history->file = NULL;
    history->has_failed = 1;
    return status;
}

static int check_step(const ws_history *history, uint64_t step)
{
    if (step > WS_STEP_MOST)
        return ws_fail(WS_BAD_ARGUMENT, "row of step %llu: steps go up to %llu", (unsigned long long)step,
                       (unsigned long long)WS_STEP_MOST);
    if (!rises(history, step))
        return ws_fail(WS_BAD_ARGUMENT, "row of step %llu: the last one was of step %llu, steps must rise",
                       (unsigned long long)step, (unsigned long long)history->last_step);
    return WS_OK;
}

int ws_history_append(ws_history *history, const ws_row *row, const ws_norms *norms)
{
    int status = check_step(history, row->step);
    if (status == WS_OK)
        status = write_row(history, row, norms);
    if (status == WS_OK)
        status = keep(history, history->next);
    if (status == WS_OK && history->file)
        status = told(history, ws_history_file_append(history->file, history->last));
    return status;
}

int ws_history_flush(ws_history *history)
{
    return history->file ? told(history, ws_history_file_flush(history->file)) : WS_OK;
}

int ws_history_sync(ws_history *history)
{
    return history->file ? told(history, ws_history_file_sync(history->file)) : WS_OK;
}

int ws_history_rows(const ws_history *history, uint64_t step, int (*read)(void *context, const void *row),
                    void *context)
{
    return history->file ? ws_history_file_rows(history->file, step, read, context) : WS_OK;
}

int ws_history_has_failed(const ws_history *history)
{
    return history->has_failed;
}

void ws_history_look(const ws_history *history, ws_history_view *view)
{
    if (history->curve) {
        ws_curve_look(history->curve, view);
        return;
    }
    *view = (ws_history_view){
        .layer_count = history->layout.layer_count,
        .layers = history->layout.layers,
        .kinds = history->layout.kinds,
        .norm_columns = history->layout.norm_columns,
        .names = history->layout.names,
    };
}

int ws_history_last(const ws_history *history, uint64_t *step, ws_scalars *scalars)
{
    if (history->last_step == WS_NO_STEP)
        return 0;
    *step = history->last_step;
    ws_row_scalars(history->last, scalars);
    return 1;
}

void ws_history_close(ws_history *history)
{
    if (!history)
        return;
    ws_history_flush(history);
    ws_history_file_close(history->file);
    ws_curve_free(history->curve);
    ws_row_layout_free(&history->layout);
    free(history->table);
    free(history->last);
    free(history->next);
    free(history);
}
