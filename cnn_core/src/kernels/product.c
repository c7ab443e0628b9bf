/* SPDX-License-Identifier: BSD-3-Clause */
#include "ahead.h"
#include "largest.h"
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
enum { WINDOW_ROWS_OF_TWO = ROWS_OF_TWO / CNN_WINDOW * CNN_WINDOW };

/* Half of the nearest cache, in floats, and how deep a panel of b may be: so that it takes little more, but
 * with vectors of 64 bytes, of which a tile takes two in 16 cycles, the next cache is near enough. */
#if defined(__AVX512F__)
enum { NEAR = 4096, DEEPEST = 640 };
#else
enum { NEAR = 4096, DEEPEST = NEAR / PANEL * 5 / 4 };
#endif

/* What a product is of: where terms begin is in tables, or a step apart; or, of tables, its rows are those of
 * windows, which are pooled. A constant wherever it is inlined. */
typedef enum kind { OF_TABLES, OF_STEPS, OF_WINDOWS } kind;

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

/* The windows of a tile, of whose last vectors `last` lanes count. */
INLINE void finish_windows(const cnn_target *target, const tile_rows *at, int j, int last, const vector *sums,
                           int rows, int vectors)
{
    UNROLL for (int w = 0; w < rows / CNN_WINDOW; w++) UNROLL for (int v = 0; v < vectors; v++)
    {
        const vector *places = sums + w * CNN_WINDOW * vectors + v;
        const int count = v < vectors - 1 ? LANES : last;
        float *to = at->c[w] + j + v * LANES;
        largest found = {places[0], {0}};
        UNROLL for (int place = 1; place < CNN_WINDOW; place++) found =
            larger(found, places[place * vectors], place);
        store_some(to, target->relu ? rectified(found.value) : found.value, count);
        if (target->chosen)
            store_integers(target->chosen + (to - target->c), place_told(found, target->relu), count);
    }
}

static __attribute__((noinline)) void finish_some_windows(const cnn_target *target, const tile_rows *at,
                                                          int j, int last, const vector *sums, int rows,
                                                          int vectors)
{
    finish_windows(target, at, j, last, sums, rows, vectors);
}

/* Adds a term, whose factors are at a[row] + d and whose vectors begin at b. */
INLINE void add_term(float const *const *a, ptrdiff_t d, const float *b, vector *sum, int rows, int vectors)
{
    vector operand[2];
    UNROLL for (int v = 0; v < vectors; v++) operand[v] = load(b + v * LANES);
    UNROLL for (int r = 0; r < rows; r++)
    {
        const float factor = a[r][d];
        UNROLL for (int v = 0; v < vectors; v++) sum[r * vectors + v] += factor * operand[v];
    }
}

INLINE void add_by_tables(const cnn_product *p, float const *const *a, int j, vector *sum, int rows,
                          int vectors)
{
    const float *b = p->b + j;
    const ptrdiff_t *column = p->a_column, *row = p->b_row, *end = row + p->depth;
    UNROLL_SOME for (; row < end; row++, column++) add_term(a, *column, b + *row, sum, rows, vectors);
}

/* Loads limit a tile: tables take two more for each term. */
INLINE void add_by_steps(const cnn_product *p, float const *const *a, int j, vector *sum, int rows,
                         int vectors)
{
    const float *b = p->b + j;
    const ptrdiff_t a_step = p->a_step, b_step = p->b_step;
    ptrdiff_t d = 0;
    UNROLL_SOME for (int left = p->depth; left > 0; left--, d += a_step, b += b_step)
        add_term(a, d, b, sum, rows, vectors);
}

/* Columns j to j + columns; rows, vectors and kind are constants wherever it is inlined. */
INLINE void tile(const cnn_product *p, const tile_rows *at, int j, int columns, int rows, int vectors,
                 kind of)
{
    const int windows = of == OF_WINDOWS;
    vector sum[MOST_ROWS * 2];
    if (p->target.distance == CNN_FAR)
        UNROLL for (int r = 0; r < rows; r++) fetch(at->c[r] + j);
    begin(&p->target, start_of(&p->target, j), at->c, j, sum, rows, vectors);
    const float *a[MOST_ROWS];
    UNROLL for (int r = 0; r < rows; r++) a[r] = at->a[r];
    if (of == OF_STEPS)
        add_by_steps(p, a, j, sum, rows, vectors);
    else
        add_by_tables(p, a, j, sum, rows, vectors);
    const int is_whole = columns == vectors * LANES;
    if (is_whole && windows) {
        finish_windows(&p->target, at, j, LANES, sum, rows, vectors);
    } else if (is_whole) {
        finish(&p->target, at->c, j, LANES, sum, rows, vectors);
    } else {
        const tile_rows where = *at;
        vector copy[MOST_ROWS * 2];
        UNROLL for (int k = 0; k < rows * vectors; k++) copy[k] = sum[k];
        if (windows)
            finish_some_windows(&p->target, &where, j, columns - (vectors - 1) * LANES, copy, rows, vectors);
        else
            finish_some(&p->target, &where, j, rows, columns - (vectors - 1) * LANES, copy, vectors);
    }
}

/* `count` tiles below one another, from row i on, and all columns first to last, panel by panel. */
INLINE void tiles(const cnn_product *p, int i, int count, int first, int last, int rows, int vectors, kind of,
                  fetching *ahead)
{
    for (const int end = i + count * rows; i < end; i += rows) {
        tile_rows at;
        ptrdiff_t a[MOST_ROWS], c[MOST_ROWS];
        fetch_some(ahead);
        place(p->a_row, p->a_pitch, i, rows, a);
        if (of == OF_WINDOWS) /* of which there are fewer than rows */
            place(NULL, p->target.pitch, i / CNN_WINDOW, rows, c);
        else
            place(p->target.row, p->target.pitch, i, rows, c);
        UNROLL for (int r = 0; r < rows; r++)
        {
            at.a[r] = p->a + a[r];
            at.c[r] = p->target.c + c[r];
        }
        for (int j = first; j < last; j += vectors * LANES)
            tile(p, &at, j, last - j < vectors * LANES ? last - j : vectors * LANES, rows, vectors, of);
    }
}

#define TILES(rows)                                                                                          \
    case rows:                                                                                               \
        tiles(p, i, count, first, last, rows, vectors, of, ahead);                                           \
        break;

INLINE void tiles_of(const cnn_product *p, int i, int count, int first, int last, int rows, int most_rows,
                     int vectors, kind of, fetching *ahead)
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
INLINE void all_rows(const cnn_product *p, int first, int last, int most_rows, int vectors, kind of,
                     fetching *ahead)
{
    const int count = (p->m + most_rows - 1) / most_rows, low = count ? p->m / count : 0,
              higher = p->m - low * count;
    tiles_of(p, 0, higher, first, last, low + 1, most_rows, vectors, of, ahead);
    tiles_of(p, higher * (low + 1), count - higher, first, last, low, most_rows, vectors, of, ahead);
}

/* The same of windows, none of which is in two tiles. */
INLINE void all_windows(const cnn_product *p, int first, int last, int most_rows, int vectors,
                        fetching *ahead)
{
    const int count = p->m / most_rows, done = count * most_rows;
    tiles(p, 0, count, first, last, most_rows, vectors, OF_WINDOWS, ahead);
    if (most_rows > CNN_WINDOW)
        tiles(p, done, (p->m - done) / CNN_WINDOW, first, last, CNN_WINDOW, vectors, OF_WINDOWS, ahead);
}

/* Columns whose part of b leaves half of the nearest cache to all else; whole panels. */
static int near_columns(int depth)
{
    const int fit = NEAR / (depth > 0 ? depth : 1) / PANEL * PANEL;
    return fit > PANEL ? fit : PANEL;
}

/* Columns of whole panels, of which the last has one vector where that is enough. */
static int panel_columns(const cnn_product *p)
{
    const int last = p->n % PANEL;
    return last && last <= LANES ? p->n - last : p->n;
}

INLINE void all_columns(const cnn_product *p, kind of)
{
    const int panels = panel_columns(p), step = near_columns(p->depth);
    const int passes = (panels + step - 1) / step;
    fetching ahead = begin_fetching(&p->ahead, passes * ((p->m + ROWS_OF_TWO - 1) / ROWS_OF_TWO));
    for (int first = 0; first < panels; first += step)
        all_rows(p, first, panels - first < step ? panels : first + step, ROWS_OF_TWO, 2, of, &ahead);
    if (panels < p->n)
        all_rows(p, panels, p->n, ROWS_OF_ONE, 1, of, &ahead);
}

/* Each kind apart from the others, to which its tiles would add instructions. */
static __attribute__((noinline)) void all_columns_of_tables(const cnn_product *p)
{
    all_columns(p, OF_TABLES);
}

static __attribute__((noinline)) void all_columns_of_steps(const cnn_product *p)
{
    all_columns(p, OF_STEPS);
}

static __attribute__((noinline)) void all_columns_of_windows(const cnn_product *p)
{
    const int panels = panel_columns(p), step = near_columns(p->depth);
    fetching nothing = {.rows = 0};
    for (int first = 0; first < panels; first += step)
        all_windows(p, first, panels - first < step ? panels : first + step, WINDOW_ROWS_OF_TWO, 2, &nothing);
    if (panels < p->n)
        all_windows(p, panels, p->n, ROWS_OF_ONE, 1, &nothing);
}

#if defined(__AVX512F__)
void cnn_kernel_product_avx2(const cnn_product *product);
#endif

/* Deep sums are taken in parts, each of which goes on from the one before, so that a panel of b stays near.
 * (What is added to c, or pooled, has nowhere to go on from.) */
void KERNEL(product)(const cnn_product *product)
{
#if defined(__AVX512F__)
    /* Some processors take two turns for 64 bytes, and half of them would be idle. */
    if (product->n <= LANES / 2) {
        cnn_kernel_product_avx2(product);
        return;
    }
#endif
    const int whole = product->target.accumulate || product->target.windows || product->depth <= DEEPEST;
    const int parts = whole ? 1 : (product->depth + DEEPEST - 1) / DEEPEST;
    for (int i = 0; i < parts; i++) {
        /* A copy that no store can reach: what it holds stays in registers. */
        cnn_product part = *product;
        const int begin = (int)((int64_t)product->depth * i / parts);
        part.depth = (int)((int64_t)product->depth * (i + 1) / parts) - begin;
        if (product->a_column) {
            part.a_column += begin;
            part.b_row += begin;
        } else {
            part.a += begin * part.a_step;
            part.b += begin * part.b_step;
        }
        part.target.continued |= i > 0;
        part.target.relu &= i == parts - 1;
        part.ahead.rows = i == 0 ? part.ahead.rows : 0;
        decide_distance(&part.target, parts);
        if (part.target.windows)
            all_columns_of_windows(&part);
        else if (part.a_column)
            all_columns_of_tables(&part);
        else
            all_columns_of_steps(&part);
        end_target(&part.target);
    }
}
