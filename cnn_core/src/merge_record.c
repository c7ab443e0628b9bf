/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/merge_record.h"
#include "cnn/status.h"
#include <string.h>

static const char *const names[] = {
    [CNN_MERGE_SIMILAR] = "similar", [CNN_MERGE_NORM] = "norm", [CNN_MERGE_RANDOM] = "random"};

const char *cnn_merge_method_name(cnn_merge_method method)
{
    return names[method];
}

int cnn_merge_method_parse(const char *name, cnn_merge_method *out)
{
    for (int i = 0; i < 3; i++)
        if (!strcmp(name, names[i])) {
            *out = (cnn_merge_method)i;
            return CNN_OK;
        }
    return cnn_fail(CNN_BAD_ARGUMENT, "method: \"%s\" is not one of similar, norm, random", name);
}
