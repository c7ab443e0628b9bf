/* SPDX-License-Identifier: BSD-3-Clause */
/* How it stands with a run, from its folder alone: no process is asked. */
#ifndef APP_RUN_STATE_H
#define APP_RUN_STATE_H

#include "run_folder.h"
#include <jansson.h>
#include <stdint.h>

typedef struct run_state {
    int is_used;   /* a process trains there, or draws what is left */
    int is_killed; /* the record says that it runs, and nothing does */
    uint64_t step; /* the last one: of a run that was killed, that of the last row of its metrics */
} run_state;

/* Reads the record. A training writes it last before its first step: while one is at work in the folder,
 * waits for it, for ten seconds at most and until a signal is caught. The caller ends with json_decref.
 * Errors as run_record_read. */
int run_state_record(const run_folder *folder, json_t **out);

run_state run_state_of(const run_folder *folder, const json_t *record);

#endif
