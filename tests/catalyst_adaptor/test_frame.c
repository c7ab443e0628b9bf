/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmocka_headers.h"
#include "frame.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { K = 3, C = 2, R = 4, S = 5, COUNT = K * C * R * S };

/* Weights laid out the other way round: the last index is the slowest. */
static float weight[COUNT], gradient[COUNT], initial[COUNT];
static const int64_t reversed[4] = {1, K, K *C, K *C *R};

static float value_of(int k, int c, int r, int s)
{
    return (float)(1000 * k + 100 * c + 10 * r + s);
}

static ws_layer_state make_layer(const char *name)
{
    for (int k = 0; k < K; k++)
        for (int c = 0; c < C; c++)
            for (int r = 0; r < R; r++)
                for (int s = 0; s < S; s++) {
                    const int64_t at = k * reversed[0] + c * reversed[1] + r * reversed[2] + s * reversed[3];
                    weight[at] = value_of(k, c, r, s);
                    gradient[at] = -value_of(k, c, r, s);
                    initial[at] = 0.5f;
                }
    ws_layer layer = {.size = sizeof layer,
                      .kind = WS_CONVOLUTION,
                      .name = name,
                      .shape = {K, C, R, S},
                      .weight = weight,
                      .gradient = gradient,
                      .initial = initial};
    memcpy(layer.stride, reversed, sizeof reversed);
    ws_layer_state state;
    assert_int_equal(ws_layer_copy(&layer, &state), WS_OK);
    return state;
}

static ws_frame_buffer build(ws_layer_state *layers, int count, uint64_t wanted)
{
    const ws_row row = {.size = sizeof row, .epoch = 1.5, .loss = 0.25, .accuracy = NAN};
    ws_frame_buffer buffer = {0};
    assert_int_equal(ws_frame_build(&buffer, layers, count, wanted, &row, 42, 7), WS_OK);
    return buffer;
}

static void test_strided_arrays_become_dense(void **state)
{
    (void)state;
    ws_layer_state layer = make_layer("conv1");
    ws_frame_buffer buffer = build(&layer, 1, 1);
    assert_int_equal(buffer.frame->step, 42);
    assert_int_equal(buffer.frame->generation, 7);
    assert_true(buffer.frame->epoch == 1.5 && buffer.frame->loss == 0.25 && isnan(buffer.frame->accuracy));
    const ws_frame_array *array = ws_frame_find(buffer.frame, "conv1", "weight");
    assert_non_null(array);
    assert_int_equal(array->offset % WS_FRAME_ALIGNMENT, 0);
    const float *values = ws_frame_values(buffer.frame, array);
    const float *gradients = ws_frame_values(buffer.frame, ws_frame_find(buffer.frame, "conv1", "gradient"));
    int at = 0;
    for (int k = 0; k < K; k++)
        for (int c = 0; c < C; c++)
            for (int r = 0; r < R; r++)
                for (int s = 0; s < S; s++, at++) {
                    assert_true(values[at] == value_of(k, c, r, s));
                    assert_true(gradients[at] == -value_of(k, c, r, s));
                }
    assert_null(ws_frame_find(buffer.frame, "conv1", "weights"));
    assert_int_equal(ws_frame_check(buffer.frame, buffer.frame->size), WS_OK);
    ws_frame_buffer_free(&buffer);
    ws_layer_clear(&layer);
}

/* Only what is wanted is in it, and a layer without gradient has NaN there. */
static void test_only_what_is_wanted(void **state)
{
    (void)state;
    ws_layer_state layers[3] = {make_layer("conv1"), make_layer("conv2"), make_layer("conv3")};
    layers[2].given.gradient = NULL;
    ws_frame_buffer buffer = build(layers, 3, 4);
    assert_null(ws_frame_find(buffer.frame, "conv1", "weight"));
    assert_null(ws_frame_find(buffer.frame, "conv2", "weight"));
    const ws_frame_array *gradients = ws_frame_find(buffer.frame, "conv3", "gradient");
    assert_non_null(gradients);
    assert_true(isnan(*(const float *)ws_frame_values(buffer.frame, gradients)));
    ws_frame_buffer_free(&buffer);
    buffer = build(layers, 3, 0);
    assert_int_equal(buffer.frame->array_count, 0);
    assert_int_equal(ws_frame_check(buffer.frame, buffer.frame->size), WS_OK);
    ws_frame_buffer_free(&buffer);
    for (int i = 0; i < 3; i++)
        ws_layer_clear(&layers[i]);
}

/* Every field of header and directory, damaged, is noticed; nothing is read
 * beyond the block (sanitizers watch). */
static void test_damaged_frames_are_refused(void **state)
{
    (void)state;
    ws_layer_state layer = make_layer("conv1");
    ws_frame_buffer buffer = build(&layer, 1, 1);
    const size_t size = buffer.frame->size;
    ws_frame *copy = malloc(size);
    const struct {
        size_t offset, length;
    } fields[] = {{0, 8},
                  {offsetof(ws_frame, version), 4},
                  {offsetof(ws_frame, array_count), 4},
                  {offsetof(ws_frame, size), 8},
                  {sizeof(ws_frame) + offsetof(ws_frame_array, name), WS_FRAME_NAME_SIZE},
                  {sizeof(ws_frame) + offsetof(ws_frame_array, type), 4},
                  {sizeof(ws_frame) + offsetof(ws_frame_array, rank), 4},
                  {sizeof(ws_frame) + offsetof(ws_frame_array, shape), 8},
                  {sizeof(ws_frame) + offsetof(ws_frame_array, offset), 8},
                  {sizeof(ws_frame) + offsetof(ws_frame_array, bytes), 8}};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        memcpy(copy, buffer.frame, size);
        memset((char *)copy + fields[i].offset, 0x7f, fields[i].length);
        assert_int_equal(ws_frame_check(copy, size), WS_BAD_FILE);
    }
    for (size_t cut = 0; cut < size; cut += 7)
        assert_int_equal(ws_frame_check(buffer.frame, cut), WS_BAD_FILE);
    free(copy);
    ws_frame_buffer_free(&buffer);
    ws_layer_clear(&layer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strided_arrays_become_dense),
        cmocka_unit_test(test_only_what_is_wanted),
        cmocka_unit_test(test_damaged_frames_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
