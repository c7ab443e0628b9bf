/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/status.h"
#include "cnn/trainer.h"
#include <math.h>

int cnn_evaluate(cnn_net *net, const cnn_dataset *set, uint32_t batch, cnn_threads *threads,
                 cnn_evaluation *out)
{
    if (batch < 1)
        return cnn_fail(CNN_BAD_ARGUMENT, "batch: 0 is not at least 1");
    if (set->count == 0) {
        *out = (cnn_evaluation){.loss = NAN, .accuracy = NAN};
        return CNN_OK;
    }
    if (set->shape.c != net->input.c || set->shape.h != net->input.h || set->shape.w != net->input.w)
        return cnn_fail(CNN_BAD_ARGUMENT, "set: images of %dx%dx%d, the network takes %dx%dx%d", set->shape.c,
                        set->shape.h, set->shape.w, net->input.c, net->input.h, net->input.w);
    if (set->classes > net->classes)
        return cnn_fail(CNN_BAD_ARGUMENT, "set: %d classes, the network has %d", set->classes, net->classes);

    const uint32_t size = batch < set->count ? batch : set->count;
    cnn_pass *pass;
    const int status = cnn_pass_create(net, (int)size, 0, threads, &pass);
    if (status)
        return status;
    cnn_evaluation result = {.count = set->count};
    for (uint32_t first = 0; first < set->count; first += size) {
        const int n = (int)(set->count - first < size ? set->count - first : size);
        for (int i = 0; i < n; i++) {
            const uint32_t index = first + (uint32_t)i;
            cnn_dataset_gather(set, &index, 1,
                               cnn_pass_images(pass) + (size_t)i * cnn_shape_count(net->input),
                               cnn_pass_labels(pass) + i);
        }
        const cnn_batch_result part = cnn_pass_forward(pass, n);
        result.loss += part.loss_sum;
        result.correct += (uint32_t)part.correct;
    }
    cnn_pass_free(pass);
    result.loss /= result.count;
    result.accuracy = (double)result.correct / result.count;
    *out = result;
    return CNN_OK;
}
