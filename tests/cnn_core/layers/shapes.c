/* SPDX-License-Identifier: BSD-3-Clause */
#include "shapes.h"
#include "cmocka_headers.h"
#include "cnn/random.h"
#include "cnn/status.h"
#include "kernels.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const conv_shape by_hand[] = {
    {{1, 28, 28}, 16, 3, 3, 1, 1},   {{16, 14, 14}, 32, 3, 3, 1, 1}, {{1, 1, 1}, 1, 1, 1, 1, 1},
    {{3, 5, 7}, 2, 5, 7, 1, 0},      {{3, 5, 7}, 2, 5, 7, 1, 1},     {{2, 9, 9}, 5, 3, 3, 2, 1},
    {{2, 9, 8}, 5, 3, 2, 2, 0},      {{1, 17, 1}, 3, 4, 1, 1, 1},    {{1, 1, 33}, 3, 1, 2, 1, 1},
    {{4, 6, 6}, 7, 1, 1, 1, 0},      {{4, 6, 6}, 7, 1, 1, 3, 1},     {{5, 8, 8}, 1, 2, 2, 1, 1},
    {{3, 32, 32}, 6, 5, 5, 1, 0},    {{2, 7, 7}, 3, 3, 3, 5, 1},     {{2, 7, 7}, 3, 7, 7, 7, 0},
    {{2, 40, 37}, 5, 3, 3, 1, 1},    {{20, 9, 9}, 40, 3, 3, 1, 1},   {{33, 6, 6}, 17, 3, 3, 2, 1},
    {{80, 4, 4}, 35, 3, 3, 1, 1},    {{16, 33, 34}, 5, 3, 3, 1, 1},  {{32, 7, 9}, 80, 3, 3, 1, 1},
    {{16, 6, 5}, 9, 2, 4, 1, 1},     {{48, 5, 5}, 20, 1, 1, 1, 1},   {{16, 1, 7}, 4, 1, 6, 1, 1},
    {{16, 8, 8}, 6, 3, 3, 1, 0},     {{16, 9, 9}, 8, 3, 3, 2, 1},    {{32, 9, 9}, 64, 3, 3, 2, 1},
    {{16, 33, 34}, 120, 3, 3, 1, 1}, {{16, 3, 4}, 16, 3, 3, 1, 1},   {{32, 5, 3}, 16, 3, 3, 1, 0},
    {{16, 3, 3}, 48, 3, 3, 1, 0},    {{32, 3, 5}, 32, 3, 3, 1, 1},   {{1, 3, 4}, 32, 3, 3, 1, 1},
    {{1, 9, 21}, 48, 3, 3, 1, 0},    {{1, 35, 33}, 16, 3, 3, 1, 1},
};

/* A number in 1..most, from the sequence of shape `index`. */
static int draw(int index, int number, int most)
{
    return 1 +
           (int)(cnn_random_word(99, CNN_STREAM_PROBE, (uint64_t)index, (uint64_t)number) % (uint32_t)most);
}

conv_shape conv_shape_at(int index)
{
    const int hands = (int)(sizeof by_hand / sizeof by_hand[0]);
    if (index < hands)
        return by_hand[index];
    conv_shape shape = {.in = {draw(index, 0, 9), draw(index, 1, 20), draw(index, 2, 20)},
                        .filters = draw(index, 3, 19)};
    shape.kernel_h = draw(index, 4, shape.in.h < 6 ? shape.in.h : 6);
    shape.kernel_w = draw(index, 5, shape.in.w < 6 ? shape.in.w : 6);
    shape.stride = draw(index, 6, 3);
    shape.same = draw(index, 7, 2) - 1;
    if (index % 3 == 0)
        shape = (conv_shape){{16 * draw(index, 8, 3), shape.in.h, shape.in.w},
                             shape.filters,
                             shape.kernel_h,
                             shape.kernel_w,
                             1,
                             1};
    return shape;
}

cnn_net *conv_net(const conv_shape *shape, unsigned long seed)
{
    char spec[96];
    snprintf(spec, sizeof spec, "conv %d %dx%d stride %d %s, linear 2", shape->filters, shape->kernel_h,
             shape->kernel_w, shape->stride, shape->same ? "same" : "valid");
    cnn_net *net;
    if (cnn_net_create(spec, shape->in, 2, seed, &net))
        fail_msg("%s: %s", spec, cnn_message());
    return net;
}

void for_each_kernels(void (*test)(void))
{
    static const char *const names[] = {"plain", "avx2", "avx512", "neon"};
    for (int i = 0; i < 4; i++) {
        setenv("CNN_KERNELS", names[i], 1);
        if (!strcmp(cnn_kernels_get()->name, names[i]))
            test();
        else
            print_message("         this processor has no %s\n", names[i]);
    }
    unsetenv("CNN_KERNELS");
}
