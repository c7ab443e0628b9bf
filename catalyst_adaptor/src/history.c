/* SPDX-License-Identifier: BSD-3-Clause */
#include "history.h"
#include "history_file.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_CAPACITY 1024
#define NO_STEP        UINT64_MAX

struct ws_history {
    const ws_layers *layers;
    ws_history_file *file; /* NULL: memory only */
    ws_log log;
    uint64_t first_step;
    uint64_t last_step; /* NO_STEP before the first row */
    size_t rows, capacity;
    uint32_t walks;        /* convolutions */
    uint32_t norm_columns; /* step, scalars, norms */
    uint32_t column_count; /* and w0, w1 */
    char (*names)[WS_COLUMN_NAME_MAX];
    const char **name_list, **layer_list;
    int32_t *kinds;
    double **columns;
    float **sketches;
    uint8_t *table; /* of the sketch; for the largest layer */
    size_t table_count;
    char *row; /* one, as in the file */
};

static const char *const scalar_names[WS_SCALAR_COLUMNS] = {
    "step", "epoch", "time_s", "loss", "accuracy", "learning_rate", "validation_loss", "validation_accuracy",
};
static const char *const norm_names[] = {"weight_l2", "gradient_l2", "distance_l2"};
static const char *const walk_names[] = {"w0", "w1"};

static size_t row_bytes(const ws_history *history)
{
    return history->column_count * sizeof(double) + history->walks * WS_SKETCH_CELLS * sizeof(float);
}

static void name_column(ws_history *history, uint32_t *next, const char *layer, const char *what)
{
    snprintf(history->names[(*next)++], WS_COLUMN_NAME_MAX, "%s_%s", layer, what);
}

static void name_columns(ws_history *history)
{
    uint32_t next = 0;
    while (next < WS_SCALAR_COLUMNS) {
        snprintf(history->names[next], WS_COLUMN_NAME_MAX, "%s", scalar_names[next]);
        next++;
    }
    const ws_layers *layers = history->layers;
    for (uint32_t i = 0; i < layers->count; i++)
        for (int j = 0; j < 3; j++)
            name_column(history, &next, layers->at[i].name, norm_names[j]);
    for (uint32_t i = 0; i < layers->count; i++)
        for (int j = 0; j < 2 && layers->at[i].kind == WS_CONVOLUTION; j++)
            name_column(history, &next, layers->at[i].name, walk_names[j]);
    for (uint32_t i = 0; i < history->column_count; i++)
        history->name_list[i] = history->names[i];
    for (uint32_t i = 0; i < layers->count; i++) {
        history->layer_list[i] = layers->at[i].name;
        history->kinds[i] = layers->at[i].kind;
    }
}

/* A head names all columns, so that two heads are equal only if their rows mean the same. Layer names need no
 * escapes. */
static char *make_head(const ws_history *history)
{
    static const char order = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? '<' : '>';
    char *text = NULL;
    size_t size;
    FILE *head = open_memstream(&text, &size);
    if (!head)
        return NULL;
    fprintf(head, "{\"version\": 1, \"columns\": [");
    for (uint32_t i = 0; i < history->column_count; i++)
        fprintf(head, "%s[\"%s\", \"%cf8\", 1]", i ? ", " : "", history->names[i], order);
    for (uint32_t i = 0; i < history->layers->count; i++)
        if (history->kinds[i] == WS_CONVOLUTION)
            fprintf(head, ", [\"%s_sketch\", \"%cf4\", %d]", history->layer_list[i], order, WS_SKETCH_CELLS);
    fprintf(head, "]}\n");
    if (fclose(head) == 0)
        return text;
    free(text);
    return NULL;
}

static int no_memory(void)
{
    return ws_fail(WS_NO_MEMORY, "no memory for the histories");
}

/* Makes room for one more row. */
static int reserve(ws_history *history)
{
    if (history->rows < history->capacity)
        return WS_OK;
    const size_t capacity = history->capacity ? 2 * history->capacity : FIRST_CAPACITY;
    for (uint32_t i = 0; i < history->column_count; i++) {
        double *grown = realloc(history->columns[i], capacity * sizeof *grown);
        if (!grown)
            return no_memory();
        history->columns[i] = grown;
    }
    for (uint32_t i = 0; i < history->walks; i++) {
        float *grown = realloc(history->sketches[i], capacity * WS_SKETCH_CELLS * sizeof *grown);
        if (!grown)
            return no_memory();
        history->sketches[i] = grown;
    }
    history->capacity = capacity;
    return WS_OK;
}

/* Copies a row of the file's layout into the columns. */
static int keep(ws_history *history, const char *row)
{
    const int status = reserve(history);
    if (status)
        return status;
    for (uint32_t i = 0; i < history->column_count; i++)
        memcpy(&history->columns[i][history->rows], row + i * sizeof(double), sizeof(double));
    row += history->column_count * sizeof(double);
    for (uint32_t i = 0; i < history->walks; i++)
        memcpy(history->sketches[i] + history->rows * WS_SKETCH_CELLS,
               row + i * WS_SKETCH_CELLS * sizeof(float), WS_SKETCH_CELLS * sizeof(float));
    history->last_step = (uint64_t)history->columns[0][history->rows++];
    return WS_OK;
}

static int rises(const ws_history *history, double step)
{
    return history->rows == 0 || step > history->columns[0][history->rows - 1];
}

static int read_row(void *context, const void *row)
{
    ws_history *history = context;
    double step;
    memcpy(&step, row, sizeof step);
    /* Written so that a step that is no number is not wanted either. */
    if (!(step >= 0 && step <= (double)history->first_step && rises(history, step)))
        return 0;
    const int status = keep(history, row);
    return status ? status : 1;
}

static int allocate(ws_history *history)
{
    const uint32_t layers = history->layers->count;
    history->names = calloc(history->column_count, sizeof *history->names);
    history->name_list = calloc(history->column_count, sizeof *history->name_list);
    history->layer_list = calloc(layers + 1, sizeof *history->layer_list);
    history->kinds = calloc(layers + 1, sizeof *history->kinds);
    history->columns = calloc(history->column_count, sizeof *history->columns);
    history->sketches = calloc(history->walks + 1, sizeof *history->sketches);
    history->row = malloc(row_bytes(history));
    return history->names && history->name_list && history->layer_list && history->kinds &&
                   history->columns && history->sketches && history->row
               ? WS_OK
               : no_memory();
}

static int open_file(ws_history *history, const ws_history_options *options)
{
    char *head = make_head(history);
    const size_t room = strlen(options->path) + 32;
    char *aside = malloc(room);
    int status = WS_OK;
    if (!head || !aside) {
        status = no_memory();
    } else {
        snprintf(aside, room, "%s.after-%llu", options->path, (unsigned long long)options->first_step);
        status = ws_history_file_open(options->path, aside, head, row_bytes(history), options->read_only,
                                      read_row, history, &history->file);
    }
    free(head);
    free(aside);
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
    history->last_step = NO_STEP;
    for (uint32_t i = 0; i < layers->count; i++)
        history->walks += layers->at[i].kind == WS_CONVOLUTION;
    history->norm_columns = WS_SCALAR_COLUMNS + 3 * layers->count;
    history->column_count = history->norm_columns + 2 * history->walks;
    int status = allocate(history);
    if (status == WS_OK) {
        name_columns(history);
        status = reserve(history);
    }
    if (status == WS_OK && options->path)
        status = open_file(history, options);
    if (status) {
        ws_history_close(history);
        return status;
    }
    *out = history;
    return WS_OK;
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
    const size_t count = ws_layer_count(layer);
    const int status = reserve_table(history, count);
    if (status)
        return status;
    const float *weight = ws_tensor_dense(&layer->weight, layers->scratch[0]);
    const float *initial = ws_tensor_dense(&layer->initial, layers->scratch[1]);
    first_two[0] = weight[0];
    first_two[1] = count > 1 ? (double)weight[1] : NAN;
    ws_sketch(history->table, weight, initial, count, sketch);
    return WS_OK;
}

static int write_row(ws_history *history, const ws_row *row, const ws_norms *norms)
{
    double *values = (double *)history->row;
    const double scalars[WS_SCALAR_COLUMNS] = {
        (double)row->step, row->epoch,         row->time_s,          row->loss,
        row->accuracy,     row->learning_rate, row->validation_loss, row->validation_accuracy};
    memcpy(values, scalars, sizeof scalars);
    memcpy(values + WS_SCALAR_COLUMNS, norms, history->layers->count * sizeof *norms);
    double *first_two = values + history->norm_columns;
    float *sketch = (float *)(values + history->column_count);
    for (uint32_t i = 0; i < history->layers->count; i++) {
        if (history->kinds[i] != WS_CONVOLUTION)
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
    ws_tell(&history->log, WS_LOG_WARNING, "%s; the histories are kept in memory only from here on",
            ws_message());
    ws_history_file_close(history->file);
    history->file = NULL;
    return status;
}

int ws_history_append(ws_history *history, const ws_row *row, const ws_norms *norms)
{
    if (!rises(history, (double)row->step))
        return ws_fail(WS_BAD_ARGUMENT, "row of step %llu: the last one was of step %llu, steps must rise",
                       (unsigned long long)row->step, (unsigned long long)history->last_step);
    int status = write_row(history, row, norms);
    if (status == WS_OK)
        status = keep(history, history->row);
    if (status == WS_OK && history->file)
        status = told(history, ws_history_file_append(history->file, history->row));
    return status;
}

int ws_history_flush(ws_history *history)
{
    return history->file ? told(history, ws_history_file_flush(history->file)) : WS_OK;
}

void ws_history_look(const ws_history *history, ws_history_view *view)
{
    *view = (ws_history_view){
        .rows = history->rows,
        .norms_from = history->rows > 0 && history->columns[0][0] == 0.0,
        .layer_count = history->layers->count,
        .layers = history->layer_list,
        .kinds = history->kinds,
        .norm_columns = history->norm_columns,
        .names = history->name_list,
        .columns = (const double *const *)history->columns,
        .sketches = (const float *const *)history->sketches,
    };
}

int ws_history_last(const ws_history *history, uint64_t *step, ws_scalars *scalars)
{
    if (history->rows == 0)
        return 0;
    const size_t row = history->rows - 1;
    double *const *columns = history->columns;
    *step = history->last_step;
    *scalars = (ws_scalars){columns[1][row], columns[2][row], columns[3][row], columns[4][row],
                            columns[5][row], columns[6][row], columns[7][row]};
    return 1;
}

void ws_history_close(ws_history *history)
{
    if (!history)
        return;
    ws_history_flush(history);
    ws_history_file_close(history->file);
    for (uint32_t i = 0; history->columns && i < history->column_count; i++)
        free(history->columns[i]);
    for (uint32_t i = 0; history->sketches && i < history->walks; i++)
        free(history->sketches[i]);
    free(history->names);
    free(history->name_list);
    free(history->layer_list);
    free(history->kinds);
    free(history->columns);
    free(history->sketches);
    free(history->table);
    free(history->row);
    free(history);
}
