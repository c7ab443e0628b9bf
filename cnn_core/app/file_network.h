/* SPDX-License-Identifier: BSD-3-Clause */
/* The network of a checkpoint by itself, whoever wrote it. */
#ifndef APP_FILE_NETWORK_H
#define APP_FILE_NETWORK_H

#include "cnn/checkpoint.h"
#include "cnn/dataset.h"

/* Makes it, loaded, in the widths that the file has; what it does not say comes from `given` (a spec or a
 * file with one, NULL: not given) and from the images of `set`. Tensors of no use are told. The caller frees
 * it with cnn_net_free. CNN_BAD_ARGUMENT if nobody names a network, or as cnn_net_create; CNN_BAD_FILE;
 * CNN_IO_FAILED; CNN_NO_MEMORY. */
int file_network_make(const cnn_safetensors *file, const cnn_checkpoint_info *info, const char *given,
                      const cnn_dataset *set, cnn_net **out);

#endif
