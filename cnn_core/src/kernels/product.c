/* SPDX-License-Identifier: BSD-3-Clause */
#include "ahead.h"
#include "target.h"

/* A tile of sums stays in registers: 6 rows by 2 vectors are 12 chains of multiply-adds, enough to hide the
 * latency of each, and leave room for two operands and a factor among 16 registers. Where one vector is left,
 * 8 rows. More rows than these would push their addresses out of the registers. */
#if defined(__AVX512F__)
enum { ROWS_OF_TWO = 8, ROWS_OF_ONE = 8 };
#elif defined(__AVX2__)
enum { ROWS_OF_TWO = 6, ROWS_OF_ONE = 8 };
#elif defined(__aarch64__)
enum { ROWS_OF_TWO = 8, ROWS_OF_ONE = 8 };
#else
enum { ROWS_OF_TWO = 4, ROWS_OF_ONE = 8 };
#endif
enum { MOST_ROWS = 8, PANEL = 2 * LANES };

/* Half of the nearest cache, in floats, and how deep a panel of b may be: so that it takes little more, but
 * with vectors of 64 bytes, of which a tile takes two in 16 cycles, the next cache is near enough. */
#if defined(__AVX512F__)
enum { NEAR = 4096, DEEPEST = 640 };
#else
enum { NEAR = 4096, DEEPEST = NEAR / PANEL * 5 / 4 };
#endif

/* Rows of a and of c. */
typedef struct tile_rows {
    const float *a[MOST_ROWS];
    float *c[MOST_ROWS];
} tile_rows;

/* Writes a tile whose last vector is not whole. */
static __attribute__((noinline)) void finish_some(const cnn_target *target, const tile_rows *at, int j,
                                                  int rows, int last, vector *sums, int vectors)
{
    for (int r = 0; r < rows; r++)
        if (vectors == 2)
            finish(target, at->c + r, j, last, sums + r * 2, 1, 2);
        else
            finish(target, at->c + r, j, last, sums + r, 1, 1);
}

/* Columns j to j + columns; rows and vectors are constants wherever it is inlined. */
INLINE void tile(const cnn_product *p, const tile_rows *at, int j, int columns, int rows, int vectors)
{
    vector sum[MOST_ROWS * 2];
    if (p->target.distance == CNN_FAR)
        UNROLL for (int r = 0; r < rows; r++) fetch(at->c[r] + j);
    begin(&p->target, start_of(&p->target, j), at->c, j, sum, rows, vectors);
    const float *a[MOST_ROWS];
    UNROLL for (int r = 0; r < rows; r++) a[r] = at->a[r];
    const float *b = p->b + j;
    const ptrdiff_t *column = p->a_column, *row = p->b_row, *end = row + p->depth;
    UNROLL_SOME for (; row < end; row++, column++)
    {
        const ptrdiff_t d = *column;
        vector operand[2];
        const float *from = b + *row;
        UNROLL for (int v = 0; v < vectors; v++) operand[v] = load(from + v * LANES);
        UNROLL for (int r = 0; r < rows; r++)
        {
            const float factor = a[r][d];
            UNROLL for (int v = 0; v < vectors; v++) sum[r * vectors + v] += factor * operand[v];
        }
    }
    if (columns == vectors * LANES) {
        finish(&p->target, at->c, j, LANES, sum, rows, vectors);
    } else {
        vector copy[MOST_ROWS * 2];
        UNROLL for (int k = 0; k < rows * vectors; k++) copy[k] = sum[k];
        finish_some(&p->target, at, j, rows, columns - (vectors - 1) * LANES, copy, vectors);
    }
}

/* `count` tiles below one another, from row i on, and all columns first to last, panel by panel. */
INLINE void tiles(const cnn_product *p, int i, int count, int first, int last, int rows, int vectors,
                  fetching *ahead)
{
    for (const int end = i + count * rows; i < end; i += rows) {
        tile_rows at;
        ptrdiff_t a[MOST_ROWS], c[MOST_ROWS];
        fetch_some(ahead);
        place(p->a_row, p->a_pitch, i, rows, a);
        place(p->target.row, p->target.pitch, i, rows, c);
        UNROLL for (int r = 0; r < rows; r++)
        {
            at.a[r] = p->a + a[r];
            at.c[r] = p->target.c + c[r];
        }
        for (int j = first; j < last; j += vectors * LANES)
            tile(p, &at, j, last - j < vectors * LANES ? last - j : vectors * LANES, rows, vectors);
    }
}

#define TILES(rows)                                                                                          \
    case rows:                                                                                               \
        tiles(p, i, count, first, last, rows, vectors, ahead);                                               \
        break;

INLINE void tiles_of(const cnn_product *p, int i, int count, int first, int last, int rows, int most_rows,
                     int vectors, fetching *ahead)
{
    /* Never above the bound: that it is there leaves out the code of higher tiles. */
    switch (rows < most_rows ? rows : most_rows) {
        TILES(1)
        TILES(2)
        TILES(3)
        TILES(4)
        TILES(5)
        TILES(6)
        TILES(7)
        TILES(8)
    default:
        break;
    }
}

/* All rows of the columns first to last, whose part of b stays in the nearest cache. Tiles are about as high
 * as each other, since low ones have too few chains of multiply-adds. */
INLINE void all_rows(const cnn_product *p, int first, int last, int most_rows, int vectors, fetching *ahead)
{
    const int count = (p->m + most_rows - 1) / most_rows, low = count ? p->m / count : 0,
              higher = p->m - low * count;
    tiles_of(p, 0, higher, first, last, low + 1, most_rows, vectors, ahead);
    tiles_of(p, higher * (low + 1), count - higher, first, last, low, most_rows, vectors, ahead);
}

/* Columns whose part of b leaves half of the nearest cache to all else; whole panels. */
static int near_columns(int depth)
{
    const int fit = NEAR / (depth > 0 ? depth : 1) / PANEL * PANEL;
    return fit > PANEL ? fit : PANEL;
}

static void all_columns(const cnn_product *p)
{
    /* The last panel has one vector where that is enough. */
    const int last_one = p->n % PANEL && p->n % PANEL <= LANES,
              panels = last_one ? p->n / PANEL * PANEL : p->n;
    const int step = near_columns(p->depth);
    const int passes = (panels + step - 1) / step;
    fetching ahead = begin_fetching(&p->ahead, passes * ((p->m + ROWS_OF_TWO - 1) / ROWS_OF_TWO));
    for (int first = 0; first < panels; first += step)
        all_rows(p, first, panels - first < step ? panels : first + step, ROWS_OF_TWO, 2, &ahead);
    if (last_one)
        all_rows(p, panels, p->n, ROWS_OF_ONE, 1, &ahead);
}

#if defined(__AVX512F__)
void cnn_kernel_product_avx2(const cnn_product *product);
#endif

/* Deep sums are taken in parts, each of which goes on from the one before, so that a panel of b stays near.
 * (What is added to c has nowhere to go on from.) */
void KERNEL(product)(const cnn_product *product)
{
#if defined(__AVX512F__)
    /* Some processors take two turns for 64 bytes, and half of them would be idle. */
    if (product->n <= LANES / 2) {
        cnn_kernel_product_avx2(product);
        return;
    }
#endif
    const int whole = product->target.accumulate || product->depth <= DEEPEST;
    const int parts = whole ? 1 : (product->depth + DEEPEST - 1) / DEEPEST;
    for (int i = 0; i < parts; i++) {
        /* A copy that no store can reach: what it holds stays in registers. */
        cnn_product part = *product;
        const int begin = (int)((int64_t)product->depth * i / parts);
        part.depth = (int)((int64_t)product->depth * (i + 1) / parts) - begin;
        part.a_column += begin;
        part.b_row += begin;
        part.target.continued |= i > 0;
        part.target.relu &= i == parts - 1;
        part.ahead.rows = i == 0 ? part.ahead.rows : 0;
        decide_distance(&part.target, parts);
        all_columns(&part);
        end_target(&part.target);
    }
}
