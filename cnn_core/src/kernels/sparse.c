/* SPDX-License-Identifier: BSD-3-Clause */
#include "ahead.h"
#include "target.h"

/* One row of sums of this many vectors stays in registers: as many chains of multiply-adds as hide their
 * latency. */
enum { WIDEST = 8 };

/* How the terms of later rows come near: these lie apart, so that no processor foresees them. */
enum {
    NEAR_TERMS = 4096, /* so many are near as it is */
    ROWS_AHEAD = 4,
    LINES = 4, /* at a time: enough for most rows */
    LINE_TERMS = 64 / sizeof(cnn_term),
};

INLINE void fetch_terms(const cnn_sparse_product *p, int i)
{
    if (i >= p->m)
        return;
    const cnn_term *term = p->terms + i * p->capacity, *end = term + p->counts[i];
    do {
        UNROLL for (int line = 0; line < LINES; line++) fetch(&term[line * LINE_TERMS].value);
        term += LINES * LINE_TERMS;
    } while (term < end);
}

/* Terms of a row. */
typedef struct term_list {
    const cnn_term *first, *end;
} term_list;

/* The values of so many terms, one after the other. Where vectors are wide they are loaded at once: how much
 * can be loaded is what limits these sums, in which each operand is used once. */
enum { TOGETHER = 4 };
#if defined(__AVX512F__)
typedef __m512 factors;

INLINE factors load_factors(const cnn_term *term)
{
    return _mm512_castps256_ps512(_mm256_loadu_ps((const float *)term));
}

INLINE vector factor_of(factors values, int which)
{
    return (vector)_mm512_permutexvar_ps(_mm512_set1_epi32(2 * which + 1), values);
}
#elif defined(__AVX2__)
typedef __m256 factors;

INLINE factors load_factors(const cnn_term *term)
{
    return _mm256_loadu_ps((const float *)term);
}

INLINE vector factor_of(factors values, int which)
{
    return (vector)_mm256_permutevar8x32_ps(values, _mm256_set1_epi32(2 * which + 1));
}
#else
typedef const cnn_term *factors;

INLINE factors load_factors(const cnn_term *term)
{
    return term;
}

INLINE vector factor_of(factors values, int which)
{
    return (vector){0} + values[which].value;
}
#endif

INLINE void add_term(vector factor, const float *operand, vector *sum, int vectors)
{
    UNROLL for (int v = 0; v < vectors; v++) sum[v] += factor * load(operand + v * LANES);
}

/* Columns j to j + columns of a row of sums at c, of one block of b. */
INLINE void strip(const cnn_target *target, term_list list, const float *b, float *c, int j, int columns,
                  int vectors)
{
    vector sum[WIDEST];
    c += j;
    b += j;
    if (target->distance != CNN_FAR_FOR_NOW)
        UNROLL for (int v = 0; v < vectors; v += CNN_VECTOR_MOST / LANES) fetch(c + v * LANES);
    begin(target, start_of(target, j), &c, 0, sum, 1, vectors);
    const cnn_term *term = list.first;
    for (; list.end - term >= TOGETHER; term += TOGETHER) {
        const factors values = load_factors(term);
        UNROLL for (int t = 0; t < TOGETHER; t++)
            add_term(factor_of(values, t), b + term[t].row, sum, vectors);
    }
    for (; term < list.end; term++)
        add_term((vector){0} + term->value, b + term->row, sum, vectors);
    if (columns == vectors * LANES)
        finish(target, &c, 0, LANES, sum, 1, vectors);
    else
        finish(target, &c, 0, columns - (vectors - 1) * LANES, sum, 1, vectors);
}

/* All of row i: columns 0 to `whole` of each block in the widest strips, then the last. */
INLINE void row_of_sums(const cnn_sparse_product *p, int i, int blocks, int whole, int vectors)
{
    const cnn_term *first = p->terms + i * p->capacity;
    const term_list list = {first, first + p->counts[i]};
    ptrdiff_t row;
    place(p->target.row, p->target.pitch, i, 1, &row);
    float *c = p->target.c + row;
    const float *b = p->b;
    for (int block = blocks; block > 0; block--, b += p->b_step, c += p->c_step) {
        for (int j = 0; j < whole; j += WIDEST * LANES)
            strip(&p->target, list, b, c, j, WIDEST * LANES, WIDEST);
        strip(&p->target, list, b, c, whole, p->n - whole, vectors);
    }
}

#define LAST_STRIP(count)                                                                                    \
    case count:                                                                                              \
        for (int i = 0; i < p->m; i++) {                                                                     \
            fetch_some(&ahead);                                                                              \
            fetch_terms(p, i + rows_ahead);                                                                  \
            row_of_sums(p, i, blocks, whole, count);                                                         \
        }                                                                                                    \
        break;

/* Row after row, since rows of the target may overlap. */
void KERNEL(sparse_product)(const cnn_sparse_product *product)
{
    /* A copy that no store can reach: what it holds stays in registers. */
    cnn_sparse_product copy = *product, *p = &copy;
    fetching ahead = begin_fetching(&copy.ahead, copy.m);
    decide_distance(&copy.target, 1);
    const int rows_ahead = p->m * p->capacity > NEAR_TERMS ? ROWS_AHEAD : p->m;
    const int blocks = p->blocks > 1 ? p->blocks : 1;
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
    end_target(&copy.target);
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

#if defined(__AVX512F__)
enum { AT_A_TIME = LANES };
typedef integers row_set;

/* The terms of so many values, rows `row` + {0, pitch, ...}; writes as many, those of what is not zero first.
 */
INLINE int collect_some(const float *values, row_set rows, cnn_term *terms)
{
    const __m512 from = _mm512_loadu_ps(values);
    const __mmask16 set = (__mmask16)nonzero_lanes((vector)from);
    const __m512 value = _mm512_maskz_compress_ps(set, from),
                 row = _mm512_castsi512_ps(_mm512_maskz_compress_epi32(set, (__m512i)rows));
    const __m512i first = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23),
                  last = _mm512_add_epi32(first, _mm512_set1_epi32(LANES / 2));
    _mm512_storeu_ps(terms, _mm512_permutex2var_ps(row, first, value));
    _mm512_storeu_ps(terms + LANES / 2, _mm512_permutex2var_ps(row, last, value));
    return __builtin_popcount(set);
}
#elif defined(__AVX2__)
enum { AT_A_TIME = 4 };
typedef int32_t row_set __attribute__((vector_size(AT_A_TIME * sizeof(int32_t))));

/* For each set of four lanes, those in it come first. */
static const int32_t lanes_of[16][AT_A_TIME] = {
    {0},    {0},    {1},    {0, 1},    {2},    {0, 2},    {1, 2},    {0, 1, 2},
    {3, 0}, {0, 3}, {1, 3}, {0, 1, 3}, {2, 3}, {0, 2, 3}, {1, 2, 3}, {0, 1, 2, 3},
};

/* The terms of so many values, rows `row` + {0, pitch, ...}; writes as many, those of what is not zero first.
 */
INLINE int collect_some(const float *values, row_set rows, cnn_term *terms)
{
    const __m128 from = _mm_loadu_ps(values);
    const int set = _mm_movemask_ps(_mm_cmp_ps(from, _mm_setzero_ps(), _CMP_NEQ_UQ));
    const __m128i order = _mm_loadu_si128((const __m128i *)lanes_of[set]);
    const __m128 value = _mm_permutevar_ps(from, order), row = _mm_permutevar_ps((__m128)rows, order);
    _mm_storeu_ps((float *)terms, _mm_unpacklo_ps(row, value));
    _mm_storeu_ps((float *)(terms + 2), _mm_unpackhi_ps(row, value));
    return __builtin_popcount((unsigned)set);
}
#endif

#if defined(__AVX2__)
/* What of `count` values comes in whole turns; how many terms there are is added to *found. */
INLINE int collect_turns(const float *values, int count, int32_t pitch, cnn_term *terms, int *found)
{
    row_set rows;
    for (int i = 0; i < AT_A_TIME; i++)
        rows[i] = i * pitch;
    int i = 0;
    for (; i + AT_A_TIME <= count; i += AT_A_TIME, rows += AT_A_TIME * pitch)
        *found += collect_some(values + i, rows, terms + *found);
    return i;
}
#else
INLINE int collect_turns(const float *values, int count, int32_t pitch, cnn_term *terms, int *found)
{
    (void)values, (void)count, (void)pitch, (void)terms, (void)found;
    return 0;
}
#endif

/* No branch, since it could not be foretold: what is zero, of either sign, is written over by what comes
 * next. */
int KERNEL(collect)(const float *values, int count, int32_t pitch, cnn_term *terms)
{
    int found = 0;
    for (int i = collect_turns(values, count, pitch, terms, &found); i < count; i++) {
        uint32_t bits;
        memcpy(&bits, values + i, sizeof bits);
        terms[found] = (cnn_term){i * pitch, values[i]};
        found += bits << 1 != 0;
    }
    return found;
}

void KERNEL(pick)(const cnn_pick *pick)
{
    /* A copy that no store can reach: what it holds stays in registers. */
    const cnn_pick p = *pick;
    memset(p.column_counts, 0, (size_t)p.columns * sizeof *p.column_counts);
    for (int i = 0; i < p.rows; i++) {
        const float *values = p.values + (ptrdiff_t)i * p.columns;
        cnn_term *const first = p.by_row + (ptrdiff_t)i * p.columns, *next = first;
        for (int column = 0; column < p.columns; column += MASK)
            for (uint32_t bits = nonzero(values + column, p.columns - column); bits; bits &= bits - 1) {
                const int j = column + __builtin_ctz(bits);
                cnn_term *const to = p.by_column + j * p.column_capacity + p.column_counts[j]++;
                *to = (cnn_term){(int32_t)p.place[i], values[j]};
                *next++ = (cnn_term){j * p.column_step, values[j]};
            }
        p.row_counts[i] = (int32_t)(next - first);
    }
}
