/* SPDX-License-Identifier: BSD-3-Clause */
/* The end of a file that tells of a past which is no longer the run's: kept beside it. */
#ifndef APP_FILE_TAIL_H
#define APP_FILE_TAIL_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* Copies what follows offset `from` of `path`, which is open as `file`, to PATH.after-STEP (or, where that
 * exists, PATH.after-STEP.2 and so on), tells it, and cuts the file there. `what` are the things it holds,
 * such as "rows". Errors: CNN_IO_FAILED; before the cut nothing is changed. */
int file_tail_cut(FILE *file, const char *path, off_t from, uint64_t step, const char *what);

#endif
