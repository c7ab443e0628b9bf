/* SPDX-License-Identifier: BSD-3-Clause */
/* A training's state as a safetensors file with PyTorch's names and layouts.
 *
 * Tensors: <layer>.weight, <layer>.bias;
 * optimizer.<layer>.<weight|bias>.<momentum_buffer|exp_avg|exp_avg_sq>; random.state, U64 [2]: seed and step;
 * gradient.<layer>.weight of convolutions, for pictures of that step. Metadata: format "pt", net, input
 * "CxHxW", classes, step, seed, optimizer, weightscape (version).
 *
 * A network with merged units has more: initial.<layer>.<weight|bias>, which its seed does not give any more;
 * source.<layer>, I32 [K], the number that each unit had at first; and metadata `merges`, a JSON list, oldest
 * first, of {"step", "layer", "before", "after", "method", "threshold", "predicted", "measured"}, the last
 * three null where there is none. `net` has the widths of the tensors. */
#ifndef CNN_CHECKPOINT_H
#define CNN_CHECKPOINT_H

#include "cnn/net.h"
#include "cnn/optimizer.h"
#include "cnn/safetensors.h"
#include <stdint.h>

/* Saves net and, unless NULL, optimizer, after `step` steps. Same state, same bytes: no time, no host.
 * Written aside, synced, renamed. Errors as cnn_safetensors_write. */
int cnn_checkpoint_save(const char *path, const cnn_net *net, const cnn_optimizer *optimizer, uint64_t step);

/* What a checkpoint says of itself. */
typedef struct cnn_checkpoint_info {
    const char *net; /* spec, merged widths included, or NULL when the file has none (foreign file); borrowed
                        from the file */
    cnn_shape input; /* zero when unknown */
    int classes;     /* zero when unknown */
    uint64_t step, seed;
    int has_optimizer;
    cnn_optimizer_kind optimizer;
} cnn_checkpoint_info;

/* Reads the description. CNN_BAD_FILE if metadata or random.state contradict themselves. */
int cnn_checkpoint_describe(const cnn_safetensors *file, cnn_checkpoint_info *out);

/* CNN_BAD_FILE if the file's checksum is not that of its contents. Whoever goes on with a training asks this
 * first. */
int cnn_checkpoint_check(const cnn_safetensors *file);

/* Loads the parameters into `net`, whose shapes must agree: CNN_BAD_FILE names the tensor, its shape and the
 * one expected, a missing tensor, or a value that is not finite. All is checked before the network is
 * changed. Where the file has them: initial values, sources and the history of merges, which are wanted all
 * if the metadata tells of a merge. Tensors nobody asked for are reported through `note` (may be NULL), one
 * line each, and so is a checksum that is wrong: a file that was edited by hand may be loaded. */
int cnn_checkpoint_load(const cnn_safetensors *file, cnn_net *net,
                        void (*note)(void *context, const char *line), void *context);

/* Creates the network that the file tells of, in the widths that it has there, and loads it as
 * cnn_checkpoint_load does. whole: the text of a network which it must be, units merged or not; NULL: any.
 * CNN_BAD_FILE if the file names no network, no input or classes, or another network; errors as
 * cnn_net_create and cnn_checkpoint_load. The caller frees *out. */
int cnn_checkpoint_make_net(const cnn_safetensors *file, const char *whole,
                            void (*note)(void *context, const char *line), void *context, cnn_net **out);

/* Loads moments for `net` into `optimizer`; CNN_BAD_FILE if they are missing or of another optimiser. */
int cnn_checkpoint_load_optimizer(const cnn_safetensors *file, const cnn_net *net, cnn_optimizer *optimizer);

/* Fills the convolutions' weight_gradient from gradient.* where present; returns how many layers had one, or
 * CNN_BAD_FILE if one has another shape. */
int cnn_checkpoint_load_gradients(const cnn_safetensors *file, cnn_net *net);

#endif
