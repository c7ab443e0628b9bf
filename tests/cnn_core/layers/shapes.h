/* SPDX-License-Identifier: BSD-3-Clause */
/* Layers to test the kernels on: awkward ones by hand, more by chance. */
#ifndef CNN_TEST_SHAPES_H
#define CNN_TEST_SHAPES_H

#include "cnn/net.h"

/* A convolution followed by the linear layer that a network must end with. */
typedef struct conv_shape {
    cnn_shape in;
    int filters, kernel_h, kernel_w, stride, same;
} conv_shape;

enum { CONV_SHAPES = 80 };

/* Number `index` of CONV_SHAPES shapes. */
conv_shape conv_shape_at(int index);

/* The network of one such convolution and `linear 2`; asserts that it can be made. */
cnn_net *conv_net(const conv_shape *shape, unsigned long seed);

/* Runs `test` once for each instruction set that this machine has, with CNN_KERNELS set. */
void for_each_kernels(void (*test)(void));

#endif
