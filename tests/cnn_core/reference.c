/* SPDX-License-Identifier: BSD-3-Clause */
#include "reference.h"
#include "cnn/random.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

void reference_conv(const cnn_layer *layer, const double *weight, const double *bias, const double *x,
                    double *y, double *scale)
{
    const cnn_shape in = layer->in, out = layer->out;
    for (int k = 0; k < out.c; k++)
        for (int p = 0; p < out.h; p++)
            for (int q = 0; q < out.w; q++) {
                double sum = bias[k], size = fabs(bias[k]);
                for (int c = 0; c < in.c; c++)
                    for (int r = 0; r < layer->kernel_h; r++)
                        for (int s = 0; s < layer->kernel_w; s++) {
                            const int row = p * layer->stride + r - layer->pad_top;
                            const int column = q * layer->stride + s - layer->pad_left;
                            if (row < 0 || row >= in.h || column < 0 || column >= in.w)
                                continue;
                            const double term =
                                weight[((k * in.c + c) * layer->kernel_h + r) * layer->kernel_w + s] *
                                x[(c * in.h + row) * in.w + column];
                            sum += term;
                            size += fabs(term);
                        }
                y[(k * out.h + p) * out.w + q] = sum;
                if (scale)
                    scale[(k * out.h + p) * out.w + q] = size;
            }
}

void reference_linear(const cnn_layer *layer, const double *weight, const double *bias, const double *x,
                      double *y, double *scale)
{
    const size_t in = cnn_shape_count(layer->in);
    for (int o = 0; o < layer->out.c; o++) {
        double sum = bias[o], size = fabs(bias[o]);
        for (size_t i = 0; i < in; i++) {
            sum += weight[(size_t)o * in + i] * x[i];
            size += fabs(weight[(size_t)o * in + i] * x[i]);
        }
        y[o] = sum;
        if (scale)
            scale[o] = size;
    }
}

void reference_maxpool(const cnn_layer *layer, const double *x, double *y)
{
    const cnn_shape in = layer->in, out = layer->out;
    for (int c = 0; c < out.c; c++)
        for (int p = 0; p < out.h; p++)
            for (int q = 0; q < out.w; q++) {
                double best = -INFINITY;
                for (int r = 0; r < layer->kernel_h; r++)
                    for (int s = 0; s < layer->kernel_w; s++)
                        best =
                            fmax(best, x[(c * in.h + p * layer->stride + r) * in.w + q * layer->stride + s]);
                y[(c * out.h + p) * out.w + q] = best;
            }
}

static uint64_t dropped_per_image(const cnn_net *net)
{
    uint64_t count = 0;
    for (int i = 0; i < net->layer_count; i++)
        if (net->layers[i].kind == CNN_DROPOUT)
            count += cnn_shape_count(net->layers[i].out);
    return count;
}

/* One layer of one image; returns the layer's output, freshly allocated. */
static double *apply(const cnn_net *net, const cnn_layer *layer, const double *parameters, const double *x,
                     uint64_t image, uint64_t step)
{
    const size_t count = cnn_shape_count(layer->out);
    double *y = malloc(count * sizeof *y);
    const double *weight = layer->weight ? parameters + (layer->weight - net->parameters) : NULL;
    const double *bias = layer->bias ? parameters + (layer->bias - net->parameters) : NULL;
    switch (layer->kind) {
    case CNN_CONV:
        reference_conv(layer, weight, bias, x, y, NULL);
        break;
    case CNN_LINEAR:
        reference_linear(layer, weight, bias, x, y, NULL);
        break;
    case CNN_MAXPOOL:
        reference_maxpool(layer, x, y);
        break;
    case CNN_RELU:
        for (size_t i = 0; i < count; i++)
            y[i] = x[i] > 0 ? x[i] : 0;
        break;
    case CNN_DROPOUT:
        for (size_t i = 0; i < count; i++) {
            const uint64_t position = image * dropped_per_image(net) + layer->random_base + i;
            const int kept = cnn_random_unit(cnn_random_word(net->seed, CNN_STREAM_DROPOUT, step,
                                                             position)) >= layer->rate;
            y[i] = step == 0 ? x[i] : kept ? x[i] / (1 - (double)layer->rate) : 0;
        }
        break;
    }
    return y;
}

double reference_loss(const cnn_net *net, const double *parameters, const float *images,
                      const uint8_t *labels, int n, uint64_t step)
{
    const size_t pixels = cnn_shape_count(net->input);
    double total = 0;
    for (int image = 0; image < n; image++) {
        double *x = malloc(pixels * sizeof *x);
        for (size_t i = 0; i < pixels; i++)
            x[i] = (double)images[(size_t)image * pixels + i];
        for (int i = 0; i < net->layer_count; i++) {
            double *y = apply(net, &net->layers[i], parameters, x, (uint64_t)image, step);
            free(x);
            x = y;
        }
        double sum = 0;
        for (int i = 0; i < net->classes; i++)
            sum += exp(x[i]);
        total += log(sum) - x[labels[image]];
        free(x);
    }
    return total / n;
}

double reference_slope(const cnn_net *net, double *parameters, const float *images, const uint8_t *labels,
                       int n, uint64_t step, size_t index)
{
    const double h = 1e-6, middle = parameters[index];
    parameters[index] = middle + h;
    const double above = reference_loss(net, parameters, images, labels, n, step);
    parameters[index] = middle - h;
    const double below = reference_loss(net, parameters, images, labels, n, step);
    parameters[index] = middle;
    return (above - below) / (2 * h);
}

float reference_noise(uint64_t seed, uint64_t index)
{
    return cnn_random_unit(cnn_random_word(seed, CNN_STREAM_PROBE, 0, index)) * 2 - 1;
}

void reference_fill(uint64_t seed, float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = reference_noise(seed, i);
}
