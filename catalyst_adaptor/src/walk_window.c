/* SPDX-License-Identifier: BSD-3-Clause */
#include "walk_window.h"
#include "history_file.h"
#include "message.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#define CHUNK_BYTES ((size_t)1 << 18)

/* What is known of the rows so far. */
typedef struct reading {
    const char *path;
    const ws_row_layout *layout;
    int descriptor;
    uint64_t rows_at; /* byte of the first row */
    uint64_t from, to, early;
    uint64_t before;                       /* step of the row before; WS_NO_STEP */
    int is_broken;                         /* a step is missing */
    uint64_t rows;                         /* in the window */
    uint64_t *gradients, *early_gradients; /* how many, per layer */
    float *first, *last;                   /* sketches of the window's ends so far */
    char *chunk;
    ws_walk_window *windows;
} reading;

static void take_norms(reading *of, const double *values, int is_early)
{
    for (uint32_t i = 0; i < of->layout->layer_count; i++) {
        const double *norms = values + WS_SCALAR_COLUMNS + 3 * i;
        ws_walk_window *window = &of->windows[i];
        const int has_gradient = isfinite(norms[1]);
        if (is_early && has_gradient) {
            window->early_gradient += norms[1];
            of->early_gradients[i]++;
        } else if (!is_early) {
            window->weight += norms[0];
            window->gradient += has_gradient ? norms[1] : 0;
            of->gradients[i] += has_gradient;
        }
    }
}

static double distance(const float *a, const float *b)
{
    double sum = 0;
    for (int i = 0; i < WS_SKETCH_CELLS; i++)
        sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    return sqrt(sum);
}

static void take_walks(reading *of, const float *sketch)
{
    uint32_t walk = 0;
    for (uint32_t i = 0; i < of->layout->layer_count; i++) {
        if (of->layout->kinds[i] != WS_CONVOLUTION)
            continue;
        float *first = of->first + walk * WS_SKETCH_CELLS, *last = of->last + walk * WS_SKETCH_CELLS;
        if (of->rows == 0)
            memcpy(first, sketch, WS_SKETCH_CELLS * sizeof *sketch);
        else
            of->windows[i].path += distance(last, sketch);
        of->windows[i].net = distance(first, sketch);
        memcpy(last, sketch, WS_SKETCH_CELLS * sizeof *sketch);
        sketch += WS_SKETCH_CELLS;
        walk++;
    }
}

static int take(reading *of, const char *row)
{
    const uint64_t step = ws_row_step(row);
    if (step == WS_NO_STEP || (of->before != WS_NO_STEP && step <= of->before))
        return ws_fail(WS_BAD_FILE, "%s: a row's step is not above that of the row before", of->path);
    const double *values = (const double *)row; /* chunks are aligned, and so is the size of rows */
    const int is_early = step >= 1 && step <= of->early;
    if (is_early)
        take_norms(of, values, 1);
    if (step >= of->from) {
        of->is_broken |= of->rows > 0 && step != of->before + 1;
        take_norms(of, values, 0);
        take_walks(of, (const float *)(values + of->layout->column_count));
        of->rows++;
    }
    of->before = step;
    return WS_OK;
}

/* The first row whose step is not below `step`, of `count`. */
static int find_row(reading *of, uint64_t count, uint64_t step, uint64_t *out)
{
    uint64_t low = 0, high = count;
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        double value;
        if (ws_history_file_read(of->descriptor, &value, sizeof value,
                                 of->rows_at + middle * of->layout->row_bytes) != (ssize_t)sizeof value)
            return ws_fail(WS_IO_FAILED, "%s: was cut while it was read", of->path);
        if (value < (double)step)
            low = middle + 1;
        else
            high = middle;
    }
    *out = low;
    return WS_OK;
}

/* Takes the rows from number `row` up to the step `to`. */
static int take_rows(reading *of, uint64_t row, uint64_t to)
{
    const size_t bytes = of->layout->row_bytes, fitting = CHUNK_BYTES / bytes ? CHUNK_BYTES / bytes : 1;
    of->before = WS_NO_STEP;
    for (;;) {
        const ssize_t got =
            ws_history_file_read(of->descriptor, of->chunk, fitting * bytes, of->rows_at + row * bytes);
        if (got < 0)
            return ws_fail(WS_IO_FAILED, "%s: cannot read: %s", of->path, strerror(errno));
        const size_t count = (size_t)got / bytes;
        for (size_t i = 0; i < count; i++) {
            const uint64_t step = ws_row_step(of->chunk + i * bytes);
            if (step != WS_NO_STEP && step > to)
                return WS_OK;
            const int status = take(of, of->chunk + i * bytes);
            if (status)
                return status;
        }
        if (count < fitting)
            return WS_OK;
        row += count;
    }
}

static void finish(reading *of)
{
    for (uint32_t i = 0; i < of->layout->layer_count; i++) {
        ws_walk_window *window = &of->windows[i];
        const int has_walk = of->layout->kinds[i] == WS_CONVOLUTION && of->rows > 1 && !of->is_broken;
        window->steps = has_walk ? of->rows - 1 : 0;
        window->path = has_walk ? window->path : NAN;
        window->net = has_walk ? window->net : NAN;
        window->weight = of->rows ? window->weight / (double)of->rows : NAN;
        window->gradient = of->gradients[i] ? window->gradient / (double)of->gradients[i] : NAN;
        window->early_gradient =
            of->early_gradients[i] ? window->early_gradient / (double)of->early_gradients[i] : NAN;
    }
}

static int read_all(reading *of)
{
    char *head = NULL;
    size_t bytes = 0;
    of->descriptor = open(of->path, O_RDONLY | O_CLOEXEC);
    if (of->descriptor < 0)
        return ws_fail(WS_IO_FAILED, "%s: cannot read: %s", of->path, strerror(errno));
    int status = ws_history_file_head(of->path, of->descriptor, &head, &bytes);
    if (status)
        return status;
    free(head);
    of->rows_at = bytes;
    const off_t end = lseek(of->descriptor, 0, SEEK_END);
    const uint64_t count = end > (off_t)bytes ? ((uint64_t)end - bytes) / of->layout->row_bytes : 0;
    uint64_t row = 0;
    /* The early rows apart, unless the window begins among them. */
    if (of->early + 1 < of->from) {
        status = take_rows(of, 0, of->early);
        if (status == WS_OK)
            status = find_row(of, count, of->from, &row);
    }
    return status == WS_OK ? take_rows(of, row, of->to) : status;
}

int ws_walk_window_read(const char *path, const ws_row_layout *layout, uint64_t from, uint64_t to,
                        uint64_t early, ws_walk_window *windows)
{
    const size_t bytes = layout->row_bytes, layers = layout->layer_count,
                 cells = (layout->walks + 1) * (size_t)WS_SKETCH_CELLS;
    reading of = {.path = path, .layout = layout, .descriptor = -1, .from = from, .to = to, .early = early};
    of.windows = calloc(layers + 1, sizeof *of.windows);
    of.gradients = calloc(layers + 1, sizeof *of.gradients);
    of.early_gradients = calloc(layers + 1, sizeof *of.early_gradients);
    of.first = calloc(cells, sizeof *of.first);
    of.last = calloc(cells, sizeof *of.last);
    of.chunk = malloc(bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES);
    int status = WS_OK;
    if (!of.windows || !of.gradients || !of.early_gradients || !of.first || !of.last || !of.chunk)
        status = ws_fail(WS_NO_MEMORY, "%s: no memory to read its rows", path);
    if (status == WS_OK)
        status = read_all(&of);
    if (status == WS_OK) {
        finish(&of);
        memcpy(windows, of.windows, layers * sizeof *windows);
    }
    if (of.descriptor >= 0)
        close(of.descriptor);
    free(of.windows);
    free(of.gradients);
    free(of.early_gradients);
    free(of.first);
    free(of.last);
    free(of.chunk);
    return status;
}
