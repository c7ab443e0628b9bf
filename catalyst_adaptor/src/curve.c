/* SPDX-License-Identifier: BSD-3-Clause */
#include "curve.h"
#include "bucket.h"
#include "message.h"
#include <stdlib.h>

#define FIRST_CAPACITY 256

_Static_assert(sizeof(float) == sizeof(uint32_t), "the bits of a float are looked at as a whole number");

struct ws_curve {
    const ws_row_layout *layout;
    size_t most; /* rows kept at any time */
    uint64_t given, last_step;
    uint64_t width;  /* rows given for a full bucket, a power of two */
    size_t rows;     /* in the columns: of the full buckets */
    size_t buckets;  /* full ones */
    size_t capacity; /* rows in all that follow */
    double **columns;
    float **sketches;
    uint32_t *ends; /* of the rows of each full bucket */
    uint8_t *marks; /* 1: the row stays */
    ws_bucket open; /* the bucket that is not full */
    char *row;      /* one */
    ws_walk_sums *sums;
};

static int no_memory(size_t rows)
{
    return ws_fail(WS_NO_MEMORY, "no memory for the curves of %zu rows", rows);
}

/* One bucket must fit in half, so that merging ends. */
static size_t most_rows(const ws_row_layout *layout)
{
    const size_t least = 2 * (size_t)ws_bucket_most(layout);
    return least > WS_CURVE_ROWS ? least : WS_CURVE_ROWS;
}

int ws_curve_create(const ws_row_layout *layout, ws_curve **out)
{
    ws_curve *curve = calloc(1, sizeof *curve);
    if (!curve)
        return no_memory(0);
    curve->layout = layout;
    curve->most = most_rows(layout);
    curve->columns = calloc(layout->column_count, sizeof *curve->columns);
    curve->sketches = calloc(layout->walks + 1, sizeof *curve->sketches);
    curve->sums = calloc(layout->walks + 1, sizeof *curve->sums);
    curve->row = malloc(layout->row_bytes);
    int status = ws_bucket_create(&curve->open, layout);
    if (status == WS_OK && (!curve->columns || !curve->sketches || !curve->sums || !curve->row))
        status = no_memory(0);
    if (status) {
        ws_curve_free(curve);
        return status;
    }
    ws_curve_clear(curve);
    *out = curve;
    return WS_OK;
}

void ws_curve_free(ws_curve *curve)
{
    if (!curve)
        return;
    for (uint32_t i = 0; curve->columns && i < curve->layout->column_count; i++)
        free(curve->columns[i]);
    for (uint32_t i = 0; curve->sketches && i < curve->layout->walks; i++)
        free(curve->sketches[i]);
    ws_bucket_free(&curve->open);
    free(curve->columns);
    free(curve->sketches);
    free(curve->ends);
    free(curve->marks);
    free(curve->sums);
    free(curve->row);
    free(curve);
}

void ws_curve_clear(ws_curve *curve)
{
    curve->given = 0;
    curve->last_step = WS_NO_STEP;
    curve->width = 1;
    curve->rows = curve->buckets = 0;
    ws_bucket_clear(&curve->open);
    memset(curve->sums, 0, curve->layout->walks * sizeof *curve->sums);
}

/* Memory for `count` elements with what was in it; the old memory, and *failed, if there is none. */
static void *grown(void *memory, size_t count, size_t size, int *failed)
{
    void *more = realloc(memory, count * size);
    *failed |= !more;
    return more ? more : memory;
}

static int grow(ws_curve *curve, size_t rows)
{
    int failed = 0;
    for (uint32_t i = 0; i < curve->layout->column_count && !failed; i++)
        curve->columns[i] = grown(curve->columns[i], rows, sizeof(double), &failed);
    for (uint32_t i = 0; i < curve->layout->walks && !failed; i++)
        curve->sketches[i] = grown(curve->sketches[i], rows, WS_SKETCH_CELLS * sizeof(float), &failed);
    curve->ends = grown(curve->ends, rows, sizeof *curve->ends, &failed);
    curve->marks = grown(curve->marks, rows, sizeof *curve->marks, &failed);
    if (failed)
        return no_memory(rows);
    curve->capacity = rows;
    return WS_OK;
}

/* Makes room for one more row, wherever it will be. */
static int reserve(ws_curve *curve)
{
    const size_t needed = curve->rows + curve->open.kept + 1;
    int status = WS_OK;
    if (needed > curve->capacity) {
        const size_t doubled = curve->capacity ? 2 * curve->capacity : FIRST_CAPACITY;
        status = grow(curve, doubled > curve->most ? curve->most + 1 : doubled);
    }
    if (status == WS_OK)
        status = ws_bucket_reserve(&curve->open, needed > curve->most ? ws_bucket_most(curve->layout) + 1
                                                                      : curve->open.kept + 1);
    return status;
}

/* Copies a row into place `at` of the columns. */
static void spread(const ws_curve *curve, const char *row, size_t at)
{
    const size_t sketch = WS_SKETCH_CELLS * sizeof(float);
    for (uint32_t i = 0; i < curve->layout->column_count; i++)
        memcpy(&curve->columns[i][at], row + i * sizeof(double), sizeof(double));
    row += curve->layout->column_count * sizeof(double);
    for (uint32_t i = 0; i < curve->layout->walks; i++)
        memcpy(curve->sketches[i] + at * WS_SKETCH_CELLS, row + i * sketch, sketch);
}

/* The way back. */
static void gather(const ws_curve *curve, size_t at, char *row)
{
    const size_t sketch = WS_SKETCH_CELLS * sizeof(float);
    for (uint32_t i = 0; i < curve->layout->column_count; i++)
        memcpy(row + i * sizeof(double), &curve->columns[i][at], sizeof(double));
    row += curve->layout->column_count * sizeof(double);
    for (uint32_t i = 0; i < curve->layout->walks; i++)
        memcpy(row + i * sketch, curve->sketches[i] + at * WS_SKETCH_CELLS, sketch);
}

/* Writes the rows of the open bucket behind those of the full ones; it stays open. */
static void spread_open(const ws_curve *curve)
{
    size_t at = curve->rows;
    for (uint32_t slot = curve->open.oldest; slot != WS_BUCKET_END; slot = curve->open.slots[slot].next)
        spread(curve, ws_bucket_row(&curve->open, slot), at++);
}

static void close_bucket(ws_curve *curve)
{
    spread_open(curve);
    curve->rows += curve->open.kept;
    curve->ends[curve->buckets++] = (uint32_t)curve->rows;
    ws_bucket_clear(&curve->open);
}

/* Takes the last bucket out of the columns again: it is not full. */
static void reopen_bucket(ws_curve *curve)
{
    const size_t from = --curve->buckets > 0 ? curve->ends[curve->buckets - 1] : 0;
    for (size_t row = from; row < curve->rows; row++) {
        gather(curve, row, curve->row);
        ws_bucket_add(&curve->open, curve->row);
    }
    curve->rows = from;
}

/* Marks where a column is least and greatest in a range of rows. */
static void mark_extremes(const double *values, size_t from, size_t to, uint8_t *marks)
{
    size_t least = to, greatest = to;
    for (size_t i = from; i < to; i++) {
        if (values[i] != values[i])
            continue;
        least = least == to || values[i] < values[least] ? i : least;
        greatest = greatest == to || values[i] > values[greatest] ? i : greatest;
    }
    if (least < to)
        marks[least] = marks[greatest] = 1;
}

/* Where the `count` buckets from `first` on end; there may be fewer. */
static size_t end_of(const ws_curve *curve, size_t first, size_t count)
{
    return curve->ends[(count < curve->buckets - first ? first + count : curve->buckets) - 1];
}

/* Marks what stays if each `group` buckets become one, which are least and greatest where their rows are: as
 * many. */
static size_t mark(ws_curve *curve, size_t group)
{
    size_t from = 0, marked = 0;
    memset(curve->marks, 0, curve->rows);
    for (size_t bucket = 0; bucket < curve->buckets; bucket += group) {
        const size_t to = end_of(curve, bucket, group);
        curve->marks[from] = curve->marks[to - 1] = 1;
        for (uint32_t i = WS_RISING_COLUMNS; i < curve->layout->column_count; i++)
            mark_extremes(curve->columns[i], from, to, curve->marks);
        from = to;
    }
    for (size_t row = 0; row < curve->rows; row++)
        marked += curve->marks[row];
    return marked;
}

/* Makes each `group` buckets one. */
static void join_ends(ws_curve *curve, size_t group)
{
    size_t joined = 0, row = 0, left = 0;
    for (size_t bucket = 0; bucket < curve->buckets; bucket += group) {
        for (const size_t to = end_of(curve, bucket, group); row < to; row++)
            left += curve->marks[row];
        curve->ends[joined++] = (uint32_t)left;
    }
    curve->buckets = joined;
}

/* Moves the marked rows together. */
static void compact(ws_curve *curve)
{
    size_t left = 0;
    for (uint32_t i = 0; i < curve->layout->column_count; i++) {
        left = 0;
        for (size_t row = 0; row < curve->rows; row++)
            if (curve->marks[row])
                curve->columns[i][left++] = curve->columns[i][row];
    }
    for (uint32_t i = 0; i < curve->layout->walks; i++) {
        float *sketches = curve->sketches[i];
        left = 0;
        for (size_t row = 0; row < curve->rows; row++)
            if (curve->marks[row])
                memmove(sketches + WS_SKETCH_CELLS * left++, sketches + WS_SKETCH_CELLS * row,
                        WS_SKETCH_CELLS * sizeof *sketches);
    }
    curve->rows = left;
}

/* Makes buckets longer until what they keep fits in half. An extreme of a longer bucket is one of a shorter
 * one, so it is still here. */
static void thin(ws_curve *curve)
{
    size_t group = 2;
    close_bucket(curve);
    while (mark(curve, group) > curve->most / 2)
        group *= 2;
    join_ends(curve, group);
    compact(curve);
    curve->width *= group;
    if (curve->given % curve->width != 0)
        reopen_bucket(curve);
}

static int is_finite(const float sketch[WS_SKETCH_CELLS])
{
    static const uint32_t exponent =
        0x7f800000; /* all of its bits are set in what is not finite, and only there */
    uint32_t bits[WS_SKETCH_CELLS], found = 0;
    memcpy(bits, sketch, sizeof bits);
    for (int i = 0; i < WS_SKETCH_CELLS; i++)
        found |= (bits[i] & exponent) == exponent;
    return !found;
}

static void add_sketch(ws_walk_sums *sums, const float sketch[WS_SKETCH_CELLS])
{
    _Static_assert(WS_SKETCH_CELLS % 4 == 0, "rows of products are added to by fours");
    double wide[WS_SKETCH_CELLS];
    sums->count++;
    for (int i = 0; i < WS_SKETCH_CELLS; i++) {
        wide[i] = sketch[i];
        sums->sum[i] += wide[i];
    }
    /* So each wide[j] is loaded once for four rows: twice as fast. */
    for (int i = 0; i < WS_SKETCH_CELLS; i += 4)
        for (int j = i; j < WS_SKETCH_CELLS; j++) {
            sums->products[i][j] += wide[i] * wide[j];
            sums->products[i + 1][j] += wide[i + 1] * wide[j];
            sums->products[i + 2][j] += wide[i + 2] * wide[j];
            sums->products[i + 3][j] += wide[i + 3] * wide[j];
        }
}

static void add_sketches(ws_curve *curve, const char *row)
{
    float sketch[WS_SKETCH_CELLS];
    row += curve->layout->column_count * sizeof(double);
    for (uint32_t i = 0; i < curve->layout->walks; i++, row += sizeof sketch) {
        memcpy(sketch, row, sizeof sketch);
        if (is_finite(sketch))
            add_sketch(&curve->sums[i], sketch);
    }
}

int ws_curve_append(ws_curve *curve, const void *row)
{
    const uint64_t step = ws_row_step(row);
    if (step == WS_NO_STEP)
        return ws_fail(WS_BAD_ARGUMENT, "a row whose step is no whole number from 0 to 2^53");
    if (curve->given > 0 && step <= curve->last_step)
        return ws_fail(WS_BAD_ARGUMENT, "row of step %llu: the last one was of step %llu, steps must rise",
                       (unsigned long long)step, (unsigned long long)curve->last_step);
    const int status = reserve(curve);
    if (status)
        return status;
    ws_bucket_add(&curve->open, row);
    add_sketches(curve, row);
    curve->last_step = step;
    curve->given++;
    if (curve->rows + curve->open.kept > curve->most)
        thin(curve);
    else if (curve->given % curve->width == 0)
        close_bucket(curve);
    return WS_OK;
}

uint64_t ws_curve_last(const ws_curve *curve)
{
    return curve->last_step;
}

void ws_curve_look(const ws_curve *curve, ws_history_view *view)
{
    spread_open(curve);
    *view = (ws_history_view){
        .rows = curve->rows + curve->open.kept,
        .norms_from = curve->given > 0 && curve->columns[0][0] == 0.0,
        .layer_count = curve->layout->layer_count,
        .layers = curve->layout->layers,
        .kinds = curve->layout->kinds,
        .norm_columns = curve->layout->norm_columns,
        .names = curve->layout->names,
        .columns = (const double *const *)curve->columns,
        .sketches = (const float *const *)curve->sketches,
        .sums = curve->sums,
    };
}
