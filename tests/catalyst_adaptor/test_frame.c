/* SPDX-License-Identifier: BSD-3-Clause */
#include "frame.h"
#include "weights.h"
#include <math.h>
#include <stdlib.h>

static const ws_scalars scalars = {.epoch = 1.5, .loss = 0.25, .accuracy = NAN};

static int fill(ws_frame *frame, const ws_layers *layers, const uint8_t *wanted, uint64_t step)
{
    const ws_frame_plan plan = {
        .layers = layers, .wanted = wanted, .step = step, .generation = 7, .scalars = &scalars};
    return ws_frame_fill(frame, &plan);
}

static ws_layers make_layers(int count, int without_gradient)
{
    static const char *const names[] = {"conv1", "conv2", "conv3"};
    ws_layers layers = {0};
    for (int i = 0; i < count; i++) {
        ws_layer layer = describe_layer(names[i]);
        if (i == without_gradient)
            layer.gradient = NULL;
        assert_int_equal(ws_layers_add(&layers, &layer), i);
    }
    assert_int_equal(ws_layers_begin(&layers), WS_OK);
    return layers;
}

static void test_strided_arrays_become_dense(void **state)
{
    (void)state;
    ws_layers layers = make_layers(1, -1);
    ws_frame frame = {0};
    assert_int_equal(fill(&frame, &layers, (const uint8_t[]){1}, 42), WS_OK);
    const ws_frame_header *head = ws_frame_head(frame.memory);
    assert_int_equal(head->step, 42);
    assert_int_equal(head->generation, 7);
    assert_true(head->scalars.epoch == 1.5 && head->scalars.loss == 0.25 && isnan(head->scalars.accuracy));
    assert_int_equal(ws_frame_check(frame.memory, head->bytes), WS_OK);
    const float *weights = ws_frame_values(frame.memory, ws_frame_find(frame.memory, "conv1/weight"));
    const float *gradients = ws_frame_values(frame.memory, ws_frame_find(frame.memory, "conv1/gradient"));
    for (int k = 0; k < K; k++)
        for (int c = 0; c < C; c++)
            for (int r = 0; r < R; r++)
                for (int s = 0; s < S; s++) {
                    assert_true(*weights++ == value_of(k, c, r, s));
                    assert_true(*gradients++ == -value_of(k, c, r, s));
                }
    const double *range = ws_frame_values(frame.memory, ws_frame_find(frame.memory, "conv1/weight_range"));
    assert_true(*range == 0.5);
    assert_null(ws_frame_find(frame.memory, "conv1/weights"));
    ws_frame_free(&frame);
    ws_layers_free(&layers);
}

static void test_bits_of_a_nan_stay(void **state)
{
    (void)state;
    ws_layers layers = make_layers(1, -1);
    const uint32_t signalling = 0x7fa12345;
    memcpy(&weight[0], &signalling, sizeof signalling);
    ws_frame frame = {0};
    assert_int_equal(fill(&frame, &layers, (const uint8_t[]){1}, 1), WS_OK);
    assert_memory_equal(ws_frame_values(frame.memory, ws_frame_find(frame.memory, "conv1/weight")),
                        &signalling, 4);
    ws_frame_free(&frame);
    ws_layers_free(&layers);
}

static void test_only_what_is_wanted(void **state)
{
    (void)state;
    ws_layers layers = make_layers(3, 2);
    ws_frame frame = {0};
    assert_int_equal(fill(&frame, &layers, (const uint8_t[]){0, 0, 1}, 1), WS_OK);
    assert_null(ws_frame_find(frame.memory, "conv1/weight"));
    assert_null(ws_frame_find(frame.memory, "conv2/weight"));
    assert_non_null(ws_frame_find(frame.memory, "conv3/weight"));
    assert_null(ws_frame_find(frame.memory, "conv3/gradient"));
    assert_int_equal(fill(&frame, &layers, (const uint8_t[]){0, 0, 0}, 2), WS_OK);
    assert_int_equal(ws_frame_head(frame.memory)->array_count, 0);
    assert_int_equal(ws_frame_check(frame.memory, ws_frame_head(frame.memory)->bytes), WS_OK);
    ws_frame_free(&frame);
    ws_layers_free(&layers);
}

enum { N = 2, P = 3, Q = 4 };

static float activation[N * K * P * Q];
static double pearson[K * K], pearson_weights[K * K];
static int32_t dead[K] = {0, 1, 0}, group[K] = {0, -1, 0}, source[K] = {0, 2, 5};

static ws_layers make_layers_with_views(int64_t images, int are_there)
{
    ws_layers layers = {0};
    ws_layer layer = describe_layer("conv1");
    for (int i = 0; i < N * K * P * Q; i++)
        activation[i] = (float)i;
    for (int i = 0; i < K * K; i++)
        pearson[i] = i / 10.0, pearson_weights[i] = -i / 10.0;
    memcpy(layer.activation_shape, (int64_t[]){images, K, P, Q}, sizeof layer.activation_shape);
    layer.offers = WS_WANTS_ACTIVATIONS | WS_WANTS_CORRELATION;
    layer.source = source;
    if (are_there) {
        layer.activation = activation;
        layer.pearson = pearson;
        layer.pearson_weights = pearson_weights;
        layer.dead = dead;
        layer.group = group;
    }
    assert_int_equal(ws_layers_add(&layers, &layer), 0);
    assert_int_equal(ws_layers_begin(&layers), WS_OK);
    return layers;
}

static void assert_holds(const ws_frame *frame, const char *name, const void *expected, size_t bytes)
{
    const ws_frame_array *found = ws_frame_find(frame->memory, name);
    assert_non_null(found);
    assert_int_equal(found->bytes, bytes);
    assert_memory_equal(ws_frame_values(frame->memory, found), expected, bytes);
}

static void test_what_is_beside_weights(void **state)
{
    (void)state;
    ws_layers layers = make_layers_with_views(N, 1);
    ws_frame frame = {0};
    assert_int_equal(fill(&frame, &layers, (const uint8_t[]){WS_WANTS_ACTIVATIONS}, 1), WS_OK);
    assert_int_equal(ws_frame_check(frame.memory, ws_frame_head(frame.memory)->bytes), WS_OK);
    assert_null(ws_frame_find(frame.memory, "conv1/weight"));
    assert_null(ws_frame_find(frame.memory, "conv1/pearson"));
    assert_holds(&frame, "conv1/activation", activation, sizeof activation);
    assert_holds(&frame, "conv1/source", source, sizeof source);
    assert_holds(&frame, "conv1/group", group, sizeof group);
    assert_int_equal(fill(&frame, &layers, (const uint8_t[]){WS_WANTS_CORRELATION}, 2), WS_OK);
    assert_null(ws_frame_find(frame.memory, "conv1/activation"));
    assert_holds(&frame, "conv1/pearson", pearson, sizeof pearson);
    assert_holds(&frame, "conv1/pearson_weights", pearson_weights, sizeof pearson_weights);
    assert_holds(&frame, "conv1/dead", dead, sizeof dead);
    ws_frame_free(&frame);
    ws_layers_free(&layers);
}

static void test_a_base_tells_what_the_run_began_with(void **state)
{
    (void)state;
    static const int32_t columns[C] = {1, 4}, whole[2] = {6, 5};
    static const double merged[] = {3, 2, 100, 4, -1, 200};
    static float merged_weight[2 * 5 * R * S];
    ws_layers layers = {0};
    ws_layer layer = describe_layer("conv1");
    merged_weight[7] = 7;
    layer.source = source;
    layer.source_channel = columns;
    memcpy(layer.whole, whole, sizeof whole);
    layer.merged = merged;
    layer.merged_weight = merged_weight;
    layer.merged_count = 2;
    assert_int_equal(ws_layers_add(&layers, &layer), 0);
    assert_int_equal(ws_layers_begin(&layers), WS_OK);
    ws_frame frame = {0};
    const ws_frame_plan plan = {
        .layers = &layers, .wanted = (const uint8_t[]){WS_WANTS_WEIGHTS}, .is_base = 1, .scalars = &scalars};
    assert_int_equal(ws_frame_fill(&frame, &plan), WS_OK);
    assert_int_equal(ws_frame_check(frame.memory, ws_frame_head(frame.memory)->bytes), WS_OK);
    assert_true(ws_frame_head(frame.memory)->bytes <= ws_frame_most_bytes(&plan));
    assert_holds(&frame, "conv1/source_channel", columns, sizeof columns);
    assert_holds(&frame, "conv1/whole", whole, sizeof whole);
    assert_holds(&frame, "conv1/merged", merged, sizeof merged);
    assert_holds(&frame, "conv1/merged_weight", merged_weight, sizeof merged_weight);
    ws_frame_free(&frame);
    ws_layers_free(&layers);
}

/* Memory is reserved for what may be handed over later; a frame has only what is there. */
static void test_what_is_not_there_yet(void **state)
{
    (void)state;
    const uint8_t all[] = {WS_WANTS_WEIGHTS | WS_WANTS_ACTIVATIONS | WS_WANTS_CORRELATION};
    ws_layers later = make_layers_with_views(N, 0), now = make_layers_with_views(N, 1);
    ws_frame frame = {0};
    const ws_frame_plan plan = {.layers = &later, .wanted = all, .scalars = &scalars};
    assert_int_equal(fill(&frame, &later, all, 1), WS_OK);
    assert_null(ws_frame_find(frame.memory, "conv1/activation"));
    assert_null(ws_frame_find(frame.memory, "conv1/pearson"));
    assert_null(ws_frame_find(frame.memory, "conv1/group"));
    assert_int_equal(fill(&frame, &now, all, 1), WS_OK);
    assert_true(ws_frame_head(frame.memory)->bytes <= ws_frame_most_bytes(&plan));
    ws_frame_free(&frame);
    ws_layers_free(&later);
    ws_layers_free(&now);
}

static void test_a_base_tells_what_there_can_be(void **state)
{
    (void)state;
    ws_layers layers = make_layers_with_views(1000, 0);
    const uint8_t weights[] = {WS_WANTS_WEIGHTS};
    const ws_frame_plan plan = {.layers = &layers, .wanted = weights, .is_base = 1, .scalars = &scalars};
    ws_frame base = {0};
    assert_int_equal(ws_frame_fill(&base, &plan), WS_OK);
    const int32_t offers[4] = {WS_PROBE_SHOWN, P, Q, 1}, nothing[4] = {0};
    assert_holds(&base, "conv1/offers", offers, sizeof offers);
    ws_layers_free(&layers);
    layers = make_layers(1, -1);
    assert_int_equal(ws_frame_fill(&base, &plan), WS_OK);
    assert_holds(&base, "conv1/offers", nothing, sizeof nothing);
    ws_frame_free(&base);
    ws_layers_free(&layers);
}

static void test_frames_of_version_1_are_read(void **state)
{
    (void)state;
    ws_layers layers = make_layers(1, -1);
    ws_frame frame = {0};
    assert_int_equal(fill(&frame, &layers, (const uint8_t[]){1}, 1), WS_OK);
    ws_frame_header *head = frame.memory;
    head->version = 1;
    assert_int_equal(ws_frame_check(frame.memory, head->bytes), WS_OK);
    for (uint32_t version = 0; version <= 3; version += 3) {
        head->version = version;
        assert_int_equal(ws_frame_check(frame.memory, head->bytes), WS_BAD_FILE);
    }
    ws_frame_free(&frame);
    ws_layers_free(&layers);
}

/* A base has all of a frame, and where the weights began. */
static void test_base_holds_initial_values(void **state)
{
    (void)state;
    ws_layers layers = make_layers(2, 1);
    const ws_frame_plan plan = {
        .layers = &layers, .wanted = (const uint8_t[]){1, 1}, .is_base = 1, .step = 3, .scalars = &scalars};
    ws_frame frame = {0}, base = {0};
    assert_int_equal(ws_frame_fill(&base, &plan), WS_OK);
    const float *began = ws_frame_values(base.memory, ws_frame_find(base.memory, "conv1/initial"));
    for (int i = 0; i < COUNT; i++)
        assert_true(began[i] == initial[0]);
    assert_non_null(ws_frame_find(base.memory, "conv1/weight"));
    assert_non_null(ws_frame_find(base.memory, "conv2/initial"));
    assert_null(ws_frame_find(base.memory, "conv2/gradient"));
    assert_true(ws_frame_head(base.memory)->bytes <= ws_frame_most_bytes(&plan));
    assert_int_equal(ws_frame_check(base.memory, ws_frame_head(base.memory)->bytes), WS_OK);
    assert_int_equal(fill(&frame, &layers, (const uint8_t[]){1, 1}, 4), WS_OK);
    assert_null(ws_frame_find(frame.memory, "conv1/initial"));
    ws_frame_free(&frame);
    ws_frame_free(&base);
    ws_layers_free(&layers);
}

/* Every field of header and directory, damaged, is noticed, and nothing is read beyond the block (sanitizers
 * watch). */
static void test_damaged_frames_are_refused(void **state)
{
    (void)state;
    ws_layers layers = make_layers(1, -1);
    ws_frame frame = {0};
    assert_int_equal(fill(&frame, &layers, (const uint8_t[]){1}, 1), WS_OK);
    const size_t bytes = ws_frame_head(frame.memory)->bytes, entry = sizeof(ws_frame_header);
    const struct {
        size_t offset, length;
    } fields[] = {
        {0, 8},
        {offsetof(ws_frame_header, version), 4},
        {offsetof(ws_frame_header, array_count), 4},
        {offsetof(ws_frame_header, bytes), 8},
        {entry + offsetof(ws_frame_array, name), WS_FRAME_NAME_SIZE},
        {entry + offsetof(ws_frame_array, type), 4},
        {entry + offsetof(ws_frame_array, rank), 4},
        {entry + offsetof(ws_frame_array, shape), 8},
        {entry + offsetof(ws_frame_array, shape) + 24, 8},
        {entry + offsetof(ws_frame_array, offset), 8},
        {entry + offsetof(ws_frame_array, bytes), 8},
    };
    void *copy = aligned_alloc(WS_FRAME_ALIGNMENT, bytes);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        for (int value = 0x7f; value <= 0xff; value += 0x80) {
            memcpy(copy, frame.memory, bytes);
            memset((char *)copy + fields[i].offset, value, fields[i].length);
            assert_int_equal(ws_frame_check(copy, bytes), WS_BAD_FILE);
        }
    }
    free(copy);
    for (size_t cut = 0; cut < bytes; cut += WS_FRAME_ALIGNMENT / 2) {
        void *part;
        assert_int_equal(posix_memalign(&part, WS_FRAME_ALIGNMENT, cut), 0);
        memcpy(part, frame.memory, cut);
        assert_int_equal(ws_frame_check(part, cut), WS_BAD_FILE);
        free(part);
    }
    ws_frame_free(&frame);
    ws_layers_free(&layers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strided_arrays_become_dense),
        cmocka_unit_test(test_bits_of_a_nan_stay),
        cmocka_unit_test(test_only_what_is_wanted),
        cmocka_unit_test(test_base_holds_initial_values),
        cmocka_unit_test(test_damaged_frames_are_refused),
        cmocka_unit_test(test_what_is_beside_weights),
        cmocka_unit_test(test_a_base_tells_what_the_run_began_with),
        cmocka_unit_test(test_what_is_not_there_yet),
        cmocka_unit_test(test_a_base_tells_what_there_can_be),
        cmocka_unit_test(test_frames_of_version_1_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
