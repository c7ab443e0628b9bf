/* SPDX-License-Identifier: BSD-3-Clause */
/* What a run keeps of all its steps: norms and walks, in a file that only grows, and, where pictures are
 * drawn in this process, as a curve in memory.
 *
 * The file: 8 bytes "WSHIST1\n", a 64-bit length, that many bytes of JSON which name the columns, then rows.
 * A row that a kill has torn is cut off when the file is opened. */
#ifndef WEIGHTSCAPE_HISTORY_H
#define WEIGHTSCAPE_HISTORY_H

#include "curve.h"
#include "message.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ws_history ws_history;

typedef struct ws_history_options {
    const char *path; /* NULL: no file */
    uint64_t first_step;
    int read_only;
    int keep_curve; /* 0: rows are only written, and memory does not grow with them */
    ws_log log;
} ws_history_options;

/* Reads the rows up to first_step of a file that is there; without read_only, moves later rows aside to
 * PATH.after-STEP and creates a file that is not. `layers` are borrowed. Errors: WS_BAD_FILE (another kind of
 * file, or of another network), WS_IO_FAILED, WS_NO_MEMORY; *out is untouched. Free with ws_history_close. */
int ws_history_open(const ws_history_options *options, const ws_layers *layers, ws_history **out);

/* What its rows mean, and the last row as bytes (NULL before the first). Borrowed; the row until the next
 * one. */
const ws_row_layout *ws_history_layout(const ws_history *history);
const void *ws_history_last_row(const ws_history *history);

/* Appends a row; `norms` has one per layer. Written to the file within a second. Errors: WS_BAD_ARGUMENT if
 * the step does not rise, or is above 2^53; WS_NO_MEMORY: the row was not taken; WS_IO_FAILED the first time
 * that the file cannot be written (told through the log; from then on there is no file, and without a curve
 * only the last row is kept). */
int ws_history_append(ws_history *history, const ws_row *row, const ws_norms *norms);

/* Writes out what has not been written. Errors as above. */
int ws_history_flush(ws_history *history);

/* Makes them durable, too. */
int ws_history_sync(ws_history *history);

/* Gives `read` the rows of earlier sessions after `step`; without a file there are none. Errors as
 * ws_history_file_rows. */
int ws_history_rows(const ws_history *history, uint64_t step, int (*read)(void *context, const void *row),
                    void *context);

/* 1 if there is a file that could not be written to the end, else 0. */
int ws_history_has_failed(const ws_history *history);

/* Fills *view; nothing but names without keep_curve: no rows, and NULL for what would hold them. */
void ws_history_look(const ws_history *history, ws_history_view *view);

/* The step and the scalars of the last row; 0 if there is none. */
int ws_history_last(const ws_history *history, uint64_t *step, ws_scalars *scalars);

/* Flushes and frees. NULL is allowed. */
void ws_history_close(ws_history *history);

#ifdef __cplusplus
}
#endif
#endif
