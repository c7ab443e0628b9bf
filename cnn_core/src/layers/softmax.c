/* SPDX-License-Identifier: BSD-3-Clause */
#include "layers/layers.h"
#include <math.h>

double cnn_softmax_loss(const float *logits, int classes, int label, float scale, float *dlogits,
                        int *correct)
{
    int best = 0;
    for (int i = 1; i < classes; i++)
        if (logits[i] > logits[best])
            best = i;
    *correct = best == label;

    /* Shifted by the largest logit, so that no exponential overflows. */
    const double largest = (double)logits[best];
    double sum = 0;
    for (int i = 0; i < classes; i++)
        sum += exp((double)logits[i] - largest);
    for (int i = 0; dlogits && i < classes; i++)
        dlogits[i] = (float)(exp((double)logits[i] - largest) / sum - (i == label)) * scale;
    return log(sum) - ((double)logits[label] - largest);
}
