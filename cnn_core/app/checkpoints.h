/* SPDX-License-Identifier: BSD-3-Clause */
/* The checkpoints of a run: step_NNNNNNNN.safetensors, and last.safetensors, which is the newest of them. */
#ifndef APP_CHECKPOINTS_H
#define APP_CHECKPOINTS_H

#include "cnn/checkpoint.h"
#include <stddef.h>
#include <stdint.h>

/* A file and the step that its name tells. */
typedef struct checkpoint_file {
    uint64_t step;
    char *path;
} checkpoint_file;

/* The files of a folder, steps rising. */
typedef struct checkpoint_list {
    checkpoint_file *files;
    size_t count;
} checkpoint_list;

/* Paths; the caller frees them. */
char *checkpoint_path(const char *folder, uint64_t step);
char *checkpoint_last_path(const char *folder);

/* Reads the names in the folder. Errors: CNN_IO_FAILED. Free with checkpoint_list_free. */
int checkpoint_list_read(const char *folder, checkpoint_list *out);
void checkpoint_list_free(checkpoint_list *list);

/* Saves the state after `step` steps, makes it the last one, and then removes the oldest so that `keep` stay
 * (0: all). Errors as cnn_checkpoint_save; the earlier ones stay then. */
int checkpoint_store(const char *folder, const cnn_net *net, const cnn_optimizer *optimizer, uint64_t step,
                     size_t keep);

/* Removes what a killed process left half-written. */
void checkpoint_clean(const char *folder);

/* Loads the newest state that is whole and belongs to `net` (same network, seed) and `optimizer`, and says
 * which newer ones it had to skip, and why. *step is 0, and nothing loaded, if the folder has no checkpoint.
 * Errors: CNN_BAD_FILE if it has some and none is good. */
int checkpoint_load_newest(const char *folder, cnn_net *net, cnn_optimizer *optimizer, uint64_t *step);

#endif
