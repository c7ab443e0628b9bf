/* SPDX-License-Identifier: BSD-3-Clause */
/* A network's history of merges as a line of JSON, for checkpoints. Internal to cnn_core. */
#ifndef CNN_MERGE_HISTORY_H
#define CNN_MERGE_HISTORY_H

#include "cnn/net.h"

/* Key of the metadata. */
#define CNN_MERGE_HISTORY "merges"

/* The text, which reads back to the same bits; NULL without memory. The caller frees it. */
char *cnn_merge_history_text(const cnn_net *net);

/* Reads the text for `net`, which may be of another width. CNN_BAD_FILE names `path` and the entry,
 * CNN_NO_MEMORY. The caller frees *out. */
int cnn_merge_history_parse(const char *path, const char *text, const cnn_net *net, cnn_merge_record **out,
                            int *count);

#endif
