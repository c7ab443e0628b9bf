/* SPDX-License-Identifier: BSD-3-Clause */
/* What is kept of all steps: rows of numbers, and the walk of every
 * convolution's weights, in memory and in an append-only file. The file is a
 * header (magic, sizes, the layers' names and kinds), then rows of fixed size
 * in the host's byte order. */
#ifndef WS_HISTORY_H
#define WS_HISTORY_H

#include "layer.h"
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    WS_SCALARS = 8,                    /* columns before the norms, in the order of ws_scalar */
    WS_SKETCH_SIZE = 64,               /* cells of the CountSketch */
    WS_WALK_SIZE = 2 + WS_SKETCH_SIZE, /* w0, w1, sketch of weights minus initial weights */
};

typedef enum ws_scalar {
    WS_STEP,
    WS_EPOCH,
    WS_TIME,
    WS_LOSS,
    WS_ACCURACY,
    WS_LEARNING_RATE,
    WS_VALIDATION_LOSS,
    WS_VALIDATION_ACCURACY
} ws_scalar;

typedef struct ws_history_layer {
    char name[WS_NAME_SIZE];
    int32_t kind; /* ws_layer_kind */
    int32_t unused;
} ws_history_layer;

typedef struct ws_history {
    int layer_count, convolution_count;
    ws_history_layer *layers; /* [layer_count] */
    size_t row_size;          /* bytes: doubles [WS_SCALARS + 3 * layers], floats
                                 [WS_WALK_SIZE * convolutions] */
    char *rows;
    size_t count, capacity; /* rows */
    /* The file, or -1; rows before `written` are in it. */
    int fd;
    char *path;
    size_t written;
    double last_write; /* seconds of a steady clock */
} ws_history;

/* Opens `path` (NULL: memory only) for these layers. Rows of an existing file
 * up to first_step are kept; later ones are moved to PATH.after-STEP, a torn
 * last row is cut. read_only: nothing on disk is changed. Errors: WS_BAD_FILE
 * (another file, or other layers), WS_IO_FAILED, WS_NO_MEMORY. Close with
 * ws_history_close. */
int ws_history_open(const char *path, const ws_layer_state *layers, int layer_count, uint64_t first_step,
                    int read_only, ws_history *out);
void ws_history_close(ws_history *history);

/* Appends a row; norms [layer_count]. The walk is taken from the layers'
 * arrays. WS_BAD_ARGUMENT if the step does not rise, WS_NO_MEMORY, WS_IO_FAILED
 * (once; from then on memory only). */
int ws_history_append(ws_history *history, const ws_row *row, const ws_norms *norms,
                      const ws_layer_state *layers);

/* Writes what is not yet in the file. WS_IO_FAILED as above. */
int ws_history_flush(ws_history *history);

static inline const double *ws_history_numbers(const ws_history *history, size_t row)
{
    return (const double *)(const void *)(history->rows + row * history->row_size);
}

/* Norms of layer `layer`: weight, gradient, distance. */
static inline const double *ws_history_norms(const ws_history *history, size_t row, int layer)
{
    return ws_history_numbers(history, row) + WS_SCALARS + 3 * layer;
}

/* Walk of convolution number `convolution`: WS_WALK_SIZE floats. */
static inline const float *ws_history_walk(const ws_history *history, size_t row, int convolution)
{
    return (const float *)(const void *)(ws_history_numbers(history, row) + WS_SCALARS +
                                         3 * history->layer_count) +
           (size_t)WS_WALK_SIZE * (size_t)convolution;
}

/* Adds difference number `index` of a weight vector to its sketch: with a
 * pseudo-random sign to a pseudo-random cell (Charikar, Chen, Farach-Colton,
 * "Finding frequent items in data streams", 2002). */
void ws_sketch_add(float sketch[WS_SKETCH_SIZE], uint64_t index, float difference);

#ifdef __cplusplus
}
#endif
#endif
