/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmocka_headers.h"
#include "history.h"
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COUNT = 12 };

static float weight[COUNT], initial[COUNT];
static char folder[64], path[128];

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/weightscape-history-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/history.ws", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static ws_layer_state make_layer(const char *name)
{
    const ws_layer layer = {.size = sizeof layer,
                            .kind = WS_CONVOLUTION,
                            .name = name,
                            .shape = {2, 3, 2, 1},
                            .weight = weight,
                            .initial = initial};
    ws_layer_state state;
    assert_int_equal(ws_layer_copy(&layer, &state), WS_OK);
    return state;
}

static int append(ws_history *history, ws_layer_state *layer, uint64_t step)
{
    for (int i = 0; i < COUNT; i++)
        weight[i] = (float)step + (float)i / 16;
    const ws_row row = {
        .size = sizeof row, .step = step, .epoch = (double)step / 10, .loss = 1.0 / (double)(step + 1)};
    const ws_norms norms = {(double)step, 2, 3};
    return ws_history_append(history, &row, &norms, layer);
}

static void fill(ws_layer_state *layer, uint64_t first, uint64_t last)
{
    ws_history history;
    assert_int_equal(ws_history_open(path, layer, 1, first ? first - 1 : 0, 0, &history), WS_OK);
    for (uint64_t step = first; step <= last; step++)
        assert_int_equal(append(&history, layer, step), WS_OK);
    assert_int_equal(ws_history_flush(&history), WS_OK);
    ws_history_close(&history);
}

static void test_rows_come_back(void **state)
{
    (void)state;
    ws_layer_state layer = make_layer("conv1");
    fill(&layer, 0, 100);
    ws_history history;
    assert_int_equal(ws_history_open(path, &layer, 1, 100, 1, &history), WS_OK);
    assert_int_equal(history.count, 101);
    for (size_t row = 0; row < history.count; row++) {
        const double *numbers = ws_history_numbers(&history, row);
        assert_true(numbers[WS_STEP] == (double)row);
        assert_true(numbers[WS_LOSS] == 1.0 / (double)(row + 1));
        assert_true(ws_history_norms(&history, row, 0)[0] == (double)row);
        const float *walk = ws_history_walk(&history, row, 0);
        assert_true(walk[0] == (float)row);
        assert_true(walk[1] == (float)row + 1.0f / 16);
    }
    ws_history_close(&history);
}

/* A resume cuts later rows and keeps them aside, under a name that takes
 * nothing from an earlier one. */
static void test_a_resume_cuts_and_keeps(void **state)
{
    (void)state;
    ws_layer_state layer = make_layer("conv1");
    fill(&layer, 0, 100);
    char aside[160];
    for (int i = 0; i < 2; i++) {
        fill(&layer, 61, 80);
        snprintf(aside, sizeof aside, i ? "%s.after-60.2" : "%s.after-60", path);
        struct stat about;
        assert_int_equal(stat(aside, &about), 0);
        assert_true(about.st_size > 0);
    }
    ws_history history;
    assert_int_equal(ws_history_open(path, &layer, 1, 1000, 1, &history), WS_OK);
    assert_int_equal(history.count, 81);
    assert_true(ws_history_numbers(&history, 80)[WS_STEP] == 80);
    ws_history_close(&history);
}

static void test_a_torn_row_is_cut(void **state)
{
    (void)state;
    ws_layer_state layer = make_layer("conv1");
    fill(&layer, 0, 10);
    struct stat about;
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(truncate(path, about.st_size - 3), 0);
    fill(&layer, 10, 12);
    ws_history history;
    assert_int_equal(ws_history_open(path, &layer, 1, 1000, 1, &history), WS_OK);
    assert_int_equal(history.count, 13);
    ws_history_close(&history);
}

static void test_other_files_are_refused(void **state)
{
    (void)state;
    ws_layer_state layer = make_layer("conv1"), other = make_layer("conv9");
    fill(&layer, 0, 3);
    ws_history history;
    assert_int_equal(ws_history_open(path, &other, 1, 3, 0, &history), WS_BAD_FILE);
    assert_non_null(strstr(ws_message(), "other layers"));
    const int fd = open(path, O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, "step,loss\n1,2\n", 14), 14);
    close(fd);
    assert_int_equal(ws_history_open(path, &layer, 1, 3, 0, &history), WS_BAD_FILE);
    assert_int_equal(ws_history_open(folder, &layer, 1, 3, 0, &history), WS_IO_FAILED);
    assert_int_equal(ws_history_open("/nonexistent/h", &layer, 1, 3, 0, &history), WS_IO_FAILED);
}

static void test_steps_rise(void **state)
{
    (void)state;
    ws_layer_state layer = make_layer("conv1");
    ws_history history;
    assert_int_equal(ws_history_open(NULL, &layer, 1, 0, 0, &history), WS_OK);
    assert_int_equal(append(&history, &layer, 5), WS_OK);
    assert_int_equal(append(&history, &layer, 5), WS_BAD_ARGUMENT);
    assert_int_equal(append(&history, &layer, 4), WS_BAD_ARGUMENT);
    assert_int_equal(history.count, 1);
    ws_history_close(&history);
}

/* A full disk is told once; the rows stay in memory. */
static void test_a_full_disk_is_told_once(void **state)
{
    (void)state;
    ws_layer_state layer = make_layer("conv1");
    ws_history history;
    assert_int_equal(ws_history_open(path, &layer, 1, 0, 0, &history), WS_OK);
    assert_int_equal(append(&history, &layer, 1), WS_OK);
    close(history.fd);
    history.fd = open("/dev/full", O_WRONLY);
    assert_int_equal(ws_history_flush(&history), WS_IO_FAILED);
    assert_non_null(strstr(ws_message(), "No space left"));
    assert_int_equal(append(&history, &layer, 2), WS_OK);
    assert_int_equal(ws_history_flush(&history), WS_OK);
    assert_int_equal(history.count, 2);
    ws_history_close(&history);
}

/* Inner products survive the sketch in expectation: over many pairs the mean
 * error is small, and a vector's own square is right within the standard
 * deviation sqrt(2 / 64) that the method promises, five times over. */
static void test_sketch_keeps_lengths(void **state)
{
    (void)state;
    enum { LENGTH = 5000 };
    float sketch[WS_SKETCH_SIZE] = {0};
    double square = 0, sketched = 0;
    for (int i = 0; i < LENGTH; i++) {
        const float value = (float)((i * 2654435761u) % 1000) / 1000 - 0.5f;
        ws_sketch_add(sketch, (uint64_t)i, value);
        square += (double)value * (double)value;
    }
    for (int i = 0; i < WS_SKETCH_SIZE; i++)
        sketched += (double)sketch[i] * (double)sketch[i];
    assert_true(fabs(sketched / square - 1) < 5 * sqrt(2.0 / WS_SKETCH_SIZE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rows_come_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_resume_cuts_and_keeps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_torn_row_is_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_files_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_steps_rise, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_full_disk_is_told_once, set_up, tear_down),
        cmocka_unit_test(test_sketch_keeps_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
