/* SPDX-License-Identifier: BSD-3-Clause */
#include "tensor.h"

void ws_tensor_gather(const ws_tensor *tensor, float *out)
{
    if (ws_tensor_is_dense(tensor)) {
        memcpy(out, tensor->data, ws_tensor_count(tensor) * sizeof *out);
        return;
    }
    const int64_t *shape = tensor->shape, *stride = tensor->stride;
    for (int64_t k = 0; k < shape[0]; k++)
        for (int64_t c = 0; c < shape[1]; c++)
            for (int64_t r = 0; r < shape[2]; r++) {
                const int64_t row = k * stride[0] + c * stride[1] + r * stride[2];
                for (int64_t s = 0; s < shape[3]; s++)
                    /* As bytes: a float that passes through a register could lose a signalling NaN's bit. */
                    memcpy(out++, &tensor->data[row + s * stride[3]], sizeof *out);
            }
}

const float *ws_tensor_dense(const ws_tensor *tensor, float *scratch)
{
    if (ws_tensor_is_dense(tensor))
        return tensor->data;
    ws_tensor_gather(tensor, scratch);
    return scratch;
}
