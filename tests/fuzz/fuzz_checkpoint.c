/* SPDX-License-Identifier: BSD-3-Clause */
/* A safetensors file: all of its tensors as numbers, then as the checkpoint that it may be. */
#include "cnn/checkpoint.h"
#include "cnn/status.h"
#include "fuzz.h"
#include <stdlib.h>
#include <string.h>

static void hear(void *context, const char *line)
{
    fuzz_require_line(line, context);
}

static void read_tensors(const cnn_safetensors *file)
{
    for (size_t i = 0; i < cnn_safetensors_count(file); i++) {
        const cnn_tensor *tensor = cnn_safetensors_at(file, i);
        float *values = malloc(tensor->count * sizeof *values + 1);
        fuzz_require(values != NULL, "no tensor is larger than its file");
        if (cnn_safetensors_floats(file, tensor, 1, values))
            cnn_safetensors_floats(file, tensor, 0, values);
        free(values);
        fuzz_require(cnn_safetensors_find(file, tensor->name) != NULL, "a tensor is found by its name");
    }
    const char *key, *value;
    for (size_t i = 0; cnn_safetensors_metadata_at(file, i, &key, &value); i++)
        fuzz_require(cnn_safetensors_metadata(file, key) == value, "metadata are found by their keys");
}

static void read_network(const cnn_safetensors *file, const char *path)
{
    cnn_checkpoint_info info;
    cnn_net *net;
    if (cnn_checkpoint_describe(file, &info)) {
        fuzz_require_line(cnn_message(), path);
        return;
    }
    if (cnn_checkpoint_make_net(file, NULL, hear, (void *)path, &net))
        return;
    cnn_checkpoint_load_gradients(file, net);
    cnn_optimizer *optimizer;
    const cnn_optimizer_options options = {.kind = info.optimizer};
    if (info.has_optimizer && !cnn_optimizer_create(&options, net, &optimizer)) {
        cnn_checkpoint_load_optimizer(file, net, optimizer);
        cnn_optimizer_free(optimizer);
    }
    cnn_net_free(net);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file(0, data, size);
    cnn_safetensors *file;
    if (cnn_safetensors_open(path, &file)) {
        fuzz_require_line(cnn_message(), path);
        return 0;
    }
    read_tensors(file);
    read_network(file, path);
    cnn_safetensors_close(file);
    return 0;
}
