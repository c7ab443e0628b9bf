/* SPDX-License-Identifier: BSD-3-Clause */
#include "file_network.h"
#include "cnn/status.h"
#include "net_text.h"
#include "tell.h"
#include "text.h"
#include <stdlib.h>

int file_network_make(const cnn_safetensors *file, const cnn_checkpoint_info *info, const char *given,
                      const cnn_dataset *set, cnn_net **out)
{
    if (!given && info->net && info->input.c && info->classes)
        return cnn_checkpoint_make_net(file, NULL, tell_note, NULL, out);
    char *spec = NULL;
    cnn_net *net = NULL;
    int status = CNN_OK;
    if (given)
        status = net_text_read(given, &spec);
    else if (info->net)
        spec = text_copy(info->net);
    else
        status =
            cnn_fail(CNN_BAD_ARGUMENT, "%s: names no network (--net tells it)", cnn_safetensors_path(file));
    if (!status)
        status =
            cnn_net_create(spec, info->input.c ? info->input : set->shape, set->classes, info->seed, &net);
    free(spec);
    if (!status)
        status = cnn_checkpoint_load(file, net, tell_note, NULL);
    if (status) {
        cnn_net_free(net);
        return status;
    }
    *out = net;
    return CNN_OK;
}
