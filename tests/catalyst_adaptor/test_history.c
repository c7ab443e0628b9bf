/* SPDX-License-Identifier: BSD-3-Clause */
#include "history.h"
#include "plain_sketch.h"
#include "weights.h"
#include <malloc.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], path[96];
static ws_layers layers;
static int warnings;

static void count_warning(void *context, ws_log_level level, const char *line)
{
    (void)context;
    (void)level;
    assert_non_null(strstr(line, path));
    warnings++;
}

static void expect_lost(void *context, ws_log_level level, const char *line)
{
    count_warning(context, level, line);
    assert_non_null(strstr(line, "the histories are lost from here on"));
}

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/weightscape-history-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/history", folder);
    warnings = 0;
    layers = (ws_layers){0};
    const ws_layer conv = describe_layer("conv1");
    const ws_layer other = {
        .size = sizeof other, .kind = WS_OTHER, .name = "fc1", .shape = {2, 2, 1, 1}, .weight = weight};
    return ws_layers_add(&layers, &conv) != 0 || ws_layers_add(&layers, &other) != 1 ||
           ws_layers_begin(&layers);
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ws_layers_free(&layers);
    return system(command);
}

static ws_history_options options_at(uint64_t first_step, int read_only)
{
    return (ws_history_options){.path = path,
                                .first_step = first_step,
                                .read_only = read_only,
                                .keep_curve = 1,
                                .log = {count_warning, NULL}};
}

static ws_history *open_at(uint64_t first_step, int read_only)
{
    const ws_history_options options = options_at(first_step, read_only);
    ws_history *history = NULL;
    assert_int_equal(ws_history_open(&options, &layers, &history), WS_OK);
    return history;
}

static int append(ws_history *history, uint64_t step)
{
    weight[0] = (float)step;
    const ws_row row = {
        .size = sizeof row, .step = step, .epoch = (double)step / 10, .loss = 1.0 / (double)(step + 1)};
    const ws_norms norms[] = {{(double)step, 2, 3}, {4, 5, 6}};
    return ws_history_append(history, &row, norms);
}

/* A session that begins after step `after` and ends with step `last`. */
static void run(uint64_t after, uint64_t first, uint64_t last)
{
    ws_history *history = open_at(after, 0);
    for (uint64_t step = first; step <= last; step++)
        assert_int_equal(append(history, step), WS_OK);
    ws_history_close(history);
}

static off_t size_of(const char *name)
{
    struct stat found;
    return stat(name, &found) == 0 ? found.st_size : -1;
}

static void assert_rows(uint64_t first, uint64_t last)
{
    ws_history *history = open_at(UINT64_MAX >> 12, 1);
    ws_history_view view;
    ws_history_look(history, &view);
    assert_int_equal(view.rows, last - first + 1);
    for (uint64_t row = 0; row < view.rows; row++) {
        assert_true(view.columns[0][row] == (double)(first + row));
        assert_true(view.columns[3][row] == 1.0 / (double)(first + row + 1));
        assert_true(view.columns[WS_SCALAR_COLUMNS][row] == (double)(first + row));
        assert_true(view.columns[view.norm_columns][row] == (double)(first + row));
    }
    ws_history_close(history);
}

static void test_rows_come_back(void **state)
{
    (void)state;
    run(0, 0, 2000);
    assert_rows(0, 2000);
}

static void test_names_and_kinds_are_told(void **state)
{
    (void)state;
    ws_history *history = open_at(0, 0);
    assert_int_equal(append(history, 0), WS_OK);
    ws_history_view view;
    ws_history_look(history, &view);
    assert_int_equal(view.layer_count, 2);
    assert_int_equal(view.norm_columns, WS_SCALAR_COLUMNS + 6);
    assert_string_equal(view.names[0], "step");
    assert_string_equal(view.names[WS_SCALAR_COLUMNS + 5], "fc1_distance_l2");
    assert_string_equal(view.layers[1], "fc1");
    assert_int_equal(view.kinds[1], WS_OTHER);
    assert_int_equal(view.norms_from, 1);
    ws_history_close(history);
}

static void test_the_sketch_is_of_weights_in_their_order(void **state)
{
    (void)state;
    ws_history *history = open_at(0, 0);
    assert_int_equal(append(history, 7), WS_OK);
    float dense[COUNT], dense_initial[COUNT], expected[WS_SKETCH_CELLS];
    uint8_t table[COUNT];
    ws_tensor_gather(&layers.at[0].weight, dense);
    ws_tensor_gather(&layers.at[0].initial, dense_initial);
    ws_sketch_table(table, COUNT);
    plain_sketch(table, dense, dense_initial, COUNT, expected);
    ws_history_view view;
    ws_history_look(history, &view);
    assert_memory_equal(view.sketches[0], expected, sizeof expected);
    assert_true(view.columns[view.norm_columns + 1][0] == value_of(0, 0, 0, 1));
    ws_history_close(history);
}

/* Rows after the resumed step are cut, kept aside, and take nothing from what was kept aside before. */
static void test_a_resume_cuts_and_keeps(void **state)
{
    (void)state;
    run(0, 0, 100);
    run(60, 61, 80);
    run(60, 61, 70);
    assert_rows(0, 70);
    char aside[128];
    snprintf(aside, sizeof aside, "%s.after-60", path);
    const off_t forty_rows = size_of(aside);
    snprintf(aside, sizeof aside, "%s.after-60-2", path);
    const off_t twenty_rows = size_of(aside);
    assert_true(twenty_rows > 0 && forty_rows > twenty_rows);
    assert_int_equal((forty_rows - twenty_rows) % 20, 0);
}

static void test_a_torn_row_is_cut(void **state)
{
    (void)state;
    run(0, 0, 10);
    assert_int_equal(truncate(path, size_of(path) - 3), 0);
    run(9, 10, 12);
    assert_rows(0, 12);
}

static void test_reading_changes_nothing(void **state)
{
    (void)state;
    run(0, 0, 10);
    const off_t before = size_of(path);
    ws_history *history = open_at(5, 1);
    ws_history_view view;
    ws_history_look(history, &view);
    assert_int_equal(view.rows, 6);
    assert_int_equal(append(history, 6), WS_OK);
    ws_history_close(history);
    assert_int_equal(size_of(path), before);
}

static void write_text(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void test_other_files_are_refused(void **state)
{
    (void)state;
    const ws_history_options options = options_at(3, 0);
    ws_history *history = NULL;
    run(0, 0, 3);
    strcpy(layers.at[0].name, "conv9");
    assert_int_equal(ws_history_open(&options, &layers, &history), WS_BAD_FILE);
    assert_non_null(strstr(ws_message(), "other layers"));
    write_text("step,loss\n1,2\n");
    assert_int_equal(ws_history_open(&options, &layers, &history), WS_BAD_FILE);
    write_text("WSH");
    assert_int_equal(ws_history_open(&options, &layers, &history), WS_BAD_FILE);
    snprintf(path, sizeof path, "%s", folder);
    assert_int_equal(ws_history_open(&options, &layers, &history), WS_IO_FAILED);
    assert_null(history);
}

static void test_steps_rise(void **state)
{
    (void)state;
    ws_history *history = open_at(0, 0);
    assert_int_equal(append(history, 5), WS_OK);
    assert_int_equal(append(history, 5), WS_BAD_ARGUMENT);
    assert_int_equal(append(history, 4), WS_BAD_ARGUMENT);
    ws_history_view view;
    ws_history_look(history, &view);
    assert_int_equal(view.rows, 1);
    assert_int_equal(view.norms_from, 0);
    ws_history_close(history);
}

static void test_a_step_beyond_a_float64(void **state)
{
    (void)state;
    ws_history *history = open_at(0, 0);
    assert_int_equal(append(history, WS_STEP_MOST + 1), WS_BAD_ARGUMENT);
    assert_null(ws_history_last_row(history));
    assert_int_equal(append(history, WS_STEP_MOST), WS_OK);
    assert_true(ws_row_step(ws_history_last_row(history)) == WS_STEP_MOST);
    ws_history_close(history);
}

static void test_the_last_row(void **state)
{
    (void)state;
    uint64_t step = 99;
    ws_scalars scalars;
    ws_history *history = open_at(0, 0);
    assert_int_equal(ws_history_last(history, &step, &scalars), 0);
    assert_null(ws_history_last_row(history));
    assert_int_equal(step, 99);
    ws_history_close(history);
    run(0, 0, 20);
    for (int keep = 0; keep < 2; keep++) {
        ws_history_options options = options_at(15, 1);
        options.keep_curve = keep;
        assert_int_equal(ws_history_open(&options, &layers, &history), WS_OK);
        assert_int_equal(ws_history_last(history, &step, &scalars), 1);
        assert_int_equal(step, 15);
        assert_true(scalars.epoch == 1.5 && scalars.loss == 1.0 / 16);
        const double *row = ws_history_last_row(history);
        assert_true(row[0] == 15 && row[WS_SCALAR_COLUMNS] == 15);
        assert_string_equal(ws_history_layout(history)->names[WS_SCALAR_COLUMNS], "conv1_weight_l2");
        ws_history_close(history);
    }
}

/* Without a curve there are names, and the file is the same. */
static void test_rows_are_written_and_not_kept(void **state)
{
    (void)state;
    ws_history_options options = options_at(0, 0);
    options.keep_curve = 0;
    ws_history *history;
    assert_int_equal(ws_history_open(&options, &layers, &history), WS_OK);
    for (uint64_t step = 0; step <= 2000; step++)
        assert_int_equal(append(history, step), WS_OK);
    assert_int_equal(append(history, 2000), WS_BAD_ARGUMENT);
    ws_history_view view;
    ws_history_look(history, &view);
    assert_int_equal(view.rows, 0);
    assert_int_equal(view.norms_from, 0);
    assert_int_equal(view.layer_count, 2);
    assert_string_equal(view.layers[0], "conv1");
    assert_int_equal(view.kinds[1], WS_OTHER);
    assert_string_equal(view.names[view.norm_columns - 1], "fc1_distance_l2");
    assert_null(view.columns);
    ws_history_close(history);
    assert_rows(0, 2000);
}

static size_t used(void)
{
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static void test_memory_does_not_grow(void **state)
{
    (void)state;
    for (int with_file = 0; with_file < 2; with_file++) {
        ws_history_options options = options_at(0, 0);
        options.keep_curve = 0;
        options.path = with_file ? path : NULL;
        ws_history *history;
        assert_int_equal(ws_history_open(&options, &layers, &history), WS_OK);
        assert_int_equal(append(history, 0), WS_OK);
        const size_t before = used();
        const uint64_t last = with_file ? 100000 : 300000;
        for (uint64_t step = 1; step <= last; step++)
            assert_int_equal(append(history, step), WS_OK);
        assert_true(used() == before);
        ws_history_close(history);
    }
    /* A resume reads all of it and keeps the last row. */
    ws_history_options options = options_at(99999, 0);
    ws_history *history;
    options.keep_curve = 0;
    const size_t before = used();
    assert_int_equal(ws_history_open(&options, &layers, &history), WS_OK);
    assert_true(used() - before < 1 << 20);
    assert_true(ws_row_step(ws_history_last_row(history)) == 99999);
    ws_history_close(history);
}

/* A file that may not grow stands for a full disk: told once, the rows stay in memory, what was written stays
 * whole. */
static void test_a_full_disk_costs_a_warning(void **state)
{
    (void)state;
    run(0, 0, 10);
    struct rlimit before, small;
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = (rlim_t)size_of(path) + 100;
    signal(SIGXFSZ, SIG_IGN);
    ws_history *history = open_at(10, 0);
    setrlimit(RLIMIT_FSIZE, &small);
    assert_int_equal(append(history, 11), WS_OK);
    assert_int_equal(ws_history_flush(history), WS_IO_FAILED);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(append(history, 12), WS_OK);
    assert_int_equal(ws_history_flush(history), WS_OK);
    assert_int_equal(warnings, 1);
    ws_history_view view;
    ws_history_look(history, &view);
    assert_int_equal(view.rows, 13);
    ws_history_close(history);
    assert_rows(0, 10);
}

/* The other way to be unwritable: the text says what becomes of the rows. */
static void test_a_full_disk_without_a_curve(void **state)
{
    (void)state;
    ws_history_options options = options_at(0, 0);
    options.keep_curve = 0;
    options.log = (ws_log){expect_lost, NULL};
    struct rlimit before, small;
    getrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_IGN);
    ws_history *history;
    assert_int_equal(ws_history_open(&options, &layers, &history), WS_OK);
    small = before;
    small.rlim_cur = (rlim_t)size_of(path) + 100;
    setrlimit(RLIMIT_FSIZE, &small);
    assert_int_equal(append(history, 1), WS_OK);
    assert_int_equal(ws_history_flush(history), WS_IO_FAILED);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(append(history, 2), WS_OK);
    assert_int_equal(warnings, 1);
    assert_true(ws_row_step(ws_history_last_row(history)) == 2);
    ws_history_close(history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rows_come_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names_and_kinds_are_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_sketch_is_of_weights_in_their_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_resume_cuts_and_keeps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_torn_row_is_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reading_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_files_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_steps_rise, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_step_beyond_a_float64, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_last_row, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rows_are_written_and_not_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_memory_does_not_grow, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_full_disk_costs_a_warning, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_full_disk_without_a_curve, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
