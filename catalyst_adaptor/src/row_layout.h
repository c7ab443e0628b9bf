/* SPDX-License-Identifier: BSD-3-Clause */
/* What a row of the histories consists of: float64 columns (the step, the scalars, three norms per layer, w0
 * and w1 per convolution), then a float32 sketch (sketch.h) for each convolution. The same bytes in memory,
 * in the run's history and in recordings. */
#ifndef WEIGHTSCAPE_ROW_LAYOUT_H
#define WEIGHTSCAPE_ROW_LAYOUT_H

#include "frame.h"
#include "sketch.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WS_SCALAR_COLUMNS  8
#define WS_COLUMN_NAME_MAX 48
#define WS_HEAD_MOST       (4 << 20) /* bytes of the longest head that is read */
#define WS_NO_STEP         UINT64_MAX
#define WS_STEP_MOST       ((uint64_t)1 << 53) /* up to here a float64 holds every whole number */

typedef struct ws_row_layout {
    uint32_t layer_count, walks; /* layers, and the convolutions among them */
    uint32_t norm_columns;       /* WS_SCALAR_COLUMNS + 3 * layer_count */
    uint32_t column_count;       /* and w0, w1 of each convolution */
    size_t row_bytes;
    const char **layers; /* owned: names */
    int32_t *kinds;      /* owned: ws_layer_kind */
    const char **names;  /* owned: of the columns, "step" first */
    char *text;          /* owned: what the names point into */
    char *head;          /* owned: JSON that names all of it; rows mean the same where heads are equal */
} ws_row_layout;

/* Of these layers. WS_NO_MEMORY; *out is untouched. Free with ws_row_layout_free. */
int ws_row_layout_of(const ws_layers *layers, ws_row_layout *out);

/* As a head tells it; out->head is the head that this program writes for the same layers. WS_BAD_FILE (names
 * `path` and what is wrong), WS_NO_MEMORY; *out is untouched. Free with ws_row_layout_free. */
int ws_row_layout_read(const char *path, const char *head, ws_row_layout *out);

/* Frees what a layout owns; zero is allowed. */
void ws_row_layout_free(ws_row_layout *layout);

/* The step of a row, WS_NO_STEP if its first value is no whole number up to WS_STEP_MOST (a damaged file).
 * Rows need no alignment. */
uint64_t ws_row_step(const void *row);

/* The scalars of a row; the order of ws_scalars is that of the columns. */
void ws_row_scalars(const void *row, ws_scalars *out);

#ifdef __cplusplus
}
#endif
#endif
