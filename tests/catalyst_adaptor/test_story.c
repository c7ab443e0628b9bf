/* SPDX-License-Identifier: BSD-3-Clause */
/* What a history tells, against histories that were written with known answers. */
#include "history.h"
#include "rows.h"
#include "walks.h"
#include "weightscape/growth.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT 12 /* weights of the convolution */

static char folder[] = "/tmp/weightscape-story-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/history.ws", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

/* How the weights of the convolution move in a step. */
typedef void mover(float *weight, dice *from, uint64_t step);

static void straight(float *weight, dice *from, uint64_t step)
{
    (void)from;
    (void)step;
    for (int i = 0; i < COUNT; i++)
        weight[i] += 0.01F;
}

static void at_random(float *weight, dice *from, uint64_t step)
{
    (void)step;
    for (int i = 0; i < COUNT; i++)
        weight[i] += 0.01F * (float)normal(from);
}

/* A history of one convolution and one other layer, whose norm is 2 + 0.1 sqrt(t) and distance 0.2 t^0.8. */
static void write_history(mover *move, uint64_t last, uint64_t every, int with_start)
{
    float weight[COUNT], initial[COUNT];
    for (int i = 0; i < COUNT; i++)
        weight[i] = initial[i] = 0.5F;
    ws_layer_arrays at[2] = {{.name = "conv1", .kind = WS_CONVOLUTION}, {.name = "fc1", .kind = WS_OTHER}};
    for (int i = 0; i < 2; i++) {
        const int64_t shape[4] = {COUNT, 1, 1, 1};
        memcpy(at[i].weight.shape, shape, sizeof shape);
        ws_dense_strides(shape, at[i].weight.stride);
        at[i].weight.data = weight;
        at[i].initial = at[i].weight;
        at[i].initial.data = initial;
        memcpy(at[i].whole, shape, sizeof at[i].whole);
    }
    ws_layers layers = {.count = 2, .at = at};
    const ws_history_options options = {.path = path};
    ws_history *history;
    unlink(path);
    assert_int_equal(ws_history_open(&options, &layers, &history), WS_OK);
    dice from = {42};
    for (uint64_t t = with_start ? 0 : 1; t <= last; t++) {
        if (t)
            move(weight, &from, t);
        if (t % every)
            continue;
        double squares = 0, away = 0;
        for (int i = 0; i < COUNT; i++) {
            squares += (double)weight[i] * weight[i];
            away += ((double)weight[i] - initial[i]) * ((double)weight[i] - initial[i]);
        }
        const ws_norms norms[2] = {
            {sqrt(squares), t <= last / 10 ? 4 : 1, sqrt(away)},
            {2 + 0.1 * sqrt((double)t), 1, 0.2 * pow((double)t, 0.8)},
        };
        const ws_row row = {
            .size = sizeof row, .norm_count = 2, .step = t, .loss = 1.5, .accuracy = 0.25, .norms = norms};
        assert_int_equal(ws_history_append(history, &row, norms), WS_OK);
    }
    ws_history_close(history);
}

static ws_story *read_story(uint64_t window)
{
    ws_story *story = NULL;
    assert_int_equal(ws_story_read(path, window, &story), WS_OK);
    assert_int_equal(story->layer_count, 2);
    return story;
}

static void test_norms_and_distances(void **state)
{
    (void)state;
    write_history(straight, 1000, 1, 1);
    ws_story *story = read_story(0);
    const ws_story_layer *conv = &story->layers[0], *linear = &story->layers[1];
    assert_string_equal(conv->name, "conv1");
    assert_string_equal(linear->name, "fc1");
    assert_int_equal(story->last_step, 1000);
    assert_int_equal(story->from, 500);
    assert_int_equal(story->rows, 1000);
    assert_float_equal(story->loss, 1.5, 0);
    assert_float_equal(linear->initial, 2, 1e-12);
    assert_float_equal(linear->norm_growth.exponent.value, 0.5, 1e-6);
    assert_float_equal(linear->distance_growth.exponent.value, 0.8, 1e-6);
    assert_float_equal(linear->gamma.value, 1.6, 1e-6);
    assert_float_equal(linear->gamma_before.value, 1.6, 1e-6);
    assert_float_equal(conv->distance_growth.exponent.value, 1, 1e-3);
    assert_float_equal(conv->gradient_change, 0.25, 1e-12);
    assert_true(isnan(linear->straightness) && isnan(linear->walked) && isnan(linear->explained[0]));
    ws_story_free(story);
}

static void test_a_straight_walk(void **state)
{
    (void)state;
    write_history(straight, 1000, 1, 1);
    ws_story *story = read_story(100);
    const ws_story_layer *conv = &story->layers[0];
    assert_int_equal(story->from, 900);
    assert_int_equal(conv->window_steps, 100);
    assert_float_equal(conv->straightness, 1, 1e-4);
    assert_float_equal(conv->explained[0], 1, 1e-4);
    /* The sketch adds weights with their signs, so lengths are kept on average over signs only. */
    const double length = conv->walked / 100, norm = 0.5 * sqrt(COUNT) + 0.01 * sqrt(COUNT) * 950;
    assert_true(length > 0.005 * sqrt(COUNT) && length < 0.04 * sqrt(COUNT));
    assert_float_equal(conv->update_ratio, length / norm, 1e-3 * conv->update_ratio);
    ws_story_free(story);
}

static void test_a_random_walk_is_as_straight_as_the_root_of_its_steps_says(void **state)
{
    (void)state;
    write_history(at_random, 4000, 1, 1);
    ws_story *story = read_story(400);
    const double relative = story->layers[0].straightness * sqrt(400);
    assert_true(relative > 0.4 && relative < 1.8);
    assert_true(story->layers[0].distance_growth.exponent.low < 0.5);
    assert_true(story->layers[0].distance_growth.exponent.high > 0.5);
    ws_story_free(story);
}

static void test_a_history_without_its_start(void **state)
{
    (void)state;
    write_history(straight, 500, 1, 0);
    ws_story *story = read_story(0);
    assert_true(isnan(story->layers[1].initial));
    assert_int_equal(story->layers[1].norm_growth.state, WS_GROWTH_KNOWN);
    ws_story_free(story);
}

static void test_steps_that_are_missing_make_no_path(void **state)
{
    (void)state;
    write_history(straight, 4000, 3, 1);
    ws_story *story = read_story(0);
    assert_true(isnan(story->layers[0].straightness) && isnan(story->layers[0].update_ratio));
    assert_int_equal(story->layers[0].window_steps, 0);
    assert_float_equal(story->layers[1].norm_growth.exponent.value, 0.5, 1e-6);
    ws_story_free(story);
}

static void test_short_runs(void **state)
{
    (void)state;
    for (uint64_t last = 1; last <= 64; last *= 2) {
        write_history(straight, last, 1, 1);
        ws_story *story = read_story(last % 3 ? 0 : 1000);
        assert_int_equal(story->layers[0].distance_growth.state, WS_GROWTH_TOO_SHORT);
        assert_true(isnan(story->layers[0].gamma.value));
        ws_story_free(story);
    }
}

/* A run of more rows than a curve keeps. */
static void test_a_long_run(void **state)
{
    (void)state;
    write_history(straight, 40000, 1, 1);
    ws_story *story = read_story(1000);
    assert_int_equal(story->layers[0].window_steps, 1000);
    assert_float_equal(story->layers[0].straightness, 1, 1e-3);
    assert_float_equal(story->layers[1].distance_growth.exponent.value, 0.8, 1e-6);
    ws_story_free(story);
}

static void test_bad_files(void **state)
{
    (void)state;
    ws_story *story = NULL;
    unlink(path);
    assert_int_equal(ws_story_read(path, 0, &story), WS_IO_FAILED);
    assert_non_null(strstr(ws_message(), path));
    write_history(straight, 1, 1, 1);
    struct stat before;
    assert_int_equal(stat(path, &before), 0);
    /* Only the row of step 0, and less. */
    const ws_row_layout layout = make_layout(2, 1);
    for (off_t size = 0; size < before.st_size; size += 7) {
        assert_int_equal(truncate(path, before.st_size - 1 - size), 0);
        assert_int_equal(ws_story_read(path, 0, &story), WS_BAD_FILE);
        assert_non_null(strstr(ws_message(), path));
    }
    ws_row_layout layout_done = layout;
    ws_row_layout_free(&layout_done);
    assert_null(story);
    ws_story_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_norms_and_distances),
        cmocka_unit_test(test_a_straight_walk),
        cmocka_unit_test(test_a_random_walk_is_as_straight_as_the_root_of_its_steps_says),
        cmocka_unit_test(test_a_history_without_its_start),
        cmocka_unit_test(test_steps_that_are_missing_make_no_path),
        cmocka_unit_test(test_short_runs),
        cmocka_unit_test(test_a_long_run),
        cmocka_unit_test(test_bad_files),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
