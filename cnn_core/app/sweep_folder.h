/* SPDX-License-Identifier: BSD-3-Clause */
/* The folder of a sweep: a run's folder for each run, sweep.json (what was asked), sweep.csv (what came of
 * it), compare.png. */
#ifndef APP_SWEEP_FOLDER_H
#define APP_SWEEP_FOLDER_H

#include <jansson.h>

typedef struct sweep_folder {
    char *path, *record, *table, *picture;
    int lock; /* descriptor of the folder, locked: one sweep at a time */
} sweep_folder;

/* Makes the folder, or opens the one of a sweep that was asked the same, and locks it. Errors:
 * CNN_BAD_ARGUMENT (in use; another sweep's; something else is in it), CNN_BAD_FILE, CNN_IO_FAILED; then
 * nothing is changed. */
int sweep_folder_open(const char *path, json_t *asked, sweep_folder *out);

/* Unlocks and frees the names. */
void sweep_folder_close(sweep_folder *folder);

/* The folders of the runs of the sweep in the folder `path`, "PATH/NAME": a list that ends with NULL, owned
 * as is each text; and the option that it varies first, owned, NULL if that is not known. Errors:
 * CNN_IO_FAILED, CNN_BAD_FILE. */
int sweep_folder_runs(const char *path, char ***runs, char **option);

#endif
