/* SPDX-License-Identifier: BSD-3-Clause */
#include "checkpoint_parts.h"
#include "cnn/checkpoint.h"
#include "cnn/status.h"
#include "merge_history.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHAPE_TEXT_SIZE = 24 * CNN_SAFETENSORS_MAX_RANK };

/* "[16,1,3,3]" */
static const char *shape_text(int rank, const uint64_t *shape, char text[SHAPE_TEXT_SIZE])
{
    size_t at = 0;
    for (int i = 0; i < rank; i++)
        at += (size_t)snprintf(text + at, SHAPE_TEXT_SIZE - at, "%c%llu", i ? ',' : '[',
                               (unsigned long long)shape[i]);
    snprintf(text + at, SHAPE_TEXT_SIZE - at, rank ? "]" : "[]");
    return text;
}

static int check_shape(const cnn_safetensors *file, const cnn_tensor *tensor, const cnn_part *part)
{
    char has[SHAPE_TEXT_SIZE], needs[SHAPE_TEXT_SIZE];
    if (tensor->rank == part->rank &&
        !memcmp(tensor->shape, part->shape, (size_t)part->rank * sizeof part->shape[0]))
        return CNN_OK;
    return cnn_fail(CNN_BAD_FILE, "%s: tensor \"%s\" has shape %s, the network needs %s",
                    cnn_safetensors_path(file), tensor->name, shape_text(tensor->rank, tensor->shape, has),
                    shape_text(part->rank, part->shape, needs));
}

/* One part from the tensor that holds its `role`. */
static int read_part(const cnn_safetensors *file, cnn_role role, const cnn_part *part, float *arena)
{
    char name[CNN_TENSOR_NAME_SIZE], needs[SHAPE_TEXT_SIZE];
    const cnn_tensor *tensor = cnn_safetensors_find(file, cnn_tensor_name(role, part, name));
    if (!tensor)
        return cnn_fail(CNN_BAD_FILE, "%s: has no tensor \"%s\" %s, which the network needs",
                        cnn_safetensors_path(file), name, shape_text(part->rank, part->shape, needs));
    const int status = check_shape(file, tensor, part);
    return status ? status : cnn_safetensors_floats(file, tensor, 1, arena + part->at);
}

static int read_arena(const cnn_safetensors *file, cnn_role role, const cnn_net *net, float *arena)
{
    int status = CNN_OK;
    for (int i = 0; i < cnn_part_count(net) && !status; i++) {
        const cnn_part part = cnn_part_at(net, i);
        status = read_part(file, role, &part, arena);
    }
    return status;
}

/* Room for `count` arenas, so that nothing is changed before all is checked. */
static int allocate_arenas(const cnn_safetensors *file, size_t count, const cnn_net *net, float **out)
{
    *out = calloc(count * net->parameter_count, sizeof **out);
    return *out ? CNN_OK
                : cnn_fail(CNN_NO_MEMORY, "%s: no memory for %zu parameters", cnn_safetensors_path(file),
                           net->parameter_count);
}

/* True if `name` is what cnn_checkpoint_save calls a tensor of `net`, with whatever optimizer. */
static int is_known(const cnn_net *net, const char *name)
{
    const cnn_role roles[] = {cnn_role_parameters,
                              cnn_role_initial,
                              cnn_role_gradient,
                              cnn_role_moment(CNN_MOMENTUM, 0),
                              cnn_role_moment(CNN_ADAM, 0),
                              cnn_role_moment(CNN_ADAM, 1)};
    char known[CNN_TENSOR_NAME_SIZE];
    if (!strcmp(name, CNN_RANDOM_STATE))
        return 1;
    for (int i = 0; i < cnn_part_count(net); i++) {
        const cnn_part part = cnn_part_at(net, i);
        if (!strcmp(name, cnn_source_name(part.layer, known)))
            return 1;
        for (size_t j = 0; j < sizeof roles / sizeof roles[0]; j++)
            if (!strcmp(name, cnn_tensor_name(roles[j], &part, known)))
                return 1;
    }
    return 0;
}

static int note_unknown(const cnn_safetensors *file, const cnn_net *net,
                        void (*note)(void *context, const char *line), void *context)
{
    const char *path = cnn_safetensors_path(file);
    for (size_t i = 0; i < cnn_safetensors_count(file); i++) {
        const cnn_tensor *tensor = cnn_safetensors_at(file, i);
        if (is_known(net, tensor->name))
            continue;
        char shape[SHAPE_TEXT_SIZE];
        const size_t size = strlen(path) + strlen(tensor->name) + sizeof shape + 80;
        char *line = malloc(size);
        if (!line)
            return cnn_fail(CNN_NO_MEMORY, "%s: no memory for a message", path);
        snprintf(line, size, "%s: tensor \"%s\" %s is not part of the network and is left out", path,
                 tensor->name, shape_text(tensor->rank, tensor->shape, shape));
        cnn_one_line(line);
        note(context, line);
        free(line);
    }
    return CNN_OK;
}

int cnn_checkpoint_check(const cnn_safetensors *file)
{
    if (cnn_safetensors_checksum(file) != CNN_CHECKSUM_WRONG)
        return CNN_OK;
    return cnn_fail(
        CNN_BAD_FILE,
        "%s: its checksum is not that of its contents: it was damaged, or edited by a program that "
        "left \"crc32\" in the metadata",
        cnn_safetensors_path(file));
}

static void note_checksum(const cnn_safetensors *file, void (*note)(void *context, const char *line),
                          void *context)
{
    if (cnn_checkpoint_check(file))
        note(context, cnn_message());
}

/* ---- what a merged network has beside its parameters ---- */

typedef struct merged_parts {
    float *initial;   /* NULL: nothing was merged */
    int32_t **source; /* [layer_count], NULL where there is none */
    cnn_merge_record *merges;
    int merge_count;
} merged_parts;

static void free_merged(const cnn_net *net, merged_parts *parts)
{
    for (int i = 0; parts->source && i < net->layer_count; i++)
        free(parts->source[i]);
    free(parts->source);
    free(parts->initial);
    free(parts->merges);
}

static int read_source(const cnn_safetensors *file, const cnn_layer *layer, int32_t **out)
{
    char name[CNN_TENSOR_NAME_SIZE];
    const cnn_tensor *tensor = cnn_safetensors_find(file, cnn_source_name(layer, name));
    if (!tensor)
        return CNN_OK;
    if (tensor->dtype != CNN_I32 || tensor->rank != 1 || tensor->count != (uint64_t)layer->out.c)
        return cnn_fail(CNN_BAD_FILE, "%s: tensor \"%s\" is not I32 [%d], one number for each unit",
                        cnn_safetensors_path(file), name, layer->out.c);
    int32_t *source = malloc(tensor->count * sizeof *source);
    if (!source)
        return cnn_fail(CNN_NO_MEMORY, "%s: no memory for %d units", cnn_safetensors_path(file),
                        layer->out.c);
    memcpy(source, tensor->data, tensor->count * sizeof *source);
    for (int k = 0; k < layer->out.c; k++)
        if (source[k] < 0 || (k && source[k] <= source[k - 1])) {
            const int value = source[k];
            free(source);
            return cnn_fail(CNN_BAD_FILE, "%s: tensor \"%s\": %d at %d, numbers of units rise from 0",
                            cnn_safetensors_path(file), name, value, k);
        }
    *out = source;
    return CNN_OK;
}

static int read_merged(const cnn_safetensors *file, const cnn_net *net, merged_parts *parts)
{
    const char *history = cnn_safetensors_metadata(file, CNN_MERGE_HISTORY);
    if (!history)
        return CNN_OK;
    int status = cnn_merge_history_parse(cnn_safetensors_path(file), history, net, &parts->merges,
                                         &parts->merge_count);
    if (!status)
        status = allocate_arenas(file, 1, net, &parts->initial);
    if (!status)
        status = read_arena(file, cnn_role_initial, net, parts->initial);
    if (!status && !(parts->source = calloc((size_t)net->layer_count, sizeof *parts->source)))
        status = cnn_fail(CNN_NO_MEMORY, "%s: no memory for %d layers", cnn_safetensors_path(file),
                          net->layer_count);
    for (int i = 0; i < net->layer_count && !status; i++)
        if (cnn_layer_has_parameters(&net->layers[i]))
            status = read_source(file, &net->layers[i], &parts->source[i]);
    for (int i = 0; i < parts->merge_count && !status; i++)
        if (!parts->source[parts->merges[i].layer])
            status = cnn_fail(CNN_BAD_FILE, "%s: has no tensor \"source.%s\", though its units were merged",
                              cnn_safetensors_path(file), net->layers[parts->merges[i].layer].name);
    return status;
}

/* The network takes what was read; `parts` is left with what it had. */
static void take_merged(cnn_net *net, merged_parts *parts)
{
    if (!parts->initial)
        return;
    cnn_merge_record *merges = net->merges;
    net->merges = parts->merges;
    net->merge_count = parts->merge_count;
    parts->merges = merges;
    memcpy(net->initial, parts->initial, net->parameter_count * sizeof *net->initial);
    for (int i = 0; i < net->layer_count; i++) {
        int32_t *source = net->layers[i].source;
        net->layers[i].source = parts->source[i];
        parts->source[i] = source;
    }
}

int cnn_checkpoint_load(const cnn_safetensors *file, cnn_net *net,
                        void (*note)(void *context, const char *line), void *context)
{
    float *parameters;
    merged_parts parts = {0};
    int status = allocate_arenas(file, 1, net, &parameters);
    if (!status)
        status = read_arena(file, cnn_role_parameters, net, parameters);
    if (!status)
        status = read_merged(file, net, &parts);
    if (!status && note)
        status = note_unknown(file, net, note, context);
    if (!status && note)
        note_checksum(file, note, context);
    if (!status) {
        memcpy(net->parameters, parameters, net->parameter_count * sizeof *parameters);
        take_merged(net, &parts);
    }
    free_merged(net, &parts);
    free(parameters);
    return status;
}

/* A few bytes of metadata must not ask for all memory: parameters are there in full, in two bytes each at
 * least. */
static int check_bytes(const cnn_safetensors *file, const cnn_checkpoint_info *info)
{
    enum { SMALL = 1 << 20 };
    size_t count = 0;
    uint64_t bytes = 0;
    for (size_t i = 0; i < cnn_safetensors_count(file); i++) {
        const cnn_tensor *tensor = cnn_safetensors_at(file, i);
        bytes += tensor->count * cnn_dtype_size(tensor->dtype);
    }
    const int status = cnn_net_measure(info->net, info->input, info->classes, &count);
    if (status || count <= SMALL || count <= bytes / cnn_dtype_size(CNN_F16))
        return status;
    return cnn_fail(CNN_BAD_FILE, "%s: its network has %zu parameters, its tensors have %llu bytes",
                    cnn_safetensors_path(file), count, (unsigned long long)bytes);
}

int cnn_checkpoint_make_net(const cnn_safetensors *file, const char *whole,
                            void (*note)(void *context, const char *line), void *context, cnn_net **out)
{
    const char *path = cnn_safetensors_path(file);
    cnn_checkpoint_info info;
    int status = cnn_checkpoint_describe(file, &info);
    if (!status && (!info.net || !info.input.c || !info.classes))
        status = cnn_fail(CNN_BAD_FILE, "%s: does not tell its network", path);
    if (!status && whole && cnn_net_check_merged(whole, info.net))
        status = cnn_fail(CNN_BAD_FILE, "%s: %s", path, cnn_message());
    if (!status)
        status = check_bytes(file, &info);
    cnn_net *net;
    if (!status)
        status = cnn_net_create(info.net, info.input, info.classes, info.seed, &net);
    if (status)
        return status;
    status = cnn_checkpoint_load(file, net, note, context);
    if (status)
        cnn_net_free(net);
    else
        *out = net;
    return status;
}

static int check_kind(const cnn_safetensors *file, cnn_optimizer_kind kind)
{
    const char *held = cnn_safetensors_metadata(file, "optimizer"), *wanted = cnn_optimizer_name(kind);
    if (!held)
        return cnn_fail(CNN_BAD_FILE, "%s: holds no state of an optimizer, \"%s\" is asked for",
                        cnn_safetensors_path(file), wanted);
    if (strcmp(held, wanted))
        return cnn_fail(CNN_BAD_FILE, "%s: holds the state of optimizer \"%s\", \"%s\" is asked for",
                        cnn_safetensors_path(file), held, wanted);
    return CNN_OK;
}

int cnn_checkpoint_load_optimizer(const cnn_safetensors *file, const cnn_net *net, cnn_optimizer *optimizer)
{
    const size_t count = net->parameter_count, moments = (size_t)optimizer->moment_count;
    int status = check_kind(file, optimizer->options.kind);
    if (status || !moments)
        return status;
    float *arenas;
    status = allocate_arenas(file, moments, net, &arenas);
    for (size_t i = 0; i < moments && !status; i++)
        status = read_arena(file, cnn_role_moment(optimizer->options.kind, (int)i), net, arenas + i * count);
    for (size_t i = 0; i < moments && !status; i++)
        memcpy(optimizer->moments[i], arenas + i * count, count * sizeof *arenas);
    free(arenas);
    return status;
}

/* The number of gradients read into `arena`, or a negative status. */
static int read_gradients(const cnn_safetensors *file, const cnn_net *net, float *arena)
{
    int loaded = 0;
    char name[CNN_TENSOR_NAME_SIZE];
    for (int i = 0; i < cnn_part_count(net); i++) {
        const cnn_part part = cnn_part_at(net, i);
        const cnn_tensor *tensor =
            cnn_safetensors_find(file, cnn_tensor_name(cnn_role_gradient, &part, name));
        if (!tensor || !cnn_part_has_gradient(&part))
            continue;
        int status = check_shape(file, tensor, &part);
        if (!status)
            status = cnn_safetensors_floats(file, tensor, 0, arena + part.at);
        if (status)
            return status;
        loaded++;
    }
    return loaded;
}

int cnn_checkpoint_load_gradients(const cnn_safetensors *file, cnn_net *net)
{
    float *gradients;
    int result = allocate_arenas(file, 1, net, &gradients);
    if (result)
        return result;
    const size_t size = net->parameter_count * sizeof *gradients;
    memcpy(gradients, net->gradients, size);
    result = read_gradients(file, net, gradients);
    if (result > 0)
        memcpy(net->gradients, gradients, size);
    free(gradients);
    return result;
}
