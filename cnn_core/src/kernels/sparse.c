/* SPDX-License-Identifier: BSD-3-Clause */
#include "target.h"

/* One row of sums of this many vectors stays in registers: as many chains of multiply-adds as hide their
 * latency. */
enum { WIDEST = 8 };

INLINE void strip(const cnn_sparse_product *p, int i, int j, int columns, int vectors)
{
    vector sum[WIDEST];
    float *c = place_of(&p->target, i, j);
    UNROLL for (int v = 0; v < vectors; v += CNN_VECTOR_MOST / LANES) fetch(c + v * LANES);
    UNROLL for (int v = 0; v < vectors; v++) sum[v] = start_of(&p->target, c + v * LANES, j + v * LANES);
    const float *b = p->b + j;
    const cnn_term *term = p->terms + i * p->capacity, *end = term + p->counts[i];
    for (; term < end; term++) {
        const float *operand = b + term->row;
        const float factor = term->value;
        UNROLL for (int v = 0; v < vectors; v++) sum[v] += factor * load(operand + v * LANES);
    }
    if (columns == vectors * LANES)
        finish(&p->target, c, LANES, sum, vectors);
    else
        finish(&p->target, c, columns - (vectors - 1) * LANES, sum, vectors);
}

#define LAST_STRIP(count)                                                                                    \
    case count:                                                                                              \
        for (int i = 0; i < p->m; i++) {                                                                     \
            for (int j = 0; j < whole; j += WIDEST * LANES)                                                  \
                strip(p, i, j, WIDEST *LANES, WIDEST);                                                       \
            strip(p, i, whole, p->n - whole, count);                                                         \
        }                                                                                                    \
        break;

/* Row after row, since rows of the target may overlap: columns 0 to `whole` in the widest strips, then the
 * last. */
void KERNEL(sparse_product)(const cnn_sparse_product *product)
{
    /* A copy that no store can reach: what it holds stays in registers. */
    const cnn_sparse_product copy = *product, *p = &copy;
    const int whole = (p->n - 1) / (WIDEST * LANES) * (WIDEST * LANES);
    switch ((p->n - whole + LANES - 1) / LANES) {
        LAST_STRIP(1)
        LAST_STRIP(2)
        LAST_STRIP(3)
        LAST_STRIP(4)
        LAST_STRIP(5)
        LAST_STRIP(6)
        LAST_STRIP(7)
        LAST_STRIP(8)
    default:
        break;
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
