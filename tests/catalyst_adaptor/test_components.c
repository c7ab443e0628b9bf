/* SPDX-License-Identifier: BSD-3-Clause */
/* Components against covariances whose eigenvectors are known, and against the null of a random walk. */
#include "cmocka_headers.h"
#include "components.h"
#include "walks.h"
#include "weightscape/growth.h"
#include <stdlib.h>
#include <string.h>

#define CELLS WS_SKETCH_CELLS

static ws_walk_sums sums;

static void add(const double row[CELLS])
{
    sums.count++;
    for (int i = 0; i < CELLS; i++) {
        sums.sum[i] += row[i];
        for (int j = i; j < CELLS; j++)
            sums.products[i][j] += row[i] * row[j];
    }
}

static void clear(void)
{
    memset(&sums, 0, sizeof sums);
    /* What is below the diagonal means nothing. */
    for (int i = 0; i < CELLS; i++)
        for (int j = 0; j < i; j++)
            sums.products[i][j] = NAN;
}

/* Points along three known axes that are at right angles, with the variances 9 : 4 : 1 of 14.5. */
static void test_known_axes_are_found(void **state)
{
    (void)state;
    static double axes[4][CELLS];
    const double variances[4] = {9, 4, 1, 0.5};
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < CELLS; i++)
            axes[k][i] = cos((k + 1) * 3.14159265358979323846 * (i + 0.5) / CELLS) * sqrt(2.0 / CELLS);
    clear();
    for (int signs = 0; signs < 16; signs++) {
        double row[CELLS];
        for (int i = 0; i < CELLS; i++) {
            row[i] = 5 + i;
            for (int k = 0; k < 4; k++)
                row[i] += (signs >> k & 1 ? -1 : 1) * sqrt(variances[k]) * axes[k][i];
        }
        add(row);
    }
    ws_components found;
    assert_int_equal(ws_components_of(&sums, &found), 1);
    for (int k = 0; k < WS_COMPONENTS; k++) {
        double along = 0;
        for (int i = 0; i < CELLS; i++)
            along += found.axes[k][i] * axes[k][i];
        assert_float_equal(fabs(along), 1, 1e-10);
        assert_float_equal(found.explained[k], variances[k] / 14.5, 1e-10);
    }
    for (int i = 0; i < CELLS; i++)
        assert_float_equal(found.mean[i], 5 + i, 1e-10);
}

/* In 64 dimensions and 2000 steps a random walk explains what the null says. */
static void test_a_random_walk_explains_what_the_null_says(void **state)
{
    (void)state;
    double mean[WS_COMPONENTS] = {0};
    const int seeds = 10;
    for (int seed = 1; seed <= seeds; seed++) {
        double x[CELLS] = {0};
        dice from = {(uint64_t)seed * 977};
        clear();
        for (int t = 0; t < 2000; t++) {
            for (int i = 0; i < CELLS; i++)
                x[i] += normal(&from);
            add(x);
        }
        ws_components found;
        ws_components_of(&sums, &found);
        for (int k = 0; k < WS_COMPONENTS; k++)
            mean[k] += found.explained[k] / seeds;
    }
    for (int k = 0; k < WS_COMPONENTS; k++)
        assert_float_equal(mean[k], ws_walk_null(k + 1), 0.02);
}

static void test_a_straight_walk_has_one_component(void **state)
{
    (void)state;
    clear();
    for (int t = 0; t < 100; t++) {
        double row[CELLS];
        for (int i = 0; i < CELLS; i++)
            row[i] = t * (i - 20.0);
        add(row);
    }
    ws_components found;
    ws_components_of(&sums, &found);
    assert_float_equal(found.explained[0], 1, 1e-9);
    assert_float_equal(found.explained[1], 0, 1e-9);
}

static void test_nothing(void **state)
{
    (void)state;
    clear();
    ws_components found;
    assert_int_equal(ws_components_of(&sums, &found), 0);
    assert_true(isnan(found.explained[0]) && isnan(found.axes[0][0]) && isnan(found.mean[0]));
    const double row[CELLS] = {0};
    add(row);
    assert_int_equal(ws_components_of(&sums, &found), 1);
    assert_true(isnan(found.explained[0]));
    assert_true(isfinite(found.axes[1][0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_axes_are_found),
        cmocka_unit_test(test_a_random_walk_explains_what_the_null_says),
        cmocka_unit_test(test_a_straight_walk_has_one_component),
        cmocka_unit_test(test_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
