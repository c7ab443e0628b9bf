/* SPDX-License-Identifier: BSD-3-Clause */
/* The checkpoints of a run: step_NNNNNNNN.safetensors, and last.safetensors, which is the newest of them; and
 * before_merge_N.safetensors, the state that merge number N of the run, from 1, has left (merge_states.h). */
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

/* Makes the file `path`, which is complete and of this folder, the last one. Returns 0 where there are no
 * hard links. */
int checkpoint_link_last(const char *path, const char *last);

/* Removes what a killed process left half-written. */
void checkpoint_clean(const char *folder);

/* What a checkpoint holds. */
typedef struct checkpoint_state {
    cnn_net *net; /* owned, as the optimizer; NULL: there is none */
    cnn_optimizer *optimizer;
    uint64_t step;
    int is_not_last; /* of the newest: last.safetensors is older, or bad */
} checkpoint_state;

/* Loads a file that belongs to a run which began with the network `whole`: of its seed, and the same network
 * or what merging has made of it. Errors: CNN_BAD_FILE and those of reading, after which *out is as it was.
 */
int checkpoint_load(const char *path, const cnn_net *whole, const cnn_optimizer_options *options,
                    checkpoint_state *out);
void checkpoint_state_free(checkpoint_state *state);

/* Loads the newest such state of the folder, and says which newer ones it had to skip, and why. *out is empty
 * if the folder has no checkpoint. Errors: CNN_BAD_FILE if it has some and none is good. */
int checkpoint_load_newest(const char *folder, const cnn_net *whole, const cnn_optimizer_options *options,
                           checkpoint_state *out);

#endif
