/* SPDX-License-Identifier: BSD-3-Clause */
#include "largest.h"
#include "names.h"

/* What a cache foresees by itself ends with each page: so many windows ahead are asked for. */
enum { AHEAD = 16 };

/* Channels c to c + LANES of a window ahead of the one that begins at `values`, where another line begins. */
INLINE void fetch_ahead(const cnn_pool *p, const void *values, int c)
{
    if (c % CNN_VECTOR_MOST == 0 && values)
        fetch((const float *)values + (ptrdiff_t)AHEAD * p->channels + c);
}

INLINE integers load_integers(const int32_t *from)
{
    integers v;
    memcpy(&v, from, sizeof v);
    return v;
}

static int channels_from(const cnn_pool *p, int c)
{
    return p->channels - c < LANES ? p->channels - c : LANES;
}

static ptrdiff_t window(const cnn_pool *p, int row, int column)
{
    return ((ptrdiff_t)row * p->stride * p->in_w + (ptrdiff_t)column * p->stride) * p->channels;
}

/* One window. */
INLINE void pool_window(const cnn_pool *p, int kernel_h, int kernel_w, const float *x, float *y,
                        int32_t *chosen)
{
    for (int c = 0; c < p->channels; c += LANES) {
        fetch_ahead(p, y, c);
        fetch_ahead(p, chosen, c);
        largest found = {load(x + c), {0}};
        for (int r = 0; r < kernel_h; r++)
            for (int s = 0; s < kernel_w; s++)
                found =
                    larger(found, load(x + ((ptrdiff_t)r * p->in_w + s) * p->channels + c), r * kernel_w + s);
        store_some(y + c, found.value, channels_from(p, c));
        if (chosen)
            store_integers(chosen + c, place_told(found, p->after_relu), channels_from(p, c));
    }
}

/* Few channels fill half of a vector only, as in product.c. */
#if defined(__AVX512F__)
void cnn_kernel_pool_avx2(const cnn_pool *p, const float *x, float *y, int32_t *chosen);
void cnn_kernel_unpool_avx2(const cnn_pool *p, const float *dy, const int32_t *chosen, float *dx);
#endif

void KERNEL(pool)(const cnn_pool *p, const float *x, float *y, int32_t *chosen)
{
#if defined(__AVX512F__)
    if (p->channels <= LANES / 2) {
        cnn_kernel_pool_avx2(p, x, y, chosen);
        return;
    }
#endif
    const cnn_pool pool = *p;
    for (int row = 0; row < pool.out_h; row++)
        for (int column = 0; column < pool.out_w; column++) {
            if (pool.kernel_h == 2 && pool.kernel_w == 2)
                pool_window(&pool, 2, 2, x + window(&pool, row, column), y, chosen);
            else
                pool_window(&pool, pool.kernel_h, pool.kernel_w, x + window(&pool, row, column), y, chosen);
            y += pool.channels;
            chosen = chosen ? chosen + pool.channels : NULL;
        }
}

/* Channels c to c + count of one window; if no other window has part of it, its gradients are all there is to
 * them. */
INLINE void unpool_channels(const cnn_pool *p, int kernel_h, int kernel_w, int alone, const float *dy,
                            const int32_t *chosen, float *dx, int c, int count)
{
    fetch_ahead(p, chosen, c);
    const integers slope = (integers)load(dy + c), choice = load_integers(chosen + c);
    for (int r = 0; r < kernel_h; r++)
        for (int s = 0; s < kernel_w; s++) {
            const vector part = (vector)(slope & (choice == r * kernel_w + s));
            float *to = dx + ((ptrdiff_t)r * p->in_w + s) * p->channels + c;
            store_some(to, alone ? part : load_some(to, count) + part, count);
        }
}

INLINE void unpool_window(const cnn_pool *p, int kernel_h, int kernel_w, int alone, const float *dy,
                          const int32_t *chosen, float *dx)
{
    int c = 0;
    for (; c + LANES <= p->channels; c += LANES)
        unpool_channels(p, kernel_h, kernel_w, alone, dy, chosen, dx, c, LANES);
    if (c < p->channels)
        unpool_channels(p, kernel_h, kernel_w, alone, dy, chosen, dx, c, p->channels - c);
}

void KERNEL(unpool)(const cnn_pool *p, const float *dy, const int32_t *chosen, float *dx)
{
#if defined(__AVX512F__)
    if (p->channels <= LANES / 2) {
        cnn_kernel_unpool_avx2(p, dy, chosen, dx);
        return;
    }
#endif
    const cnn_pool pool = *p;
    const int alone = pool.stride >= pool.kernel_h && pool.stride >= pool.kernel_w;
    const int covered = pool.stride == pool.kernel_h && pool.stride == pool.kernel_w &&
                        pool.out_h * pool.stride == pool.in_h && pool.out_w * pool.stride == pool.in_w;
    if (!covered)
        memset(dx, 0, (size_t)pool.in_h * (size_t)pool.in_w * (size_t)pool.channels * sizeof *dx);
    for (int row = 0; row < pool.out_h; row++)
        for (int column = 0; column < pool.out_w; column++) {
            float *to = dx + window(&pool, row, column);
            if (alone && pool.kernel_h == 2 && pool.kernel_w == 2)
                unpool_window(&pool, 2, 2, 1, dy, chosen, to);
            else
                unpool_window(&pool, pool.kernel_h, pool.kernel_w, alone, dy, chosen, to);
            dy += pool.channels;
            chosen += pool.channels;
        }
}
