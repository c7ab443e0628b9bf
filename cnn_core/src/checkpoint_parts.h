/* SPDX-License-Identifier: BSD-3-Clause */
/* What a network has in a checkpoint: names and shapes of its tensors. Internal to cnn_core. */
#ifndef CNN_CHECKPOINT_PARTS_H
#define CNN_CHECKPOINT_PARTS_H

#include "cnn/net.h"
#include "cnn/optimizer.h"
#include <stdint.h>

#define CNN_RANDOM_STATE "random.state"

enum { CNN_TENSOR_NAME_SIZE = 80 };

/* The weight or the bias of one layer. */
typedef struct cnn_part {
    const cnn_layer *layer;
    const char *name; /* "weight", "bias" */
    int rank;
    uint64_t shape[4];
    size_t count;
    size_t at; /* place in the network's arenas */
} cnn_part;

/* Number of parts of a network: two for each layer with parameters. */
int cnn_part_count(const cnn_net *net);
/* Part number index, in the order of the arenas. */
cnn_part cnn_part_at(const cnn_net *net, int index);

/* True for the parts whose gradient is kept, for pictures: weights of convolutions. */
int cnn_part_has_gradient(const cnn_part *part);

/* What a tensor holds of a part: its parameters, initial values, gradient, or one of the optimizer's moments.
 */
typedef struct cnn_role {
    const char *before, *after; /* around <layer>.<part> */
} cnn_role;

extern const cnn_role cnn_role_parameters, cnn_role_initial, cnn_role_gradient;
cnn_role cnn_role_moment(cnn_optimizer_kind kind, int moment);

/* Writes the tensor's name to `name` and returns it. */
const char *cnn_tensor_name(cnn_role role, const cnn_part *part, char name[CNN_TENSOR_NAME_SIZE]);

/* source.<layer>, in the same way. */
const char *cnn_source_name(const cnn_layer *layer, char name[CNN_TENSOR_NAME_SIZE]);

#endif
