/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/checkpoint.h"
#include "checkpoint_parts.h"
#include "cnn/number.h"
#include "cnn/status.h"
#include "merge_history.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { METADATA_MOST = 9 };

/* ---- saving ---- */

/* Tensors to write, and memory for their names. */
typedef struct tensor_list {
    cnn_tensor *tensors;
    char (*names)[CNN_TENSOR_NAME_SIZE];
    size_t count;
} tensor_list;

static void add_part(tensor_list *list, cnn_role role, const cnn_part *part, const float *arena)
{
    cnn_tensor *tensor = &list->tensors[list->count];
    *tensor = (cnn_tensor){.name = cnn_tensor_name(role, part, list->names[list->count]),
                           .dtype = CNN_F32,
                           .rank = part->rank,
                           .count = part->count,
                           .data = arena + part->at};
    memcpy(tensor->shape, part->shape, sizeof part->shape);
    list->count++;
}

/* Adds all parts of a network, read from an arena. */
static void add_arena(tensor_list *list, cnn_role role, const cnn_net *net, const float *arena)
{
    for (int i = 0; i < cnn_part_count(net); i++) {
        const cnn_part part = cnn_part_at(net, i);
        add_part(list, role, &part, arena);
    }
}

static void add_gradients(tensor_list *list, const cnn_net *net)
{
    for (int i = 0; i < cnn_part_count(net); i++) {
        const cnn_part part = cnn_part_at(net, i);
        if (cnn_part_has_gradient(&part))
            add_part(list, cnn_role_gradient, &part, net->gradients);
    }
}

/* What the seed does not tell of a merged network. */
static void add_merged(tensor_list *list, const cnn_net *net)
{
    if (!net->merge_count)
        return;
    add_arena(list, cnn_role_initial, net, net->initial);
    for (int i = 0; i < net->layer_count; i++) {
        const cnn_layer *layer = &net->layers[i];
        if (!layer->source)
            continue;
        list->tensors[list->count] = (cnn_tensor){.name = cnn_source_name(layer, list->names[list->count]),
                                                  .dtype = CNN_I32,
                                                  .rank = 1,
                                                  .shape = {(uint64_t)layer->out.c},
                                                  .count = (uint64_t)layer->out.c,
                                                  .data = layer->source};
        list->count++;
    }
}

static int write_checkpoint(const char *path, const tensor_list *list, const cnn_net *net,
                            const cnn_optimizer *optimizer, uint64_t step)
{
    char input[48], classes[16], steps[24], seed[24];
    snprintf(input, sizeof input, "%dx%dx%d", net->input.c, net->input.h, net->input.w);
    snprintf(classes, sizeof classes, "%d", net->classes);
    snprintf(steps, sizeof steps, "%llu", (unsigned long long)step);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)net->seed);
    cnn_metadata metadata[METADATA_MOST] = {
        {"format", "pt"},     {"weightscape", WEIGHTSCAPE_VERSION},
        {"net", net->spec},   {"input", input},
        {"classes", classes}, {"step", steps},
        {"seed", seed},
    };
    size_t count = METADATA_MOST - 2;
    if (optimizer)
        metadata[count++] = (cnn_metadata){"optimizer", cnn_optimizer_name(optimizer->options.kind)};
    char *merges = NULL;
    if (net->merge_count) {
        merges = cnn_merge_history_text(net);
        if (!merges)
            return cnn_fail(CNN_NO_MEMORY, "%s: no memory for the history of merges", path);
        metadata[count++] = (cnn_metadata){CNN_MERGE_HISTORY, merges};
    }
    const int status = cnn_safetensors_write(path, list->tensors, list->count, metadata, count);
    free(merges);
    return status;
}

int cnn_checkpoint_save(const char *path, const cnn_net *net, const cnn_optimizer *optimizer, uint64_t step)
{
    /* The random state, and for each part: parameters, two moments, gradient, initial values, source. */
    const size_t most = 1 + 6 * (size_t)cnn_part_count(net);
    tensor_list list = {calloc(most, sizeof *list.tensors), calloc(most, sizeof *list.names), 0};
    int status = CNN_OK;
    if (list.tensors && list.names) {
        /* The widest type comes first, so that it is aligned: PyTorch cannot view it otherwise. */
        const uint64_t random[2] = {net->seed, step};
        list.tensors[list.count++] = (cnn_tensor){
            .name = CNN_RANDOM_STATE, .dtype = CNN_U64, .rank = 1, .shape = {2}, .count = 2, .data = random};
        add_arena(&list, cnn_role_parameters, net, net->parameters);
        for (int i = 0; optimizer && i < optimizer->moment_count; i++)
            add_arena(&list, cnn_role_moment(optimizer->options.kind, i), net, optimizer->moments[i]);
        add_gradients(&list, net);
        add_merged(&list, net);
        status = write_checkpoint(path, &list, net, optimizer, step);
    } else {
        status = cnn_fail(CNN_NO_MEMORY, "%s: no memory for %zu tensors", path, most);
    }
    free(list.tensors);
    free(list.names);
    return status;
}

/* ---- what a file says of itself ---- */

/* A whole number of the metadata; *out stays as it is where there is none. */
static int read_number(const cnn_safetensors *file, const char *key, uint64_t high, uint64_t *out)
{
    const char *text = cnn_safetensors_metadata(file, key);
    if (text && cnn_parse_whole(key, text, 0, high, out))
        return cnn_fail(CNN_BAD_FILE, "%s: metadata %s", cnn_safetensors_path(file), cnn_message());
    return CNN_OK;
}

/* "CxHxW" */
static int read_input(const cnn_safetensors *file, cnn_shape *out)
{
    const char *text = cnn_safetensors_metadata(file, "input");
    if (!text)
        return CNN_OK;
    char copy[48] = "", *rest = copy;
    int *const extents[] = {&out->c, &out->h, &out->w};
    int good = strlen(text) < sizeof copy;
    if (good)
        strcpy(copy, text);
    for (int i = 0; i < 3 && good; i++) {
        uint64_t extent;
        char *end = rest + strcspn(rest, "x");
        good = (*end == 'x') == (i < 2);
        *end = '\0';
        good = good && !cnn_parse_whole("input", rest, 1, INT_MAX, &extent);
        if (good)
            *extents[i] = (int)extent;
        rest = end + 1;
    }
    return good ? CNN_OK
                : cnn_fail(CNN_BAD_FILE, "%s: metadata input \"%s\" is not CHANNELSxHEIGHTxWIDTH",
                           cnn_safetensors_path(file), text);
}

/* random.state must say what the metadata says. */
static int read_random(const cnn_safetensors *file, cnn_checkpoint_info *info)
{
    const char *path = cnn_safetensors_path(file);
    const cnn_tensor *tensor = cnn_safetensors_find(file, CNN_RANDOM_STATE);
    if (!tensor)
        return CNN_OK;
    if (tensor->dtype != CNN_U64 || tensor->count != 2)
        return cnn_fail(CNN_BAD_FILE, "%s: tensor \"%s\" is not U64 [2] (seed and step)", path,
                        CNN_RANDOM_STATE);
    uint64_t state[2];
    memcpy(state, tensor->data, sizeof state);
    if (cnn_safetensors_metadata(file, "seed") && info->seed != state[0])
        return cnn_fail(CNN_BAD_FILE, "%s: metadata says seed %llu, random.state says %llu", path,
                        (unsigned long long)info->seed, (unsigned long long)state[0]);
    if (cnn_safetensors_metadata(file, "step") && info->step != state[1])
        return cnn_fail(CNN_BAD_FILE, "%s: metadata says step %llu, random.state says %llu", path,
                        (unsigned long long)info->step, (unsigned long long)state[1]);
    info->seed = state[0];
    info->step = state[1];
    return CNN_OK;
}

static int read_optimizer(const cnn_safetensors *file, cnn_checkpoint_info *info)
{
    const char *name = cnn_safetensors_metadata(file, "optimizer");
    info->has_optimizer = name != NULL;
    if (name && cnn_optimizer_parse(name, &info->optimizer))
        return cnn_fail(CNN_BAD_FILE, "%s: metadata %s", cnn_safetensors_path(file), cnn_message());
    return CNN_OK;
}

int cnn_checkpoint_describe(const cnn_safetensors *file, cnn_checkpoint_info *out)
{
    cnn_checkpoint_info info = {.net = cnn_safetensors_metadata(file, "net")};
    uint64_t classes = 0;
    int status = read_input(file, &info.input);
    if (!status)
        status = read_number(file, "classes", INT_MAX, &classes);
    if (!status)
        status = read_number(file, "step", UINT64_MAX, &info.step);
    if (!status)
        status = read_number(file, "seed", UINT64_MAX, &info.seed);
    if (!status)
        status = read_optimizer(file, &info);
    if (!status)
        status = read_random(file, &info);
    if (status)
        return status;
    info.classes = (int)classes;
    *out = info;
    return CNN_OK;
}
