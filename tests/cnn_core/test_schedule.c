/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmocka_headers.h"
#include "cnn/schedule.h"
#include "cnn/status.h"
#include <math.h>
#include <string.h>

static cnn_schedule parse(const char *text)
{
    cnn_schedule schedule;
    assert_int_equal(cnn_schedule_parse(text, &schedule), CNN_OK);
    return schedule;
}

static void assert_rate(const cnn_schedule *schedule, uint64_t step, uint64_t total, double expected)
{
    assert_true(fabs(cnn_schedule_rate(schedule, 0.5, step, total) - expected) <= 1e-15);
}

static void test_constant(void **state)
{
    (void)state;
    const cnn_schedule schedule = parse("constant");
    assert_rate(&schedule, 1, 10, 0.5);
    assert_rate(&schedule, 1000, 10, 0.5);
}

static void test_warmup_rises_linearly(void **state)
{
    (void)state;
    const cnn_schedule schedule = parse("constant,warmup=4");
    const double expected[] = {0.125, 0.25, 0.375, 0.5, 0.5};
    for (uint64_t step = 1; step <= 5; step++)
        assert_rate(&schedule, step, 10, expected[step - 1]);
}

static void test_steps_drop(void **state)
{
    (void)state;
    const cnn_schedule schedule = parse("step,every=3,factor=0.5");
    const double expected[] = {0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125};
    for (uint64_t step = 1; step <= 7; step++)
        assert_rate(&schedule, step, 7, expected[step - 1]);
}

static void test_cosine_goes_from_base_to_floor(void **state)
{
    (void)state;
    const cnn_schedule schedule = parse("cosine,floor=0.1,warmup=2");
    assert_rate(&schedule, 1, 13, 0.25);
    assert_rate(&schedule, 3, 13, 0.5);
    assert_rate(&schedule, 8, 13, 0.5 * (0.1 + 0.9 * 0.5));
    assert_rate(&schedule, 13, 13, 0.05);
    assert_rate(&schedule, 99, 13, 0.05);
    const cnn_schedule plain = parse("cosine");
    assert_rate(&plain, 1, 1, 0.5);
}

static void test_bad_text_is_named(void **state)
{
    (void)state;
    const struct {
        const char *text, *words;
    } cases[] = {
        {"", "constant, step, cosine"},
        {"cosin", "cosin"},
        {"step", "every"},
        {"step,every=0", "every"},
        {"step,every=5,factor=2", "factor"},
        {"constant,floor=1", "floor"},
        {"cosine,floor=nan", "floor"},
        {"cosine,floor", "key=value"},
        {"constant,warmup=-1", "warmup"},
        {"constant,", "key=value"},
        {"step,every=5,factor=0,5", "factor"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cnn_schedule untouched = {.warmup = 77};
        assert_int_equal(cnn_schedule_parse(cases[i].text, &untouched), CNN_BAD_ARGUMENT);
        if (!strstr(cnn_message(), cases[i].words))
            fail_msg("\"%s\" gave: %s", cases[i].text, cnn_message());
        assert_int_equal(untouched.warmup, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_constant),          cmocka_unit_test(test_warmup_rises_linearly),
        cmocka_unit_test(test_steps_drop),        cmocka_unit_test(test_cosine_goes_from_base_to_floor),
        cmocka_unit_test(test_bad_text_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
