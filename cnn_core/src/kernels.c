/* SPDX-License-Identifier: BSD-3-Clause */
/* Compiled once for each instruction set, with CNN_KERNELS_TABLE and CNN_KERNELS_NAME set and the compiler's
 * flags for it; GCC's and Clang's vector extensions do the rest. */
#include "kernels.h"
#include <math.h>
#include <string.h>

#if defined(__AVX512F__)
enum { VECTOR_BYTES = 64, VECTORS = 6 };
#elif defined(__AVX2__)
enum { VECTOR_BYTES = 32, VECTORS = 3 };
#else
enum { VECTOR_BYTES = 16, VECTORS = 3 };
#endif
/* 4 rows x VECTORS accumulators, VECTORS operands and one broadcast fill the registers of each instruction
 * set. */
enum { ROWS = 4, LANES = VECTOR_BYTES / 4 };

typedef float vector __attribute__((vector_size(VECTOR_BYTES)));

#define INLINE static inline __attribute__((always_inline))

INLINE vector load(const float *from)
{
    vector v;
    memcpy(&v, from, sizeof v);
    return v;
}

INLINE void store(float *to, vector v)
{
    memcpy(to, &v, sizeof v);
}

/* One tile of the product at row i, column j; rows and vectors are constants wherever it is inlined. The last
 * vector may be cut short: `columns` are written. */
INLINE void product_tile(const cnn_product *p, int i, int j, int rows, int vectors, int columns)
{
    vector sum[ROWS][VECTORS];
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < vectors; v++)
            sum[r][v] = (vector){0};
    const float *a = p->a + i * p->a_row, *b = p->b + j;
    const ptrdiff_t a_row = p->a_row, a_step = p->a_step;
    for (int d = 0; d < p->depth; d++) {
        const float *row = b + p->b_row[d];
        vector operand[VECTORS];
        for (int v = 0; v < vectors; v++)
            operand[v] = load(row + v * LANES);
        for (int r = 0; r < rows; r++)
            for (int v = 0; v < vectors; v++)
                sum[r][v] += a[r * a_row] * operand[v];
        a += a_step;
    }
    for (int r = 0; r < rows; r++) {
        float *c = p->c + (i + r) * p->c_row + j;
        for (int v = 0; v < vectors; v++) {
            if (v < vectors - 1 || columns == vectors * LANES) {
                store(c + v * LANES, p->accumulate ? load(c + v * LANES) + sum[r][v] : sum[r][v]);
            } else {
                float last[LANES];
                store(last, sum[r][v]);
                for (int l = 0; l < columns - v * LANES; l++)
                    c[v * LANES + l] = p->accumulate ? c[v * LANES + l] + last[l] : last[l];
            }
        }
    }
}

INLINE void product_rows(const cnn_product *p, int i, int rows)
{
    int j = 0;
    for (; p->n - j >= VECTORS * LANES; j += VECTORS * LANES)
        product_tile(p, i, j, rows, VECTORS, VECTORS * LANES);
    const int columns = p->n - j;
    switch ((columns + LANES - 1) / LANES) {
#if defined(__AVX512F__)
    case 6:
        product_tile(p, i, j, rows, 6, columns);
        break;
    case 5:
        product_tile(p, i, j, rows, 5, columns);
        break;
    case 4:
        product_tile(p, i, j, rows, 4, columns);
        break;
#endif
    case 3:
        product_tile(p, i, j, rows, 3, columns);
        break;
    case 2:
        product_tile(p, i, j, rows, 2, columns);
        break;
    case 1:
        product_tile(p, i, j, rows, 1, columns);
        break;
    default:
        break;
    }
}

static void product(const cnn_product *p)
{
    int i = 0;
    for (; i + ROWS <= p->m; i += ROWS)
        product_rows(p, i, ROWS);
    switch (p->m - i) {
    case 3:
        product_rows(p, i, 3);
        break;
    case 2:
        product_rows(p, i, 2);
        break;
    case 1:
        product_rows(p, i, 1);
        break;
    default:
        break;
    }
}

typedef double wide __attribute__((vector_size(VECTOR_BYTES)));
enum { WIDE_LANES = VECTOR_BYTES / 8, WIDES = 2 };

INLINE wide load_wide(const double *from)
{
    wide v;
    memcpy(&v, from, sizeof v);
    return v;
}

INLINE void store_wide(double *to, wide v)
{
    memcpy(to, &v, sizeof v);
}

INLINE void gram_tile(const cnn_gram *g, int i, int j)
{
    wide sum[ROWS][WIDES];
    for (int r = 0; r < ROWS; r++)
        for (int v = 0; v < WIDES; v++)
            sum[r][v] = (wide){0};
    const double *a = g->a + i, *b = g->b + j;
    for (int d = 0; d < g->depth; d++) {
        wide operand[WIDES];
        for (int v = 0; v < WIDES; v++)
            operand[v] = load_wide(b + v * WIDE_LANES);
        for (int r = 0; r < ROWS; r++)
            for (int v = 0; v < WIDES; v++)
                sum[r][v] += a[r] * operand[v];
        a += g->step;
        b += g->step;
    }
    for (int r = 0; r < ROWS; r++)
        for (int v = 0; v < WIDES; v++) {
            double *c = g->c + (i + r) * g->c_row + j + v * WIDE_LANES;
            store_wide(c, load_wide(c) + sum[r][v]);
        }
}

static void gram(const cnn_gram *g)
{
    for (int i = 0; i < CNN_GRAM_ROWS; i += ROWS)
        for (int j = 0; j < g->n; j += WIDES * WIDE_LANES)
            gram_tile(g, i, j);
}

typedef float quarter __attribute__((vector_size(16)));

/* Halves are added to each other until four lanes are left, and then those. */
INLINE float sum_lanes(vector v)
{
#if defined(__AVX512F__)
    typedef float half __attribute__((vector_size(32)));
    const half h = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) +
                   __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
#else
    const vector h = v;
#endif
#if defined(__AVX2__)
    const quarter q = __builtin_shufflevector(h, h, 0, 1, 2, 3) + __builtin_shufflevector(h, h, 4, 5, 6, 7);
#else
    const quarter q = h;
#endif
    return (q[0] + q[2]) + (q[1] + q[3]);
}

INLINE void dots_tile(const cnn_dots *p, int i, int j, int rows, int columns)
{
    vector sum[ROWS][VECTORS];
    const float *b[VECTORS];
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++)
            sum[r][c] = (vector){0};
    for (int c = 0; c < columns; c++)
        b[c] = p->b + p->b_row[j + c];
    const float *a = p->a + i * p->a_row;
    const ptrdiff_t a_row = p->a_row;
    for (int l = 0; l < p->length; l += LANES) {
        vector operand[VECTORS];
        for (int c = 0; c < columns; c++)
            operand[c] = load(b[c] + l);
        for (int r = 0; r < rows; r++) {
            const vector factor = load(a + r * a_row + l);
            for (int c = 0; c < columns; c++)
                sum[r][c] += factor * operand[c];
        }
    }
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++)
            p->c[(i + r) * p->c_row + j + c] += sum_lanes(sum[r][c]);
}

INLINE void dots_rows(const cnn_dots *p, int i, int rows)
{
    int j = 0;
    for (; j + VECTORS <= p->n; j += VECTORS)
        dots_tile(p, i, j, rows, VECTORS);
    for (; j < p->n; j++)
        dots_tile(p, i, j, rows, 1);
}

static void dots(const cnn_dots *p)
{
    int i = 0;
    for (; i + ROWS <= p->m; i += ROWS)
        dots_rows(p, i, ROWS);
    for (; i < p->m; i++)
        dots_rows(p, i, 1);
}

/* Sums of squares of an update, one per lane. */
typedef struct squares {
    double weight[CNN_UPDATE_LANES], gradient[CNN_UPDATE_LANES], distance[CNN_UPDATE_LANES];
} squares;

INLINE void add_squares(squares *s, int lane, float weight, float gradient, float initial)
{
    const double w = weight, g = gradient, d = w - (double)initial;
    s->weight[lane] += w * w;
    s->gradient[lane] += g * g;
    s->distance[lane] += d * d;
}

INLINE void finish_squares(cnn_update *u, const squares *s)
{
    u->weight_square = u->gradient_square = u->distance_square = 0;
    for (int lane = 0; lane < CNN_UPDATE_LANES; lane++) {
        u->weight_square += s->weight[lane];
        u->gradient_square += s->gradient[lane];
        u->distance_square += s->distance[lane];
    }
}

/* One parameter of each method; `i` is the parameter. */
INLINE float sgd(const cnn_update *u, size_t i)
{
    return u->weight[i] - u->rate * (u->gradient[i] + u->decay * u->weight[i]);
}

INLINE float momentum(const cnn_update *u, size_t i)
{
    const float velocity = u->beta1 * u->moment[0][i] + (u->gradient[i] + u->decay * u->weight[i]);
    u->moment[0][i] = velocity;
    return u->weight[i] - u->rate * velocity;
}

INLINE float adam(const cnn_update *u, size_t i)
{
    const float gradient = u->gradient[i] + u->decay * u->weight[i];
    const float first = u->beta1 * u->moment[0][i] + (1 - u->beta1) * gradient;
    const float second = u->beta2 * u->moment[1][i] + (1 - u->beta2) * gradient * gradient;
    u->moment[0][i] = first;
    u->moment[1][i] = second;
    return u->weight[i] - u->rate * first / (sqrtf(second) * u->correction + u->epsilon);
}

/* The loop around a method: updates, and adds the squares of what it has in hand. A macro, so that the method
 * is inlined into a loop that the compiler can turn into vectors. */
#define UPDATE_LOOP(method)                                                                                  \
    static void update_##method(cnn_update *argument)                                                        \
    {                                                                                                        \
        const cnn_update u = *argument;                                                                      \
        squares s = {{0}, {0}, {0}};                                                                         \
        size_t i = 0;                                                                                        \
        for (; i + CNN_UPDATE_LANES <= u.count; i += CNN_UPDATE_LANES) {                                     \
            float updated[CNN_UPDATE_LANES];                                                                 \
            _Pragma("GCC ivdep") for (int lane = 0; lane < CNN_UPDATE_LANES; lane++) updated[lane] =         \
                method(&u, i + (size_t)lane);                                                                \
            memcpy(u.weight + i, updated, sizeof updated);                                                   \
            for (int lane = 0; lane < CNN_UPDATE_LANES; lane++)                                              \
                add_squares(&s, lane, updated[lane], u.gradient[i + (size_t)lane],                           \
                            u.initial[i + (size_t)lane]);                                                    \
        }                                                                                                    \
        for (int lane = 0; i < u.count; i++, lane++) {                                                       \
            u.weight[i] = method(&u, i);                                                                     \
            add_squares(&s, lane, u.weight[i], u.gradient[i], u.initial[i]);                                 \
        }                                                                                                    \
        finish_squares(argument, &s);                                                                        \
    }

UPDATE_LOOP(sgd)
UPDATE_LOOP(momentum)
UPDATE_LOOP(adam)

extern const cnn_kernels CNN_KERNELS_TABLE;
const cnn_kernels CNN_KERNELS_TABLE = {CNN_KERNELS_NAME, product,         dots,       gram,
                                       update_sgd,       update_momentum, update_adam};
