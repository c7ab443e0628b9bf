/* SPDX-License-Identifier: BSD-3-Clause */
/* A convolution as a product of matrices: the columns under all taps are written out (im2col), and BLAS
 * multiplies. */
#ifndef BLAS_CONV_H
#define BLAS_CONV_H

#include "cnn/net.h"

/* Floats of the columns of one image, [C*R*S, P*Q]. */
size_t blas_conv_columns(const cnn_layer *layer);

/* y[K,P,Q] of one image. */
void blas_conv_forward(const cnn_layer *layer, const float *x, float *y, float *columns);

/* One image: adds to gradient, weights [K,C,R,S] and then biases [K]; writes dx unless NULL. columns: twice
 * as many as above. */
void blas_conv_backward(const cnn_layer *layer, const float *x, const float *dy, float *gradient, float *dx,
                        float *columns);

#endif
