/* SPDX-License-Identifier: BSD-3-Clause */
#include "layers/layers.h"

void cnn_relu_forward(float *y, size_t count)
{
    for (size_t i = 0; i < count; i++)
        y[i] = y[i] < 0 ? 0 : y[i];
}

void cnn_relu_backward(const float *y, float *dy, size_t count)
{
    for (size_t i = 0; i < count; i++)
        dy[i] = y[i] <= 0 ? 0 : dy[i];
}
