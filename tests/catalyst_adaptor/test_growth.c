/* SPDX-License-Identifier: BSD-3-Clause */
/* On walks with known answers the estimators find them, and intervals hold them as often as they say. */
#include "cmocka_headers.h"
#include "walks.h"
#include "weightscape/growth.h"
#include <stdlib.h>

#define STEPS 3000

static double steps[STEPS], values[STEPS], gamma_at[STEPS];

static ws_growth grown(int count)
{
    ws_growth result = {.size = sizeof result};
    assert_int_equal(ws_growth_fit(steps, values, (uint64_t)count, &result), WS_OK);
    return result;
}

static int holds(ws_measured interval, double truth)
{
    return interval.low <= truth && truth <= interval.high;
}

/* ---- Without chance. */

static void test_powers_are_found_to_rounding(void **state)
{
    (void)state;
    for (double power = 0.1; power < 2; power += 0.3) {
        for (int t = 1; t <= STEPS; t++) {
            steps[t - 1] = t;
            values[t - 1] = 3 * pow(t, power);
        }
        const ws_growth result = grown(STEPS);
        assert_int_equal(result.state, WS_GROWTH_KNOWN);
        assert_float_equal(result.exponent.value, power, 1e-9);
        assert_true(result.exponent.high - result.exponent.low < 1e-5);
        const ws_measured gamma = ws_growth_slope(steps, values, STEPS, STEPS / 2, STEPS);
        assert_float_equal(gamma.value, 2 * power, 1e-9);
        ws_growth_slopes(steps, values, STEPS, gamma_at);
        assert_true(isnan(gamma_at[0]));
        for (int i = 100; i < STEPS; i++)
            assert_float_equal(gamma_at[i], 2 * power, 1e-7);
    }
}

static void test_the_fit_is_of_the_last_two_decades(void **state)
{
    (void)state;
    for (int t = 1; t <= STEPS; t++) {
        steps[t - 1] = t;
        values[t - 1] = t < 30 ? 1e6 : sqrt(t);
    }
    const ws_growth result = grown(STEPS);
    assert_int_equal(result.first, 30);
    assert_int_equal(result.last, STEPS);
    assert_float_equal(result.exponent.value, 0.5, 1e-9);
}

/* ---- Laws. */

static void test_a_logarithm_is_told_from_a_root(void **state)
{
    (void)state;
    int root = 0, log_ = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        dice from = {seed};
        /* Deviations of 2 %, correlated in ln t. */
        double deviation = normal(&from);
        for (int t = 1; t <= STEPS; t++) {
            const double keep = t > 1 ? exp(-log((double)t / (t - 1))) : 0;
            deviation = keep * deviation + sqrt(1 - keep * keep) * normal(&from);
            steps[t - 1] = t;
            values[t - 1] = 0.3 * log(1 + t / 5.0) * (1 + 0.02 * deviation);
        }
        const ws_growth of_log = grown(STEPS);
        assert_int_not_equal(of_log.law, WS_LAW_ROOT);
        assert_true(of_log.exponent.high < 0.5);
        assert_true(of_log.log_misfit < 0.05);
        log_ += of_log.law == WS_LAW_LOG;
        for (int t = 1; t <= STEPS; t++)
            values[t - 1] *= sqrt(t) / log(1 + t / 5.0);
        const ws_growth of_root = grown(STEPS);
        assert_int_not_equal(of_root.law, WS_LAW_LOG);
        assert_true(of_root.root_misfit < 0.05);
        root += of_root.law == WS_LAW_ROOT;
    }
    assert_true(log_ >= 19 && root >= 19);
}

/* ---- Walks. */

#define SEEDS 200

/* How often of SEEDS the interval of the exponent of a diffusion holds 1/2; *mean is that of the estimates.
 */
static int coverage(const walk_kind *kind, int count, double *mean, int *held_gamma)
{
    int held = 0;
    *mean = *held_gamma = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        walk(kind, seed, count, steps, values);
        const ws_growth result = grown(count);
        assert_int_equal(result.state, WS_GROWTH_KNOWN);
        held += holds(result.exponent, 0.5);
        *mean += result.exponent.value / SEEDS;
        *held_gamma +=
            holds(ws_growth_slope(steps, values, (uint64_t)count, (uint64_t)count / 2, (uint64_t)count), 1);
    }
    return held;
}

static void test_diffusion_has_one_half_as_often_as_the_interval_says(void **state)
{
    (void)state;
    const struct {
        walk_kind kind;
        int count;
        double tolerance;
    } cases[] = {
        {{.dimensions = 2, .noise = 1, .falloff = 1}, 600, 0.1},
        {{.dimensions = 9, .noise = 1, .falloff = 1}, 3000, 0.03},
        {{.dimensions = 64, .noise = 1, .falloff = 1}, 1000, 0.01},
        {{.dimensions = 64, .noise = 1, .falloff = 0.8}, 1000, 0.05},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double mean;
        int held_gamma;
        const int held = coverage(&cases[i].kind, cases[i].count, &mean, &held_gamma);
        print_message("%d dimensions, falloff %g, %d steps: mean %.4f, 0.5 held %d, gamma 1 held %d of %d\n",
                      cases[i].kind.dimensions, cases[i].kind.falloff, cases[i].count, mean, held, held_gamma,
                      SEEDS);
        assert_true(fabs(mean - 0.5) < cases[i].tolerance);
        /* 95 % are 190; three standard deviations of the count are 9. */
        assert_in_range(held, 181, SEEDS);
        assert_in_range(held_gamma, 181, SEEDS);
    }
}

static void test_drift(void **state)
{
    (void)state;
    const walk_kind kind = {.dimensions = 16, .drift = 1, .noise = 0.2, .falloff = 1};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        walk(&kind, seed, STEPS, steps, values);
        assert_float_equal(grown(STEPS).exponent.value, 1, 0.01);
        const ws_measured gamma = ws_growth_slope(steps, values, STEPS, STEPS / 2, STEPS);
        assert_float_equal(gamma.value, 2, 0.05);
        assert_true(gamma.low > 1.5);
    }
}

static void test_a_trapped_walk(void **state)
{
    (void)state;
    const walk_kind kind = {.dimensions = 64, .pull = 0.02, .noise = 1, .falloff = 1};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        walk(&kind, seed, STEPS, steps, values);
        const ws_measured gamma = ws_growth_slope(steps, values, STEPS, STEPS / 2, STEPS);
        assert_float_equal(gamma.value, 0, 0.5);
        assert_true(gamma.high < 1);
        assert_true(grown(STEPS).exponent.high < 0.5);
    }
}

/* ---- What there is nothing to tell of. */

static void test_short_runs_are_not_guessed(void **state)
{
    (void)state;
    for (int t = 1; t <= STEPS; t++) {
        steps[t - 1] = t;
        values[t - 1] = sqrt(t);
    }
    const int shorter[] = {0, 1, 2, 10, 100, WS_GROWTH_STEPS - 1};
    for (size_t i = 0; i < sizeof shorter / sizeof *shorter; i++) {
        const ws_growth result = grown(shorter[i]);
        assert_int_equal(result.state, shorter[i] ? WS_GROWTH_TOO_SHORT : WS_GROWTH_NO_VALUES);
        assert_true(isnan(result.exponent.value) && isnan(result.exponent.low));
    }
    assert_int_equal(grown(WS_GROWTH_STEPS).state, WS_GROWTH_KNOWN);
    assert_true(isnan(ws_growth_slope(steps, values, 6, 1, 6).value));
    assert_true(isnan(ws_growth_slope(steps, values, STEPS, STEPS + 1, STEPS + 9).value));
    assert_true(isnan(ws_growth_slope(steps, values, 0, 1, 6).value));
}

static void test_what_does_not_grow(void **state)
{
    (void)state;
    for (int t = 1; t <= STEPS; t++) {
        steps[t - 1] = t;
        values[t - 1] = -sqrt(t);
    }
    assert_int_equal(grown(STEPS).state, WS_GROWTH_NONE);
    for (int t = 1; t <= STEPS; t++)
        values[t - 1] = t - STEPS / 2.0;
    assert_int_equal(grown(STEPS).state, WS_GROWTH_NONE);
    for (int t = 1; t <= STEPS; t++)
        values[t - 1] = NAN;
    assert_int_equal(grown(STEPS).state, WS_GROWTH_NO_VALUES);
    for (int t = 1; t <= STEPS; t++)
        values[t - 1] = 0;
    assert_int_equal(grown(STEPS).state, WS_GROWTH_NONE);
    ws_growth_slopes(steps, values, STEPS, gamma_at);
    for (int i = 0; i < STEPS; i++)
        assert_true(isnan(gamma_at[i]));
}

static void test_a_run_that_ended_in_nan(void **state)
{
    (void)state;
    for (int t = 1; t <= STEPS; t++) {
        steps[t - 1] = t;
        values[t - 1] = t <= 2000 ? pow(t, 0.7) : t % 2 ? NAN : INFINITY;
    }
    const ws_growth result = grown(STEPS);
    assert_int_equal(result.last, 2000);
    assert_float_equal(result.exponent.value, 0.7, 1e-9);
    assert_float_equal(ws_growth_slope(steps, values, STEPS, 1000, STEPS).value, 1.4, 1e-9);
    assert_true(isnan(ws_growth_slope(steps, values, STEPS, 2001, STEPS).value));
}

/* A host that leaves norms to the adaptor has them at the steps that were shown only. */
static void test_rows_without_a_value_do_not_count(void **state)
{
    (void)state;
    for (int t = 1; t <= STEPS; t++) {
        steps[t - 1] = t;
        values[t - 1] = t % 50 ? NAN : pow(t, 0.4);
    }
    assert_float_equal(grown(STEPS).exponent.value, 0.4, 1e-9);
    assert_float_equal(ws_growth_slope(steps, values, STEPS, STEPS / 2, STEPS).value, 0.8, 1e-9);
    ws_growth_slopes(steps, values, STEPS, gamma_at);
    for (int t = 1; t <= STEPS; t++)
        if (t % 50 || t < 800)
            assert_true(t % 50 == 0 || isnan(gamma_at[t - 1]));
        else
            assert_float_equal(gamma_at[t - 1], 0.8, 1e-7);
    for (int t = 1; t <= STEPS; t++)
        values[t - 1] = t % 200 ? NAN : pow(t, 0.4);
    assert_int_equal(grown(STEPS).state, WS_GROWTH_TOO_SHORT);
}

static void test_a_constant_has_exponent_zero(void **state)
{
    (void)state;
    for (int t = 1; t <= STEPS; t++) {
        steps[t - 1] = t;
        values[t - 1] = 2.5;
    }
    const ws_growth result = grown(STEPS);
    assert_float_equal(result.exponent.value, 0, 1e-9);
    assert_int_equal(result.law, WS_LAW_OPEN);
}

static void test_bad_arguments(void **state)
{
    (void)state;
    ws_growth result = {.size = 1};
    steps[0] = steps[1] = 1;
    assert_int_equal(ws_growth_fit(steps, values, 1, &result), WS_BAD_ARGUMENT);
    result.size = sizeof result;
    assert_int_equal(ws_growth_fit(steps, values, 2, &result), WS_BAD_ARGUMENT);
    assert_int_equal(ws_growth_fit(NULL, values, 2, &result), WS_BAD_ARGUMENT);
}

static void test_null_of_components(void **state)
{
    (void)state;
    assert_float_equal(ws_walk_null(1), 0.608, 1e-3);
    assert_float_equal(ws_walk_null(2), 0.152, 1e-3);
    assert_float_equal(ws_walk_null(3), 0.0675, 1e-3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_powers_are_found_to_rounding),
        cmocka_unit_test(test_the_fit_is_of_the_last_two_decades),
        cmocka_unit_test(test_a_logarithm_is_told_from_a_root),
        cmocka_unit_test(test_diffusion_has_one_half_as_often_as_the_interval_says),
        cmocka_unit_test(test_drift),
        cmocka_unit_test(test_a_trapped_walk),
        cmocka_unit_test(test_short_runs_are_not_guessed),
        cmocka_unit_test(test_what_does_not_grow),
        cmocka_unit_test(test_a_run_that_ended_in_nan),
        cmocka_unit_test(test_rows_without_a_value_do_not_count),
        cmocka_unit_test(test_a_constant_has_exponent_zero),
        cmocka_unit_test(test_bad_arguments),
        cmocka_unit_test(test_null_of_components),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
