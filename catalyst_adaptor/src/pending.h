/* SPDX-License-Identifier: BSD-3-Clause */
/* The recording of a run: which frames go into it, and the rows that wait for the next one. */
#ifndef WEIGHTSCAPE_PENDING_H
#define WEIGHTSCAPE_PENDING_H

#include "history.h"
#include "recording.h"

typedef struct ws_pending ws_pending;

/* Creates the recording or, from first_step, goes on with it; rows of the history that no frame has taken
 * along wait again. `record`: as in ws_options. Errors as ws_recorder_open and ws_history_rows. */
int ws_pending_open(const char *path, uint64_t record, uint64_t first_step, const ws_history *history,
                    const ws_log *log, ws_pending **out);

/* The base of the frames that follow. Errors as ws_recorder_base. */
int ws_pending_base(ws_pending *pending, const void *base);

/* Keeps a row for the next frame. */
void ws_pending_row(ws_pending *pending, const void *row);

/* The first step >= from that it wants itself; and whether it wants `step`, for which a script waits or not.
 * It wants the first frame that there is, and one whenever rows have waited for too long. */
uint64_t ws_pending_next(const ws_pending *pending, uint64_t from);
int ws_pending_wants(const ws_pending *pending, uint64_t step, int script_waits);

/* Whether the frame of `step`, or a later one, is recorded. */
int ws_pending_has(const ws_pending *pending, uint64_t step);

/* Appends a frame. The first failure is told through the log; the recording then ends with the frame before.
 */
void ws_pending_add(ws_pending *pending, const void *frame);

void ws_pending_sync(ws_pending *pending);

/* Fills in what was recorded. */
void ws_pending_report(const ws_pending *pending, ws_report *report);

/* NULL is allowed. */
void ws_pending_close(ws_pending *pending);

#endif
