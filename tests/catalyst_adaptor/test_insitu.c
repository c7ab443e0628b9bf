/* SPDX-License-Identifier: BSD-3-Clause */
/* The public API as far as it needs no ParaView. */
#include "cmocka_headers.h"
#include "weightscape/insitu.h"
#include <math.h>
#include <string.h>

static float weight[18];

static ws_layer make_layer(const char *name)
{
    return (ws_layer){.size = sizeof(ws_layer),
                      .kind = WS_CONVOLUTION,
                      .name = name,
                      .shape = {2, 1, 3, 3},
                      .weight = weight};
}

static ws_insitu *create(void)
{
    const ws_options options = {.size = sizeof options};
    ws_insitu *insitu;
    assert_int_equal(ws_insitu_create(&options, &insitu), WS_OK);
    return insitu;
}

static ws_row make_row(uint64_t step)
{
    return (ws_row){.size = sizeof(ws_row), .step = step};
}

static void test_without_scripts_nothing_is_wanted(void **state)
{
    (void)state;
    ws_insitu *insitu = create();
    const ws_layer layer = make_layer("conv1");
    assert_int_equal(ws_insitu_add_layer(insitu, &layer), 0);
    assert_int_equal(ws_insitu_start(insitu), WS_OK);
    assert_true(*ws_insitu_next(insitu) == WS_NEVER);
    for (uint64_t step = 0; step < 100; step++) {
        const ws_row row = make_row(step);
        assert_int_equal(ws_insitu_row(insitu, &row), WS_OK);
        assert_int_equal(ws_insitu_show(insitu, step), WS_OK);
    }
    ws_report report = {.size = sizeof report};
    ws_insitu_report(insitu, &report);
    assert_int_equal(report.frames, 0);
    assert_int_equal(report.pictures, 0);
    ws_insitu_free(insitu);
    ws_insitu_free(NULL);
}

static void test_bad_layers_are_named(void **state)
{
    (void)state;
    ws_insitu *insitu = create();
    ws_layer bad = make_layer("conv1");
    bad.size = 3;
    assert_int_equal(ws_insitu_add_layer(insitu, &bad), WS_BAD_ARGUMENT);
    bad = make_layer("1conv");
    assert_int_equal(ws_insitu_add_layer(insitu, &bad), WS_BAD_ARGUMENT);
    assert_non_null(strstr(ws_message(), "1conv"));
    bad = make_layer("a_name_that_is_longer_than_31_chars");
    assert_int_equal(ws_insitu_add_layer(insitu, &bad), WS_BAD_ARGUMENT);
    bad = make_layer("conv1");
    bad.shape[2] = 0;
    assert_int_equal(ws_insitu_add_layer(insitu, &bad), WS_BAD_ARGUMENT);
    assert_non_null(strstr(ws_message(), "shape[2]"));
    bad = make_layer("conv1");
    bad.shape[0] = bad.shape[1] = INT64_MAX;
    assert_int_equal(ws_insitu_add_layer(insitu, &bad), WS_BAD_ARGUMENT);
    bad = make_layer("conv1");
    bad.weight = NULL;
    assert_int_equal(ws_insitu_add_layer(insitu, &bad), WS_BAD_ARGUMENT);
    const ws_layer good = make_layer("conv1");
    assert_int_equal(ws_insitu_add_layer(insitu, &good), 0);
    assert_int_equal(ws_insitu_add_layer(insitu, &good), WS_BAD_ARGUMENT);
    assert_non_null(strstr(ws_message(), "was added twice"));
    assert_int_equal(ws_insitu_start(insitu), WS_OK);
    const ws_layer late = make_layer("conv2");
    assert_int_equal(ws_insitu_add_layer(insitu, &late), WS_BAD_ARGUMENT);
    ws_layer renamed = make_layer("conv9");
    assert_int_equal(ws_insitu_change_layer(insitu, 0, &renamed), WS_BAD_ARGUMENT);
    ws_insitu_free(insitu);
}

static void test_bad_rows_are_named(void **state)
{
    (void)state;
    ws_insitu *insitu = create();
    const ws_layer layer = make_layer("conv1");
    ws_row row = make_row(1);
    assert_int_equal(ws_insitu_add_layer(insitu, &layer), 0);
    assert_int_equal(ws_insitu_row(insitu, &row), WS_BAD_ARGUMENT);
    assert_int_equal(ws_insitu_start(insitu), WS_OK);
    assert_int_equal(ws_insitu_row(insitu, &row), WS_OK);
    assert_int_equal(ws_insitu_row(insitu, &row), WS_BAD_ARGUMENT);
    row = make_row(2);
    row.norm_count = 5;
    assert_int_equal(ws_insitu_row(insitu, &row), WS_BAD_ARGUMENT);
    assert_non_null(strstr(ws_message(), "5 norms, but there are 1"));
    ws_insitu_free(insitu);
}

static void test_bad_options_are_named(void **state)
{
    (void)state;
    ws_insitu *untouched = (ws_insitu *)&state;
    ws_options options = {.size = 1};
    assert_int_equal(ws_insitu_create(&options, &untouched), WS_BAD_ARGUMENT);
    options = (ws_options){.size = sizeof options, .script_seconds = NAN};
    assert_int_equal(ws_insitu_create(&options, &untouched), WS_BAD_ARGUMENT);
    options = (ws_options){.size = sizeof options, .script_count = 1};
    assert_int_equal(ws_insitu_create(&options, &untouched), WS_BAD_ARGUMENT);
    assert_ptr_equal(untouched, &state);
    assert_string_equal(ws_status_text(WS_OK), "success");
    assert_string_equal(ws_status_text(99), "unknown status");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_scripts_nothing_is_wanted),
        cmocka_unit_test(test_bad_layers_are_named),
        cmocka_unit_test(test_bad_rows_are_named),
        cmocka_unit_test(test_bad_options_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
