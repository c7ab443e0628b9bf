/* SPDX-License-Identifier: BSD-3-Clause */
/* What the library should compute, as plain nested loops in double that are obviously right. */
#ifndef CNN_TEST_REFERENCE_H
#define CNN_TEST_REFERENCE_H

#include "cnn/net.h"
#include <stddef.h>
#include <stdint.h>

/* y = layer(x) for one image. `scale` (may be NULL) receives, for each output, the sum of the absolute values
 * of its terms: what rounding errors are measured against. weight and bias are those of the layer, in double.
 */
void reference_conv(const cnn_layer *layer, const double *weight, const double *bias, const double *x,
                    double *y, double *scale);
void reference_linear(const cnn_layer *layer, const double *weight, const double *bias, const double *x,
                      double *y, double *scale);
void reference_maxpool(const cnn_layer *layer, const double *x, double *y);

/* Mean loss of a whole network over a batch, with parameters laid out as in the network's arena; step 0 is
 * inference, else dropout draws what a training step draws. */
double reference_loss(const cnn_net *net, const double *parameters, const float *images,
                      const uint8_t *labels, int n, uint64_t step);

/* Central difference of reference_loss by parameter number `index`. */
double reference_slope(const cnn_net *net, double *parameters, const float *images, const uint8_t *labels,
                       int n, uint64_t step, size_t index);

/* A deterministic value in [-1, 1). */
float reference_noise(uint64_t seed, uint64_t index);
void reference_fill(uint64_t seed, float *values, size_t count);

#endif
