/* SPDX-License-Identifier: BSD-3-Clause */
/* The largest of some vectors, lane by lane, and which it was: what pooling is made of. */
#ifndef CNN_KERNELS_LARGEST_H
#define CNN_KERNELS_LARGEST_H

#include "vector.h"

typedef struct largest {
    vector value;
    integers place;
} largest;

INLINE integers either(integers mask, integers yes, integers no)
{
    return (yes & mask) | (no & ~mask);
}

/* The first of equals stays. NaN is larger than any number, and no NaN is larger than another. */
INLINE largest larger(largest so_far, vector value, int place)
{
    const integers better = ~(value <= so_far.value) & (so_far.value == so_far.value);
    return (largest){(vector)either(better, (integers)value, (integers)so_far.value),
                     either(better, (integers){0} + place, so_far.place)};
}

/* The place that is told: none where a relu passes nothing. */
INLINE integers place_told(largest found, int after_relu)
{
    return after_relu ? found.place | (found.value <= 0) : found.place;
}

INLINE void store_integers(int32_t *to, integers v, int count)
{
    store_some((float *)to, (vector)v, count); /* copies bits, whatever they mean */
}

#endif
