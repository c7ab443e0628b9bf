/* SPDX-License-Identifier: BSD-3-Clause */
/* What hosts of tests show: two convolutions, all extents different, and a linear layer, which learn nothing
 * but change at every step. Included by one file of a program. */
#ifndef TEST_MADE_TRAINING_H
#define TEST_MADE_TRAINING_H

#include <math.h>
#include <weightscape/insitu.h>

enum { K = 5, C = 3, R = 2, S = 4, FIRST = K * C * R * S, K2 = 4, SECOND = K2 * 1 * 3 * 3, LINEAR = 7 * 2 };

static float first[FIRST], first_gradient[FIRST], second[SECOND], linear[LINEAR];

static void train(uint64_t step)
{
    for (int i = 0; i < FIRST; i++) {
        first_gradient[i] = sinf((float)(step * 31 + (uint64_t)i));
        first[i] = step ? first[i] - 0.01f * first_gradient[i] : cosf((float)i);
    }
    for (int i = 0; i < SECOND; i++)
        second[i] = sinf((float)(step + (uint64_t)i * 7));
    for (int i = 0; i < LINEAR; i++)
        linear[i] = (float)step + (float)i;
}

static ws_row row_of(uint64_t step)
{
    return (ws_row){.size = sizeof(ws_row),
                    .step = step,
                    .epoch = (double)step / 4,
                    .time_s = (double)step,
                    .loss = 1.0 / (double)(step + 1),
                    .accuracy = 0.5,
                    .learning_rate = 0.01,
                    .validation_loss = NAN,
                    .validation_accuracy = NAN};
}

#endif
