/* SPDX-License-Identifier: BSD-3-Clause */
#include "curve.h"
#include "rows.h"
#include <malloc.h>

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define MALLINFO_IS_EMPTY 1
#else
#define MALLINFO_IS_EMPTY 0
#endif

/* The thread sanitizer makes it twenty times slower, and has nothing to find in one thread. */
#ifdef __SANITIZE_THREAD__
#define LONG_RUN    30000
#define MANY_LAYERS 50
#else
#define LONG_RUN    300000
#define MANY_LAYERS 200
#endif

#define LAYERS 4
#define WALKS  2

static ws_row_layout layout;
static void *row;

static int set_up(void **state)
{
    (void)state;
    layout = make_layout(LAYERS, WALKS);
    row = malloc(layout.row_bytes);
    return row ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    free(row);
    ws_row_layout_free(&layout);
    return 0;
}

static ws_curve *make_curve(void)
{
    ws_curve *curve = NULL;
    assert_int_equal(ws_curve_create(&layout, &curve), WS_OK);
    return curve;
}

static void append(ws_curve *curve, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++) {
        write_row(&layout, i, row);
        assert_int_equal(ws_curve_append(curve, row), WS_OK);
    }
}

static ws_history_view look(const ws_curve *curve)
{
    ws_history_view view;
    ws_curve_look(curve, &view);
    return view;
}

/* ---- The rule, followed without any cleverness. */

static void keep_extremes(uint32_t column, uint64_t from, uint64_t to, uint8_t *kept)
{
    uint64_t least_at = to, greatest_at = to;
    double least = NAN, greatest = NAN;
    for (uint64_t i = from; i < to; i++) {
        const double value = value_of_column(i, column);
        if (isnan(value))
            continue;
        if (least_at == to || value < least) {
            least = value;
            least_at = i;
        }
        if (greatest_at == to || value > greatest) {
            greatest = value;
            greatest_at = i;
        }
    }
    if (least_at < to)
        kept[least_at] = kept[greatest_at] = 1;
}

/* Marks what buckets of `width` rows keep of `count` rows, and counts it. */
static uint64_t keep(uint64_t count, uint64_t width, uint8_t *kept)
{
    uint64_t sum = 0;
    memset(kept, 0, count);
    for (uint64_t from = 0; from < count; from += width) {
        const uint64_t to = from + width < count ? from + width : count;
        kept[from] = kept[to - 1] = 1;
        for (uint32_t column = 3; column < layout.column_count; column++)
            keep_extremes(column, from, to, kept);
    }
    for (uint64_t i = 0; i < count; i++)
        sum += kept[i];
    return sum;
}

static int holds_just(const ws_history_view *view, const uint8_t *kept, uint64_t count)
{
    uint64_t next = 0;
    for (uint64_t i = 0; i < count; i++)
        if (kept[i] && (next == view->rows || view->columns[0][next++] != value_of_column(i, 0)))
            return 0;
    return next == view->rows;
}

/* Fails unless the curve holds what buckets of some width, `least` or more, keep; returns the width. */
static uint64_t assert_kept(const ws_curve *curve, uint64_t count, uint64_t least)
{
    const ws_history_view view = look(curve);
    uint8_t *kept = malloc(count);
    uint64_t width = least, at_half_width = UINT64_MAX;
    assert_true(view.rows <= WS_CURVE_ROWS);
    for (;; width *= 2) {
        const uint64_t rows = keep(count, width, kept);
        if (holds_just(&view, kept, count))
            break;
        assert_true(width < count);
        at_half_width = rows;
    }
    /* No coarser than it must be. */
    assert_true(width == least || at_half_width > WS_CURVE_ROWS / 2);
    free(kept);
    return width;
}

/* ---- */

static void assert_is_row(const ws_history_view *view, uint64_t at, uint64_t number)
{
    write_row(&layout, number, row);
    const double *values = row;
    const float *sketches = (const float *)(values + layout.column_count);
    for (uint32_t i = 0; i < layout.column_count; i++)
        assert_memory_equal(&view->columns[i][at], &values[i], sizeof *values);
    for (uint32_t i = 0; i < layout.walks; i++)
        assert_memory_equal(view->sketches[i] + at * WS_SKETCH_CELLS, sketches + i * WS_SKETCH_CELLS,
                            WS_SKETCH_CELLS * sizeof *sketches);
}

static uint64_t number_of(double step)
{
    return (uint64_t)(step > 1000 ? step - 1 : step) / 2;
}

static void assert_real_rows(const ws_curve *curve, uint64_t count)
{
    const ws_history_view view = look(curve);
    for (uint64_t at = 0; at < view.rows; at++)
        assert_is_row(&view, at, number_of(view.columns[0][at]));
    assert_true(view.columns[0][0] == value_of_column(0, 0));
    assert_true(view.columns[0][view.rows - 1] == value_of_column(count - 1, 0));
    assert_true(ws_curve_last(curve) == (uint64_t)value_of_column(count - 1, 0));
}

static void test_an_empty_curve(void **state)
{
    (void)state;
    ws_curve *curve = make_curve();
    const ws_history_view view = look(curve);
    assert_int_equal(view.rows, 0);
    assert_int_equal(view.norms_from, 0);
    assert_int_equal(view.layer_count, LAYERS);
    assert_int_equal(view.norm_columns, WS_SCALAR_COLUMNS + 3 * LAYERS);
    assert_string_equal(view.names[0], "step");
    assert_string_equal(view.layers[3], "a3");
    assert_int_equal(view.kinds[1], WS_CONVOLUTION);
    assert_int_equal(view.kinds[2], WS_OTHER);
    assert_int_equal(view.sums[1].count, 0);
    assert_true(ws_curve_last(curve) == WS_NO_STEP);
    ws_curve_free(curve);
    ws_curve_free(NULL);
}

static void test_as_many_as_fit_are_all_there(void **state)
{
    (void)state;
    ws_curve *curve = make_curve();
    append(curve, 0, WS_CURVE_ROWS);
    assert_int_equal(look(curve).rows, WS_CURVE_ROWS);
    assert_int_equal(look(curve).norms_from, 1);
    assert_int_equal(assert_kept(curve, WS_CURVE_ROWS, 1), 1);
    assert_real_rows(curve, WS_CURVE_ROWS);
    ws_curve_free(curve);
}

static void test_what_is_kept_is_what_the_rule_says(void **state)
{
    (void)state;
    static const uint64_t counts[] = {WS_CURVE_ROWS + 1, WS_CURVE_ROWS + 2, 20000, LONG_RUN / 4 * 3,
                                      LONG_RUN};
    ws_curve *curve = make_curve();
    uint64_t done = 0, width = 1;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        append(curve, done, counts[i]);
        done = counts[i];
        const uint64_t wider = assert_kept(curve, done, width);
        assert_true(wider >= width && wider > 1);
        assert_real_rows(curve, done);
        width = wider;
    }
    assert_true(width >= LONG_RUN / 2048);
    ws_curve_free(curve);
}

/* Each row of a bucket can be the newest: the open bucket, from its first row until it is full and beyond. */
static void test_the_open_bucket_row_by_row(void **state)
{
    (void)state;
    ws_curve *curve = make_curve();
    uint64_t count = 2 * WS_CURVE_ROWS;
    append(curve, 0, count);
    uint8_t *kept = malloc(4 * WS_CURVE_ROWS);
    const uint64_t width = assert_kept(curve, count, 1), end = (count / width + 1) * width;
    assert_true(width >= 4);
    for (; count < end + 2; count++) {
        append(curve, count, count + 1);
        const ws_history_view view = look(curve);
        keep(count + 1, width, kept);
        assert_true(holds_just(&view, kept, count + 1));
    }
    free(kept);
    ws_curve_free(curve);
}

static void assert_same(const ws_history_view *left, const ws_history_view *right)
{
    assert_int_equal(left->rows, right->rows);
    for (uint32_t i = 0; i < layout.column_count; i++)
        assert_memory_equal(left->columns[i], right->columns[i], left->rows * sizeof(double));
    for (uint32_t i = 0; i < layout.walks; i++)
        assert_memory_equal(left->sketches[i], right->sketches[i],
                            left->rows * WS_SKETCH_CELLS * sizeof(float));
    assert_memory_equal(left->sums, right->sums, layout.walks * sizeof *left->sums);
}

static void test_looks_and_a_past_change_nothing(void **state)
{
    (void)state;
    const uint64_t count = 40001;
    ws_curve *once = make_curve(), *watched = make_curve();
    append(once, 0, count);
    append(watched, 5, 20000);
    ws_curve_clear(watched);
    assert_int_equal(look(watched).rows, 0);
    assert_true(ws_curve_last(watched) == WS_NO_STEP);
    for (uint64_t i = 0; i < count; i++) {
        append(watched, i, i + 1);
        if (noise(i, 7) < 0.01)
            assert_true(look(watched).rows > 0);
    }
    const ws_history_view left = look(once), right = look(watched);
    assert_same(&left, &right);
    ws_curve_free(once);
    ws_curve_free(watched);
}

static size_t used(void)
{
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static void test_memory_does_not_grow(void **state)
{
    (void)state;
    const size_t before = used();
    ws_curve *curve = make_curve();
    append(curve, 0, WS_CURVE_ROWS + 1);
    const size_t full = used();
    uint64_t done = WS_CURVE_ROWS + 1, most = 0;
    for (int i = 0; i < LONG_RUN / 1000; i++, done += 1000) {
        append(curve, done, done + 1000);
        most = look(curve).rows > most ? look(curve).rows : most;
    }
    assert_true(most <= WS_CURVE_ROWS && most > WS_CURVE_ROWS / 2);
    assert_true(used() == full);
    const size_t bucket = 2 * layout.column_count + 2;
    const size_t bound = (WS_CURVE_ROWS + 1 + bucket) * (layout.row_bytes + 64) + (1 << 20);
    if (!MALLINFO_IS_EMPTY)
        assert_true(full - before > WS_CURVE_ROWS * layout.row_bytes && full - before < bound);
    ws_curve_free(curve);
}

/* One bucket of so many columns keeps more rows than its width, until it is wide. */
static void test_many_columns(void **state)
{
    (void)state;
    tear_down(NULL);
    layout = make_layout(MANY_LAYERS, 1);
    row = malloc(layout.row_bytes);
    ws_curve *curve = make_curve();
    append(curve, 0, WS_CURVE_ROWS + 1);
    assert_true(look(curve).rows <= WS_CURVE_ROWS / 2);
    const uint64_t width = assert_kept(curve, WS_CURVE_ROWS + 1, 64);
    assert_true(width > 64);
    append(curve, WS_CURVE_ROWS + 1, 20000);
    assert_kept(curve, 20000, width);
    assert_real_rows(curve, 20000);
    ws_curve_free(curve);
}

static void test_sums_are_of_all_finite_rows(void **state)
{
    (void)state;
    static double sum[WS_SKETCH_CELLS], products[WS_SKETCH_CELLS][WS_SKETCH_CELLS];
    const uint64_t count = 40000;
    ws_curve *curve = make_curve();
    append(curve, 0, count);
    const ws_history_view view = look(curve);
    for (uint32_t walk = 0; walk < WALKS; walk++) {
        uint64_t finite = 0;
        memset(sum, 0, sizeof sum);
        memset(products, 0, sizeof products);
        for (uint64_t number = 0; number < count; number++) {
            float sketch[WS_SKETCH_CELLS];
            int is_finite = 1;
            for (int i = 0; i < WS_SKETCH_CELLS; i++) {
                sketch[i] = value_of_sketch(number, walk, i);
                is_finite = is_finite && isfinite(sketch[i]);
            }
            if (!is_finite)
                continue;
            finite++;
            for (int i = 0; i < WS_SKETCH_CELLS; i++) {
                sum[i] += sketch[i];
                for (int j = i; j < WS_SKETCH_CELLS; j++)
                    products[i][j] += (double)sketch[i] * sketch[j];
            }
        }
        assert_true(finite < count && finite > count * 9 / 10);
        assert_int_equal(view.sums[walk].count, finite);
        assert_memory_equal(view.sums[walk].sum, sum, sizeof sum);
        for (int i = 0; i < WS_SKETCH_CELLS; i++)
            assert_memory_equal(&view.sums[walk].products[i][i], &products[i][i],
                                (size_t)(WS_SKETCH_CELLS - i) * sizeof(double));
    }
    ws_curve_free(curve);
}

static void test_steps_rise(void **state)
{
    (void)state;
    const double bad[] = {4000, 3999, 0, -1, 4001.5, NAN, INFINITY, 1e300};
    ws_curve *curve = make_curve(), *clean = make_curve();
    for (uint64_t number = 0; number < 2000; number++) {
        write_row(&layout, number, row);
        *(double *)row = number == 1999 ? 4000.0 : (double)number;
        assert_int_equal(ws_curve_append(curve, row), WS_OK);
        assert_int_equal(ws_curve_append(clean, row), WS_OK);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_row(&layout, 5000 + i, row);
        *(double *)row = bad[i];
        assert_int_equal(ws_curve_append(curve, row), WS_BAD_ARGUMENT);
    }
    assert_int_equal(ws_curve_last(curve), 4000);
    const ws_history_view left = look(curve), right = look(clean);
    assert_same(&left, &right);
    ws_curve_free(curve);
    ws_curve_free(clean);
}

static void test_rows_need_no_alignment(void **state)
{
    (void)state;
    ws_curve *curve = make_curve();
    char *shifted = malloc(layout.row_bytes + 1);
    write_row(&layout, 7, row);
    memcpy(shifted + 1, row, layout.row_bytes);
    assert_int_equal(ws_curve_append(curve, shifted + 1), WS_OK);
    const ws_history_view view = look(curve);
    assert_is_row(&view, 0, 7);
    free(shifted);
    ws_curve_free(curve);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_an_empty_curve, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_as_many_as_fit_are_all_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_kept_is_what_the_rule_says, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_open_bucket_row_by_row, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_looks_and_a_past_change_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_memory_does_not_grow, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_columns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sums_are_of_all_finite_rows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_steps_rise, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rows_need_no_alignment, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
