/* SPDX-License-Identifier: BSD-3-Clause */
#include "layers/layers.h"

cnn_pool cnn_pool_of(const cnn_layer *layer)
{
    return (cnn_pool){.channels = layer->out.c,
                      .in_h = layer->in.h,
                      .in_w = layer->in.w,
                      .out_h = layer->out.h,
                      .out_w = layer->out.w,
                      .kernel_h = layer->kernel_h,
                      .kernel_w = layer->kernel_w,
                      .stride = layer->stride};
}
