/* SPDX-License-Identifier: BSD-3-Clause */
/* A file that takes another's place only when it is complete: written under a temporary name in the same
 * folder, synced, renamed. Whoever reads sees the old file or the new one, also after a crash. */
#ifndef CNN_REPLACEMENT_H
#define CNN_REPLACEMENT_H

#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/* What the name of the file ends with until it is put in place; a writer that is killed leaves it. */
#define CNN_REPLACEMENT_ENDING ".tmp"

typedef struct cnn_replacement cnn_replacement;

/* Begins to write what will become `path`; a leftover of an earlier writer that was killed is replaced. A
 * symbolic link at `path` will itself be replaced. End with cnn_replacement_commit or _discard. Errors:
 * CNN_IO_FAILED (also if something other than a regular file is at `path`), CNN_NO_MEMORY; the message begins
 * with the path. */
int cnn_replacement_begin(const char *path, cnn_replacement **out);

/* Appends `size` bytes. Errors: CNN_IO_FAILED (disk full, ...); discard then. */
int cnn_replacement_write(cnn_replacement *replacement, const void *bytes, size_t size);

/* Puts the file in place, durably, and frees `replacement`. Errors: CNN_IO_FAILED, after which the temporary
 * file is gone. */
int cnn_replacement_commit(cnn_replacement *replacement);

/* Leaves `path` as it was and frees `replacement`; NULL is allowed. */
void cnn_replacement_discard(cnn_replacement *replacement);

/* All of it at once: a file that holds `size` bytes. Errors as above; `path` is as it was then. */
int cnn_replacement_all(const char *path, const void *bytes, size_t size);

/* A file that holds what is still to be read of `from`, which is called `name` in messages. Errors as above,
 * and CNN_IO_FAILED if it cannot be read to its end; `path` is as it was then. */
int cnn_replacement_copy(const char *path, FILE *from, const char *name);

/* fsync and ftruncate as they are, but that no signal interrupts them: 0, or -1 with errno. */
int cnn_sync_file(int fd);
int cnn_cut_file(int fd, off_t length);

#endif
