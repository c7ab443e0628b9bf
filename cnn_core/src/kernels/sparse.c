/* SPDX-License-Identifier: BSD-3-Clause */
#include "target.h"

/* One row of sums of this many vectors stays in registers: as many chains of multiply-adds as hide their
 * latency. */
enum { WIDEST = 8 };

INLINE void strip(const cnn_sparse_product *p, int i, int j, int columns, int vectors)
{
    vector sum[WIDEST];
    UNROLL for (int v = 0; v < vectors; v++) sum[v] = start_of(&p->target, j + v * LANES);
    const float *b = p->b + j;
    const cnn_term *term = p->terms + i * p->capacity, *end = term + p->counts[i];
    for (; term < end; term++) {
        const float *operand = b + term->row;
        const float factor = term->value;
        UNROLL for (int v = 0; v < vectors; v++) sum[v] += factor * load(operand + v * LANES);
    }
    finish(&p->target, i, j, columns, sum, vectors);
}

#define STRIPS(count)                                                                                        \
    case count:                                                                                              \
        for (int i = 0; i < p->m; i++)                                                                       \
            strip(p, i, j, columns, count);                                                                  \
        break;

void KERNEL(sparse_product)(const cnn_sparse_product *product)
{
    /* A copy that no store can reach: what it holds stays in registers. */
    const cnn_sparse_product copy = *product, *p = &copy;
    for (int j = 0; j < p->n; j += WIDEST * LANES) {
        const int columns = p->n - j < WIDEST * LANES ? p->n - j : WIDEST * LANES;
        switch ((columns + LANES - 1) / LANES) {
            STRIPS(1)
            STRIPS(2)
            STRIPS(3)
            STRIPS(4)
            STRIPS(5)
            STRIPS(6)
            STRIPS(7)
            STRIPS(8)
        default:
            break;
        }
    }
}

int KERNEL(count)(const float *values, int count)
{
    integers sums = {0};
    int i = 0, found = 0;
    for (; i + LANES <= count; i += LANES)
        sums -= load(values + i) != 0;
    for (int lane = 0; lane < LANES; lane++)
        found += sums[lane];
    for (; i < count; i++)
        found += values[i] != 0;
    return found;
}

/* No branch, since it could not be foretold: what is zero, of either sign, is written over
 * by what comes next. */
int KERNEL(collect)(const float *values, int count, int32_t pitch, cnn_term *terms)
{
    int found = 0;
    for (int i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, values + i, sizeof bits);
        terms[found] = (cnn_term){i * pitch, values[i]};
        found += bits << 1 != 0;
    }
    return found;
}
