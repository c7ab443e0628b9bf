/* SPDX-License-Identifier: BSD-3-Clause */
/* What is kept of all steps: norms and walks, as columns in memory and as a file that only grows.
 *
 * The file: 8 bytes "WSHIST1\n", a 64-bit length, that many bytes of JSON which name the columns, then rows.
 * A row is its float64 columns, then a float32 sketch (sketch.h) for each convolution. A row that a kill has
 * torn is cut off when the file is opened. */
#ifndef WEIGHTSCAPE_HISTORY_H
#define WEIGHTSCAPE_HISTORY_H

#include "frame.h"
#include "message.h"
#include "sketch.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Columns: the step, the scalars, then three norms per layer, then w0 and w1 per convolution. */
#define WS_SCALAR_COLUMNS  8
#define WS_COLUMN_NAME_MAX 48

typedef struct ws_history ws_history;

/* A borrowed look at a history, valid until the next row is appended. */
typedef struct ws_history_view {
    uint64_t rows;       /* of the walks */
    uint64_t norms_from; /* first row that has norms: 1 if row 0 is the initial state, else 0 */
    uint32_t layer_count;
    const char *const *layers;    /* names, in order */
    const int32_t *kinds;         /* ws_layer_kind */
    uint32_t norm_columns;        /* WS_SCALAR_COLUMNS + 3 * layer_count */
    const char *const *names;     /* [norm_columns], "step" first */
    const double *const *columns; /* [norm_columns][rows], then per convolution w0, w1 [rows] */
    const float *const *sketches; /* per convolution [rows][WS_SKETCH_CELLS] */
} ws_history_view;

typedef struct ws_history_options {
    const char *path; /* NULL: memory only */
    uint64_t first_step;
    int read_only;
    ws_log log;
} ws_history_options;

/* Reads the rows up to first_step of a file that is there; without read_only, moves later rows aside to
 * PATH.after-STEP and creates a file that is not. `layers` are borrowed. Errors: WS_BAD_FILE (another kind of
 * file, or of another network), WS_IO_FAILED, WS_NO_MEMORY; *out is untouched. Free with ws_history_close. */
int ws_history_open(const ws_history_options *options, const ws_layers *layers, ws_history **out);

/* Appends a row; `norms` has one per layer. Written to the file within a second. Errors: WS_BAD_ARGUMENT if
 * the step does not rise; WS_NO_MEMORY; WS_IO_FAILED the first time that the file cannot be written (told
 * through the log; from then on memory only). */
int ws_history_append(ws_history *history, const ws_row *row, const ws_norms *norms);

/* Writes out what has not been written. Errors as above. */
int ws_history_flush(ws_history *history);

/* Fills *view. */
void ws_history_look(const ws_history *history, ws_history_view *view);

/* The step and the scalars of the last row; 0 if there is none. */
int ws_history_last(const ws_history *history, uint64_t *step, ws_scalars *scalars);

/* Flushes and frees. NULL is allowed. */
void ws_history_close(ws_history *history);

#ifdef __cplusplus
}
#endif
#endif
