/* SPDX-License-Identifier: BSD-3-Clause */
/* The file behind a history: a head, then rows of equal size. */
#ifndef WEIGHTSCAPE_HISTORY_FILE_H
#define WEIGHTSCAPE_HISTORY_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* ---- Reading a file that another process may be writing. */

/* Bytes read from `offset` on, fewer than `count` only at the end of the file; -1 with errno. */
ssize_t ws_history_file_read(int descriptor, void *bytes, size_t count, uint64_t offset);

/* Reads what comes before the rows: *whole, *bytes long, with a NUL behind it, to be freed; the JSON is from
 * WS_HISTORY_PREFIX on. WS_BAD_FILE (no history, of the other byte order, a head that is cut off or too
 * long), WS_IO_FAILED, WS_NO_MEMORY; outputs are untouched. */
#define WS_HISTORY_PREFIX 16
int ws_history_file_head(const char *path, int descriptor, char **whole, size_t *bytes);

/* ---- A run's own file. */

typedef struct ws_history_file ws_history_file;

/* Takes a row that was read; returns 1 to go on, 0 if this row and all after it are not wanted, or a negative
 * status. */
typedef int ws_row_reader(void *context, const void *row);

/* Opens PATH, whose head must be equal to `head`, and gives its rows to `read` in order; rows that are not
 * wanted are moved to `aside`, a torn last one is cut off. A file that is missing is created. `read_only`:
 * nothing is written, and *out is NULL. Errors: WS_BAD_FILE, WS_IO_FAILED, WS_NO_MEMORY, or what `read`
 * returned. */
int ws_history_file_open(const char *path, const char *aside, const char *head, size_t row_bytes,
                         int read_only, ws_row_reader *read, void *context, ws_history_file **out);

/* Buffers a row, and writes the buffer when it is full or a second old. WS_IO_FAILED if it cannot. */
int ws_history_file_append(ws_history_file *file, const void *row);
int ws_history_file_flush(ws_history_file *file);
/* The same, and makes them durable. */
int ws_history_file_sync(ws_history_file *file);

/* Gives `read` the rows of steps after `step` that were there when the file was opened. WS_IO_FAILED,
 * WS_NO_MEMORY, or what `read` returned. */
int ws_history_file_rows(const ws_history_file *file, uint64_t step, ws_row_reader *read, void *context);

/* Closes without writing. NULL is allowed. */
void ws_history_file_close(ws_history_file *file);

#endif
