/* SPDX-License-Identifier: BSD-3-Clause */
#include "checkpoint_parts.h"
#include <stdio.h>
#include <string.h>

const cnn_role cnn_role_parameters = {"", ""}, cnn_role_initial = {"initial.", ""},
               cnn_role_gradient = {"gradient.", ""};

enum { PARTS = 2 };

int cnn_part_count(const cnn_net *net)
{
    int count = 0;
    for (int i = 0; i < net->layer_count; i++)
        count += cnn_layer_has_parameters(&net->layers[i]) ? PARTS : 0;
    return count;
}

static const cnn_layer *layer_with_parameters(const cnn_net *net, int number)
{
    const cnn_layer *layer = net->layers;
    for (;; layer++)
        if (cnn_layer_has_parameters(layer) && number-- == 0)
            return layer;
}

cnn_part cnn_part_at(const cnn_net *net, int index)
{
    const cnn_layer *layer = layer_with_parameters(net, index / PARTS);
    if (index % PARTS)
        return (cnn_part){layer,
                          "bias",
                          1,
                          {layer->bias_count},
                          layer->bias_count,
                          (size_t)(layer->bias - net->parameters)};
    cnn_part weight = {layer,
                       "weight",
                       2,
                       {(uint64_t)layer->out.c, cnn_shape_count(layer->in)},
                       layer->weight_count,
                       (size_t)(layer->weight - net->parameters)};
    if (layer->kind == CNN_CONV) {
        const uint64_t shape[4] = {(uint64_t)layer->out.c, (uint64_t)layer->in.c, (uint64_t)layer->kernel_h,
                                   (uint64_t)layer->kernel_w};
        weight.rank = 4;
        memcpy(weight.shape, shape, sizeof shape);
    }
    return weight;
}

int cnn_part_has_gradient(const cnn_part *part)
{
    return part->layer->kind == CNN_CONV && part->rank == 4;
}

cnn_role cnn_role_moment(cnn_optimizer_kind kind, int moment)
{
    return (cnn_role){"optimizer.", cnn_optimizer_moment_name(kind, moment)};
}

const char *cnn_tensor_name(cnn_role role, const cnn_part *part, char name[CNN_TENSOR_NAME_SIZE])
{
    snprintf(name, CNN_TENSOR_NAME_SIZE, "%s%s.%s%s%s", role.before, part->layer->name, part->name,
             *role.after ? "." : "", role.after);
    return name;
}

const char *cnn_source_name(const cnn_layer *layer, char name[CNN_TENSOR_NAME_SIZE])
{
    snprintf(name, CNN_TENSOR_NAME_SIZE, "source.%s", layer->name);
    return name;
}
