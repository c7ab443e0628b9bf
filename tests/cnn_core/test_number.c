/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmocka_headers.h"
#include "cnn/number.h"
#include "cnn/status.h"
#include "scratch.h"
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void assert_real(const char *text, double expected)
{
    double value = -77;
    if (cnn_parse_real("lr", text, -DBL_MAX, DBL_MAX, &value))
        fail_msg("%s", cnn_message());
    assert_memory_equal(&value, &expected, sizeof value);
}

static void test_reals(void **state)
{
    (void)state;
    assert_real("0.01", 0.01);
    assert_real("1e-2", 0.01);
    assert_real("-3", -3);
    assert_real("+.5", 0.5);
    assert_real("5.", 5);
    assert_real("1E10", 1e10);
    assert_real("1.7976931348623157e308", DBL_MAX);
}

static void test_reals_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",         "abc", "1e-2x", "0,01",  "nan",   "NaN",   "inf", "-inf",
                                      "infinity", " 1",  "1 ",    "1\n",   "0x10",  "1e",    "e5",  ".",
                                      "-",        "--1", "1.2.3", "1e400", "1_000", "1'000", "١"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        double value = -77;
        assert_failed(cnn_parse_real("lr", bad[i], -INFINITY, INFINITY, &value), CNN_BAD_ARGUMENT, "lr: \"",
                      "is not a number in -inf..inf");
        assert_true(value == -77);
    }
}

static void test_limits_of_reals(void **state)
{
    (void)state;
    double value = -77;
    assert_int_equal(cnn_parse_real("rate", "0.5", 0.5, 0.75, &value), CNN_OK);
    assert_int_equal(cnn_parse_real("rate", "0.75", 0.5, 0.75, &value), CNN_OK);
    assert_int_equal(cnn_parse_real("rate", "0.7500001", 0.5, 0.75, &value), CNN_BAD_ARGUMENT);
    assert_string_equal(cnn_message(), "rate: \"0.7500001\" is not a number in 0.5..0.75");
    assert_int_equal(cnn_parse_real("rate", "-1", 0.5, 0.75, &value), CNN_BAD_ARGUMENT);
    assert_true(value == 0.75);
}

static void test_whole_numbers(void **state)
{
    (void)state;
    uint64_t value = 77;
    assert_int_equal(cnn_parse_whole("batch", "0", 0, 9, &value), CNN_OK);
    assert_int_equal(value, 0);
    assert_int_equal(cnn_parse_whole("batch", "007", 1, 9, &value), CNN_OK);
    assert_int_equal(value, 7);
    assert_int_equal(cnn_parse_whole("seed", "18446744073709551615", 0, UINT64_MAX, &value), CNN_OK);
    assert_true(value == UINT64_MAX);
}

static void test_whole_numbers_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "x",
                                      "-1",
                                      "+1",
                                      "1e3",
                                      "1.0",
                                      " 1",
                                      "1 ",
                                      "0x1",
                                      "1,000",
                                      "11",
                                      "18446744073709551616",
                                      "18446744073709551617",
                                      "99999999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint64_t value = 77;
        assert_failed(cnn_parse_whole("batch", bad[i], 1, 10, &value), CNN_BAD_ARGUMENT, "batch: \"",
                      "is not a whole number in 1..10");
        assert_int_equal(value, 77);
    }
}

static void assert_text(double value, const char *expected)
{
    char buffer[CNN_NUMBER_SIZE];
    assert_string_equal(cnn_format_real(value, buffer), expected);
}

static void test_shortest_text(void **state)
{
    (void)state;
    assert_text(0, "0");
    assert_text(-0.0, "-0");
    assert_text(0.1, "0.1");
    assert_text(0.1 + 0.2, "0.30000000000000004");
    assert_text(1e22, "1e+22");
    assert_text(5e-324, "5e-324");
    assert_text(-DBL_MAX, "-1.7976931348623157e+308");
    assert_text(NAN, "nan");
    assert_text(-NAN, "nan");
    assert_text(INFINITY, "inf");
    assert_text(-INFINITY, "-inf");
}

static void test_text_reads_back(void **state)
{
    (void)state;
    uint64_t bits = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        double value, back = 0;
        memcpy(&value, &bits, sizeof value);
        char buffer[CNN_NUMBER_SIZE];
        if (!isfinite(value))
            continue;
        assert_int_equal(cnn_parse_real("x", cnn_format_real(value, buffer), -DBL_MAX, DBL_MAX, &back),
                         CNN_OK);
        assert_memory_equal(&value, &back, sizeof value);
    }
}

/* Sets a locale with a decimal comma, made for this test where the machine has none. */
static int set_comma_locale(void)
{
    if (setlocale(LC_ALL, "de_DE.UTF-8"))
        return 1;
    char command[512];
    const char *folder = scratch_path("de_DE.UTF-8");
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 '%s' >'%s.log' 2>&1", folder, folder);
    /* Its status tells of mere warnings too; whether setlocale works is what counts. */
    if (system(command) == -1)
        return 0;
    setenv("LOCPATH", scratch_path(""), 1);
    return setlocale(LC_ALL, "de_DE.UTF-8") != NULL;
}

static void test_comma_locale(void **state)
{
    (void)state;
    if (!set_comma_locale()) {
        print_message("no locale with a decimal comma, and none can be made (package locales)\n");
        skip();
    }
    char host[16];
    snprintf(host, sizeof host, "%.1f", 0.5);
    assert_string_equal(host, "0,5");
    test_reals(state);
    test_reals_refused(state);
    test_limits_of_reals(state);
    test_shortest_text(state);
    snprintf(host, sizeof host, "%.1f", 0.5);
    assert_string_equal(host, "0,5");
    setlocale(LC_ALL, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reals),
        cmocka_unit_test(test_reals_refused),
        cmocka_unit_test(test_limits_of_reals),
        cmocka_unit_test(test_whole_numbers),
        cmocka_unit_test(test_whole_numbers_refused),
        cmocka_unit_test(test_shortest_text),
        cmocka_unit_test(test_text_reads_back),
        cmocka_unit_test(test_comma_locale),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
