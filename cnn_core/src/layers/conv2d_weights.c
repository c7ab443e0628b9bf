/* SPDX-License-Identifier: BSD-3-Clause */
/* The weights of a convolution between two layouts: the network's, [K,C,R,S], and those in which its kernels
 * read them and sum their gradients. By some filters at a time. */
#include "layers/layers.h"
#include <string.h>

enum { FILTERS = 16 }; /* of one task */

int cnn_conv_weight_tasks(const cnn_conv *conv)
{
    return (conv->out.c + FILTERS - 1) / FILTERS;
}

static int filters_of(const cnn_conv *conv, int first)
{
    const int left = conv->out.c - first;
    return left < FILTERS ? left : FILTERS;
}

/* Filters first to first + filters, which are all of one strip. */
static void pack_strips(const cnn_kernels *kernels, const cnn_conv *conv, const float *weight, int first,
                        int filters)
{
    float *strip = conv->strips + (ptrdiff_t)(first / CNN_CONV3X3_STRIP) * conv->taps * CNN_CONV3X3_STRIP +
                   first % CNN_CONV3X3_STRIP;
    kernels->transpose(weight, conv->taps, filters, conv->taps, strip, CNN_CONV3X3_STRIP);
}

void cnn_conv_pack(const cnn_kernels *kernels, const cnn_conv *conv, const float *weight, int index)
{
    const int first = index * FILTERS, filters = filters_of(conv, first);
    const int window = conv->kernel_h * conv->kernel_w;
    weight += (ptrdiff_t)first * conv->taps;
    if (conv->strips)
        pack_strips(kernels, conv, weight, first, filters);
    kernels->transpose(weight, conv->taps, filters, conv->taps, conv->by_tap + first, conv->filter_pitch);
    for (int k = first; conv->by_filter && k < first + filters; k++, weight += conv->taps)
        kernels->transpose(weight, window, conv->in.c, window, conv->by_filter + k * conv->tap_pitch,
                           conv->in.c);
}

/* Adds to rows of the first part, a multiple of K apart, those of the others, in the order of the parts. */
static void add_others(const cnn_kernels *kernels, const cnn_conv *conv, float *first, int parts, int rows,
                       int columns)
{
    const ptrdiff_t part = ((ptrdiff_t)conv->taps + 1) * conv->out.c;
    for (int i = 1; i < parts; i++)
        kernels->add_rows(first + i * part, conv->out.c, rows, columns, first, conv->filters);
}

void cnn_conv_add_parts(const cnn_kernels *kernels, const cnn_conv *conv, float *values, int parts,
                        float *weight_gradient, float *bias_gradient, int index)
{
    const int first = index * FILTERS, filters = filters_of(conv, first);
    const int window = conv->kernel_h * conv->kernel_w;
    if (conv->taps_first) {
        add_others(kernels, conv, values + first, parts, conv->taps, filters);
        kernels->transpose(values + first, conv->out.c, conv->taps, filters,
                           weight_gradient + (ptrdiff_t)first * conv->taps, conv->taps);
    }
    for (int k = first; !conv->taps_first && k < first + filters; k++) {
        float *filter = values + (ptrdiff_t)k * conv->taps;
        add_others(kernels, conv, filter, parts, 1, conv->taps);
        kernels->transpose(filter, conv->in.c, window, conv->in.c,
                           weight_gradient + (ptrdiff_t)k * conv->taps, window);
    }
    float *biases = values + (ptrdiff_t)conv->taps * conv->out.c + first;
    add_others(kernels, conv, biases, parts, 1, filters);
    memcpy(bias_gradient + first, biases, (size_t)filters * sizeof *biases);
}
