/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads a run's history while the run still writes it. */
#ifndef WEIGHTSCAPE_HISTORY_TAIL_H
#define WEIGHTSCAPE_HISTORY_TAIL_H

#include "curve.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ws_history_tail ws_history_tail;

/* Opens PATH for reading. WS_BAD_FILE (no history, a damaged head; names what is wrong), WS_IO_FAILED,
 * WS_NO_MEMORY; *out is untouched. One thread. Free with ws_history_tail_close. */
int ws_history_tail_open(const char *path, ws_history_tail **out);

/* What its rows mean. Borrowed. */
const ws_row_layout *ws_history_tail_layout(const ws_history_tail *tail);

/* Gives the rows that have not been given yet and whose step is <= `until` to the curve, the same one in each
 * call and empty before the first; a row that is not complete yet is left for the next time. A file whose
 * rows have been cut (its run was resumed from an earlier step), even if it has grown again since, or in
 * whose place there is another, is read again from the start: the curve is cleared first. Memory: twice
 * rows of a quarter of a megabyte, or twice two.
 *
 * WS_BAD_FILE: another network's history is in its place, or a row whose step does not rise (its number and
 * byte are named; those before it have been given); WS_IO_FAILED, also if the file is cut again and again
 * meanwhile; or what ws_curve_append returned. */
int ws_history_tail_read(ws_history_tail *tail, uint64_t until, ws_curve *curve);

/* NULL is allowed. */
void ws_history_tail_close(ws_history_tail *tail);

#ifdef __cplusplus
}
#endif
#endif
