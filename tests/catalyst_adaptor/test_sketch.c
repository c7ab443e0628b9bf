/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmocka_headers.h"
#include "plain_sketch.h"
#include <math.h>

enum { LENGTH = 5000 };

static uint8_t table[LENGTH];
static float zero[LENGTH], a[LENGTH], b[LENGTH];

/* Nothing was merged. */
static const ws_sketch_places all = {.rows = 1, .columns = 1, .each = LENGTH, .whole_columns = 1};

static int fill(void **state)
{
    (void)state;
    ws_sketch_table(table, LENGTH);
    for (int i = 0; i < LENGTH; i++) {
        a[i] = (float)((uint32_t)i * 2654435761u % 1000) / 1000 - 0.5f;
        b[i] = (float)((uint32_t)i * 40503u % 997) / 997 - 0.5f;
    }
    return 0;
}

static double product(const float *x, const float *y, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += (double)x[i] * y[i];
    return sum;
}

/* Within five standard deviations, sqrt(2 / cells) of the lengths, that the method promises. */
static void test_inner_products_are_kept(void **state)
{
    (void)state;
    float sketch_a[WS_SKETCH_CELLS], sketch_b[WS_SKETCH_CELLS];
    ws_sketch(table, &all, a, zero, sketch_a);
    ws_sketch(table, &all, b, zero, sketch_b);
    const double aa = product(a, a, LENGTH), bb = product(b, b, LENGTH),
                 allowed = 5 * sqrt(2.0 / WS_SKETCH_CELLS);
    assert_true(fabs(product(sketch_a, sketch_a, WS_SKETCH_CELLS) / aa - 1) < allowed);
    assert_true(fabs(product(sketch_a, sketch_b, WS_SKETCH_CELLS) - product(a, b, LENGTH)) <
                allowed * sqrt(aa * bb));
}

static void test_it_is_linear_and_of_the_difference(void **state)
{
    (void)state;
    float of_a[WS_SKETCH_CELLS], of_b[WS_SKETCH_CELLS], of_difference[WS_SKETCH_CELLS];
    ws_sketch(table, &all, a, zero, of_a);
    ws_sketch(table, &all, b, zero, of_b);
    ws_sketch(table, &all, a, b, of_difference);
    for (int i = 0; i < WS_SKETCH_CELLS; i++)
        assert_float_equal(of_difference[i], of_a[i] - of_b[i], 1e-4);
}

/* What is left of a layer [8,6,9], each weight in its place, and what is gone with no way made: as in the
 * whole. */
static void test_who_stays_keeps_its_place(void **state)
{
    (void)state;
    enum { ROWS = 8, COLUMNS = 6, EACH = 9, LEFT = 3, STAY = 4 };
    static const int32_t row[LEFT] = {1, 2, 7}, column[STAY] = {0, 2, 3, 5};
    float whole[ROWS * COLUMNS * EACH] = {0}, weight[LEFT * STAY * EACH], initial[LEFT * STAY * EACH];
    for (int i = 0, at = 0; i < LEFT; i++)
        for (int j = 0; j < STAY; j++)
            for (int k = 0; k < EACH; k++, at++) {
                weight[at] = a[at];
                initial[at] = b[at];
                whole[(row[i] * COLUMNS + column[j]) * EACH + k] = (float)((double)a[at] - b[at]);
            }
    const ws_sketch_places places = {LEFT, STAY, EACH, COLUMNS, row, column};
    float found[WS_SKETCH_CELLS], expected[WS_SKETCH_CELLS];
    assert_int_equal(ws_sketch_places_count(&places), ROWS * COLUMNS * EACH);
    ws_sketch(table, &places, weight, initial, found);
    plain_sketch(table, whole, zero, ROWS * COLUMNS * EACH, expected);
    for (int i = 0; i < WS_SKETCH_CELLS; i++)
        assert_float_equal(found[i], expected[i], 1e-6);
}

/* To the bit: histories of earlier versions go on. */
static void test_nobody_gone_is_as_before(void **state)
{
    (void)state;
    const ws_sketch_places places = {.rows = 20, .columns = 10, .each = 25, .whole_columns = 10};
    float found[WS_SKETCH_CELLS], expected[WS_SKETCH_CELLS];
    assert_int_equal(ws_sketch_places_count(&places), LENGTH);
    ws_sketch(table, &places, a, b, found);
    plain_sketch(table, a, b, LENGTH, expected);
    assert_memory_equal(found, expected, sizeof found);
}

/* Cells and signs are part of the file format: a later version must give the same. */
static void test_the_table_stays_as_it_is(void **state)
{
    (void)state;
    uint64_t hash = 14695981039346656037u;
    for (int i = 0; i < LENGTH; i++)
        hash = (hash ^ table[i]) * 1099511628211u;
    assert_int_equal(hash, 5026144917452074211u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inner_products_are_kept),
        cmocka_unit_test(test_it_is_linear_and_of_the_difference),
        cmocka_unit_test(test_who_stays_keeps_its_place),
        cmocka_unit_test(test_nobody_gone_is_as_before),
        cmocka_unit_test(test_the_table_stays_as_it_is),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
