/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether one network can come from another by merging. */
#include "cnn/net.h"
#include "cnn/status.h"
#include "spec.h"

/* Outputs may become fewer, all else is as it was. */
static int is_narrower(const cnn_spec_layer *whole, const cnn_spec_layer *merged, int is_last)
{
    return whole->kind == merged->kind && whole->kernel_h == merged->kernel_h &&
           whole->kernel_w == merged->kernel_w && whole->stride == merged->stride &&
           whole->same == merged->same && whole->rate == merged->rate && merged->outputs <= whole->outputs &&
           (!is_last || merged->outputs == whole->outputs);
}

static int compare(const cnn_spec *whole, const cnn_spec *merged)
{
    if (whole->count != merged->count)
        return cnn_fail(CNN_BAD_ARGUMENT, "net: \"%s\" has %d layers, \"%s\" has %d", merged->text,
                        merged->count, whole->text, whole->count);
    for (int i = 0; i < whole->count; i++)
        if (!is_narrower(&whole->layers[i], &merged->layers[i], i == whole->count - 1))
            return cnn_fail(CNN_BAD_ARGUMENT,
                            "net: layer %d of \"%s\" is not that of \"%s\" with units merged", i + 1,
                            merged->text, whole->text);
    return CNN_OK;
}

int cnn_net_check_merged(const char *whole_text, const char *merged_text)
{
    cnn_spec whole, merged;
    int status = cnn_spec_parse(whole_text, &whole);
    if (status)
        return status;
    status = cnn_spec_parse(merged_text, &merged);
    if (!status) {
        status = compare(&whole, &merged);
        cnn_spec_free(&merged);
    }
    cnn_spec_free(&whole);
    return status;
}
