/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmocka_headers.h"
#include "sketch.h"
#include <math.h>

enum { LENGTH = 5000 };

static uint8_t table[LENGTH];
static float zero[LENGTH], a[LENGTH], b[LENGTH];

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
    ws_sketch(table, a, zero, LENGTH, sketch_a);
    ws_sketch(table, b, zero, LENGTH, sketch_b);
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
    ws_sketch(table, a, zero, LENGTH, of_a);
    ws_sketch(table, b, zero, LENGTH, of_b);
    ws_sketch(table, a, b, LENGTH, of_difference);
    for (int i = 0; i < WS_SKETCH_CELLS; i++)
        assert_float_equal(of_difference[i], of_a[i] - of_b[i], 1e-4);
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
        cmocka_unit_test(test_the_table_stays_as_it_is),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
