/* SPDX-License-Identifier: BSD-3-Clause */
/* steering.jsonl: what was turned and asked for while a run trained, one JSON object a line, oldest first.
 *
 *   {"step": 120, "name": "learning_rate", "old": "0.001", "new": "0.0005", "origin": "...", "time": "..."}
 *   {"step": 120, "action": "pause", "value": "", "origin": "...", "time": "..."}
 *   {"step": 120, "action": "merge", "value": "SPEC", "origin": "...", "time": "...", "result": {"net": ...}}
 *
 * step: the steps done when it was applied; the next step is the first that knows it. Steps never fall. */
#ifndef APP_STEERING_H
#define APP_STEERING_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define STEERING_MERGE "merge"
#define STEERING_UNDO  "undo_merge"

/* One line. Of an action, `before` is NULL; only a merge has a result. */
typedef struct steering_entry {
    uint64_t step;
    const char *name, *before, *value; /* of the log that was read, or the writer's */
    const char *origin;
    json_t *result; /* an object; `net` in it is the network from here on */
    size_t line;    /* from 1 */
} steering_entry;

/* The lines of a file, or some of them. Free with steering_log_free. */
typedef struct steering_log {
    char *path;
    steering_entry *entries; /* owned, with their texts */
    size_t count;
} steering_log;

/* Reads a whole file. CNN_BAD_FILE for a line that is torn or is none of the above (PATH:LINE: reason),
 * CNN_IO_FAILED. */
int steering_read(const char *path, steering_log *out);

/* Reads the lines of a run up to `step`, for its resumption; a last line that is torn, and a file that is
 * missing, are no errors. Errors as steering_read. */
int steering_read_past(const char *path, uint64_t step, steering_log *out);

/* Forgets the lines from the first merge on that a state with the network `net` does not know, where the run
 * began with `whole`; none if no line tells of `net`. */
void steering_log_match(steering_log *log, const char *whole, const char *net);

/* 1 if the line merged filters, so that the network was another one after it. */
int steering_is_merge(const steering_entry *entry);

/* How many of the lines are merges. */
size_t steering_merge_count(const steering_log *log);

void steering_log_free(steering_log *log);

typedef struct app_steering app_steering;

/* Begins a file. CNN_IO_FAILED. */
int steering_create(const char *path, app_steering **out);

/* Goes on after the first `count` lines of those up to `step`; what follows, and a torn last line, is cut and
 * kept aside (file_tail_cut). A file that is missing is begun. Errors as steering_read. */
int steering_resume(const char *path, uint64_t step, size_t count, app_steering **out);

/* Appends lines, all or none, with the time of now. CNN_IO_FAILED: the file is as it was. */
int steering_write(app_steering *steering, const steering_entry *entries, size_t count);

/* Takes back what the last call of steering_write has appended. */
void steering_take_back(app_steering *steering);

/* Makes what was written durable. CNN_IO_FAILED. */
int steering_sync(app_steering *steering);

/* NULL is allowed. */
void steering_close(app_steering *steering);

#endif
