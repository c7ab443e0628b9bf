/* SPDX-License-Identifier: BSD-3-Clause */
/* Layers for the tests, whose weights tell their indices. */
#ifndef WEIGHTSCAPE_TEST_WEIGHTS_H
#define WEIGHTSCAPE_TEST_WEIGHTS_H

#include "cmocka_headers.h"
#include "layer.h"
#include <string.h>

enum { K = 3, C = 2, R = 4, S = 5, COUNT = K * C * R * S };

/* Laid out the other way round: the first index is the fastest. */
static const int64_t reversed[4] = {1, K, K *C, K *C *R};
static float weight[COUNT], gradient[COUNT], initial[COUNT];

static float value_of(int k, int c, int r, int s)
{
    return (float)(1000 * k + 100 * c + 10 * r + s);
}

static ws_layer describe_layer(const char *name)
{
    for (int k = 0; k < K; k++)
        for (int c = 0; c < C; c++)
            for (int r = 0; r < R; r++)
                for (int s = 0; s < S; s++) {
                    const int64_t at = k * reversed[0] + c * reversed[1] + r * reversed[2] + s * reversed[3];
                    weight[at] = value_of(k, c, r, s);
                    gradient[at] = -value_of(k, c, r, s);
                    initial[at] = 0.5f;
                }
    ws_layer layer = {.size = sizeof layer,
                      .kind = WS_CONVOLUTION,
                      .name = name,
                      .shape = {K, C, R, S},
                      .weight = weight,
                      .gradient = gradient,
                      .initial = initial};
    memcpy(layer.stride, reversed, sizeof reversed);
    return layer;
}

#endif
