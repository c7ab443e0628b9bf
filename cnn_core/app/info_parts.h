/* SPDX-License-Identifier: BSD-3-Clause */
/* What `info` finds, as JSON, and how it prints that for people: one pair of functions for each kind of file.
 */
#ifndef APP_INFO_PARTS_H
#define APP_INFO_PARTS_H

#include <jansson.h>

/* Return 0 or a status of cnn_core; the caller ends with json_decref. */
int info_of_checkpoint(const char *path, json_t **out);
int info_of_idx(const char *path, json_t **out);
int info_of_run(const char *path, json_t **out);
int info_of_recording(const char *path, json_t **out);

void info_print_checkpoint(const json_t *info);
void info_print_idx(const json_t *info);
void info_print_run(const json_t *info);
void info_print_recording(const json_t *info);

#endif
