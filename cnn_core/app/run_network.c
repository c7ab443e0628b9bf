/* SPDX-License-Identifier: BSD-3-Clause */
#include "run_network.h"
#include "checkpoints.h"
#include "cnn/status.h"
#include "tell.h"
#include <stdlib.h>

int run_network_newest(const run_folder *folder, uint64_t *step)
{
    checkpoint_list list;
    const int status = checkpoint_list_read(folder->checkpoints, &list);
    if (status)
        return status;
    *step = list.count ? list.files[list.count - 1].step : 0;
    checkpoint_list_free(&list);
    return CNN_OK;
}

/* A network from what the record tells of it, with the widths of `spec`; NULL: those that it began with. */
static int make_net(const char *path, const json_t *record, const char *spec, cnn_net **out)
{
    const json_t *net = json_object_get(record, "net"), *input = json_object_get(net, "input");
    if (!spec)
        spec = json_string_value(json_object_get(json_object_get(record, "options"), "net"));
    if (!spec)
        return cnn_fail(CNN_BAD_FILE, "%s: does not tell the network", path);
    const cnn_shape shape = {(int)json_integer_value(json_object_get(input, "channels")),
                             (int)json_integer_value(json_object_get(input, "height")),
                             (int)json_integer_value(json_object_get(input, "width"))};
    const json_t *seed = json_object_get(json_object_get(record, "options"), "seed");
    return cnn_net_create(spec, shape, (int)json_integer_value(json_object_get(net, "classes")),
                          (uint64_t)json_integer_value(seed), out);
}

/* The state of a file; the network has the file's widths, which are others after a merge. */
static int load_file(const cnn_safetensors *file, const run_folder *folder, const json_t *record,
                     cnn_net **out)
{
    cnn_checkpoint_info info;
    int status = cnn_checkpoint_describe(file, &info);
    if (!status)
        status = make_net(folder->record, record, info.net, out);
    if (!status)
        status = cnn_checkpoint_load(file, *out, tell_note, NULL);
    const int loaded = status ? status : cnn_checkpoint_load_gradients(file, *out);
    return loaded < 0 ? loaded : CNN_OK;
}

int run_network_load(const run_folder *folder, const json_t *record, uint64_t step, cnn_net **out)
{
    if (!step)
        return make_net(folder->record, record, NULL, out);
    cnn_safetensors *file;
    cnn_net *net = NULL;
    char *path = checkpoint_path(folder->checkpoints, step);
    int status = cnn_safetensors_open(path, &file);
    free(path);
    if (status)
        return status;
    status = load_file(file, folder, record, &net);
    cnn_safetensors_close(file);
    if (status)
        cnn_net_free(net);
    else
        *out = net;
    return status;
}
