/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows for drawing, in bounded memory however many come: beyond WS_CURVE_ROWS only those are kept that a
 * curve needs to look the same, in buckets of equally many rows: of each bucket the first, the last, and
 * wherever a column has its least or greatest value (the first such row; a NaN never is one; step, epoch and
 * time only rise). Kept rows are real rows. What is kept is a function of the rows given, not of when.
 *
 * Memory: never more than N + 1 rows, N = WS_CURVE_ROWS, and beside them those of one bucket, at most 2 for
 * each column and 2, and 33 KB for each convolution. N is greater where more than half of it would be needed
 * for one bucket: 4 for each column (1300 layers and more). A row takes time for each column, however many
 * rows there are. One thread.
 */
#ifndef WEIGHTSCAPE_CURVE_H
#define WEIGHTSCAPE_CURVE_H

#include "row_layout.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WS_CURVE_ROWS 16384

/* Sums over all rows ever given whose sketch is finite, for the principal components of a walk. */
typedef struct ws_walk_sums {
    uint64_t count;
    double sum[WS_SKETCH_CELLS];
    double products[WS_SKETCH_CELLS][WS_SKETCH_CELLS]; /* upper triangle; the rest means nothing */
} ws_walk_sums;

/* A borrowed look at what is kept, valid until the next row. */
typedef struct ws_history_view {
    uint64_t rows;       /* kept, of the walks */
    uint64_t norms_from; /* first row that has norms: 1 if row 0 is the initial state, else 0 */
    uint32_t layer_count;
    const char *const *layers;    /* names, in order */
    const int32_t *kinds;         /* ws_layer_kind */
    uint32_t norm_columns;        /* WS_SCALAR_COLUMNS + 3 * layer_count */
    const char *const *names;     /* [norm_columns], "step" first */
    const double *const *columns; /* [norm_columns][rows], then per convolution w0, w1 [rows] */
    const float *const *sketches; /* per convolution [rows][WS_SKETCH_CELLS] */
    const ws_walk_sums *sums;     /* per convolution; of all rows, kept or not */
} ws_history_view;

typedef struct ws_curve ws_curve;

/* `layout` is borrowed. WS_NO_MEMORY. Free with ws_curve_free. */
int ws_curve_create(const ws_row_layout *layout, ws_curve **out);
void ws_curve_free(ws_curve *curve); /* NULL is allowed */

/* Forgets all rows. */
void ws_curve_clear(ws_curve *curve);

/* Gives a row (copied; no alignment), whose step must be above the last one's. WS_BAD_ARGUMENT, WS_NO_MEMORY:
 * it was not taken. */
int ws_curve_append(ws_curve *curve, const void *row);

/* Step of the last row given, WS_NO_STEP before the first. */
uint64_t ws_curve_last(const ws_curve *curve);

/* Fills *view. Takes time for each row of the bucket that is being filled. */
void ws_curve_look(const ws_curve *curve, ws_history_view *view);

#ifdef __cplusplus
}
#endif
#endif
