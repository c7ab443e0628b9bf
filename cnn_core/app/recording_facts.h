/* SPDX-License-Identifier: BSD-3-Clause */
/* What a recording holds, for commands that tell it or take steps from it. */
#ifndef APP_RECORDING_FACTS_H
#define APP_RECORDING_FACTS_H

#include <jansson.h>
#include <weightscape/insitu.h>

typedef ws_recording_facts recording_facts;

/* Fills *out. Returns 0 or a status of cnn_core with its message: CNN_BAD_FILE, CNN_IO_FAILED, CNN_NO_MEMORY.
 */
int recording_facts_read(const char *path, recording_facts *out);

/* The same with the step of every frame, rising; the caller ends with json_decref. */
int recording_facts_steps(const char *path, recording_facts *out, json_t **steps);

/* 1 if the file can be read and has a frame of `step`, else 0. */
int recording_has_step(const char *path, uint64_t step);

/* frames, first_step and last_step (null without frames), bytes and raw_bytes as a fresh object. */
json_t *recording_facts_to_json(const recording_facts *facts);

/* As lines for people. */
void recording_facts_print(const recording_facts *facts);

#endif
