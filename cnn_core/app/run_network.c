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

/* The network at step 0, from what the record tells of it. */
static int make_net(const char *path, const json_t *record, cnn_net **out)
{
    const json_t *net = json_object_get(record, "net"), *input = json_object_get(net, "input");
    const char *spec = json_string_value(json_object_get(net, "spec"));
    if (!spec)
        return cnn_fail(CNN_BAD_FILE, "%s: does not tell the network", path);
    const cnn_shape shape = {(int)json_integer_value(json_object_get(input, "channels")),
                             (int)json_integer_value(json_object_get(input, "height")),
                             (int)json_integer_value(json_object_get(input, "width"))};
    const json_t *seed = json_object_get(json_object_get(record, "options"), "seed");
    return cnn_net_create(spec, shape, (int)json_integer_value(json_object_get(net, "classes")),
                          (uint64_t)json_integer_value(seed), out);
}

/* The network of a checkpoint, in the widths that it had then. */
static int load_step(const char *folder, uint64_t step, const char *whole, cnn_net **out)
{
    cnn_safetensors *file;
    char *path = checkpoint_path(folder, step);
    int status = cnn_safetensors_open(path, &file);
    free(path);
    if (status)
        return status;
    cnn_net *net;
    status = cnn_checkpoint_make_net(file, whole, tell_note, NULL, &net);
    if (!status) {
        const int loaded = cnn_checkpoint_load_gradients(file, net);
        if (loaded < 0) {
            status = loaded;
            cnn_net_free(net);
        } else {
            *out = net;
        }
    }
    cnn_safetensors_close(file);
    return status;
}

int run_network_load(const run_folder *folder, const json_t *record, uint64_t step, cnn_net **out)
{
    cnn_net *net;
    int status = make_net(folder->record, record, &net);
    if (status || step == 0) {
        if (!status)
            *out = net;
        return status;
    }
    status = load_step(folder->checkpoints, step, net->spec, out);
    cnn_net_free(net);
    return status;
}
