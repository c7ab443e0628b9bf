/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmocka_headers.h"
#include "cnn/probe.h"
#include "cnn/status.h"
#include "cnn/trainer.h"
#include "scratch.h"
#include <string.h>

enum { IMAGES = 60, SIZE = 4, CLASSES = 3 };

static uint8_t pixels[IMAGES * SIZE], labels[IMAGES];

/* Every image tells its number; classes come in any order, class 2 seldom. */
static cnn_dataset numbered_set(void)
{
    for (int i = 0; i < IMAGES; i++) {
        memset(pixels + (size_t)i * SIZE, i, SIZE);
        labels[i] = i % 10 == 7 ? 2 : (uint8_t)(i * i % 7 % 2);
    }
    return (cnn_dataset){
        .count = IMAGES, .shape = {1, 2, 2}, .classes = CLASSES, .pixels = pixels, .labels = labels};
}

static cnn_probe probe_of(const cnn_dataset *set, uint32_t count, uint64_t seed)
{
    cnn_probe probe;
    if (cnn_probe_create(set, count, seed, &probe))
        fail_msg("%s", cnn_message());
    return probe;
}

static void test_images_are_taken_whole_once_and_by_class(void **state)
{
    (void)state;
    const cnn_dataset set = numbered_set();
    cnn_probe probe = probe_of(&set, IMAGES, 5);
    int seen[IMAGES] = {0}, left[CLASSES] = {0};
    for (int i = 0; i < IMAGES; i++)
        left[labels[i]]++;
    for (uint32_t i = 0; i < IMAGES; i++) {
        const uint8_t *image = probe.set.pixels + i * SIZE;
        for (int p = 1; p < SIZE; p++)
            assert_int_equal(image[p], image[0]);
        assert_int_equal(probe.set.labels[i], labels[image[0]]);
        assert_int_equal(seen[image[0]]++, 0);
        int wanted = (int)i % CLASSES;
        while (!left[wanted])
            wanted = (wanted + 1) % CLASSES;
        assert_int_equal(probe.set.labels[i], wanted);
        left[wanted]--;
    }
    cnn_probe_free(&probe);
}

static void test_more_images_than_there_are(void **state)
{
    (void)state;
    const cnn_dataset set = numbered_set();
    cnn_probe probe = probe_of(&set, UINT32_MAX, 5);
    assert_int_equal(probe.set.count, IMAGES);
    cnn_probe_free(&probe);
}

static void test_seed_decides_and_a_larger_probe_begins_as_a_smaller(void **state)
{
    (void)state;
    const cnn_dataset set = numbered_set();
    cnn_probe small = probe_of(&set, 12, 5), large = probe_of(&set, 40, 5), other = probe_of(&set, 12, 6);
    assert_int_equal(small.set.count, 12);
    assert_memory_equal(small.set.pixels, large.set.pixels, 12 * SIZE);
    assert_memory_equal(small.set.labels, large.set.labels, 12);
    assert_memory_not_equal(small.set.pixels, other.set.pixels, 12 * SIZE);
    cnn_probe_free(&small);
    cnn_probe_free(&large);
    cnn_probe_free(&other);
}

static void test_it_owns_its_images_and_can_be_evaluated(void **state)
{
    (void)state;
    const cnn_dataset set = numbered_set();
    cnn_probe probe = probe_of(&set, 12, 5);
    uint8_t before[12 * SIZE];
    memcpy(before, probe.set.pixels, sizeof before);
    memset(pixels, 0, sizeof pixels);
    assert_memory_equal(before, probe.set.pixels, sizeof before);
    cnn_net *net;
    assert_int_equal(cnn_net_create("linear 3", set.shape, CLASSES, 1, &net), CNN_OK);
    cnn_evaluation evaluation;
    assert_int_equal(cnn_evaluate(net, &probe.set, 5, NULL, &evaluation), CNN_OK);
    assert_int_equal(evaluation.count, 12);
    cnn_net_free(net);
    cnn_probe_free(&probe);
}

static void test_nothing_to_choose(void **state)
{
    (void)state;
    cnn_dataset set = numbered_set();
    cnn_probe probe = {.memory = pixels};
    assert_failed(cnn_probe_create(&set, 0, 1, &probe), CNN_BAD_ARGUMENT, "probe: ", "0 images");
    set.count = 0;
    assert_failed(cnn_probe_create(&set, 5, 1, &probe), CNN_BAD_ARGUMENT, "probe: ", "no images");
    assert_ptr_equal(probe.memory, pixels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_images_are_taken_whole_once_and_by_class),
        cmocka_unit_test(test_more_images_than_there_are),
        cmocka_unit_test(test_seed_decides_and_a_larger_probe_begins_as_a_smaller),
        cmocka_unit_test(test_it_owns_its_images_and_can_be_evaluated),
        cmocka_unit_test(test_nothing_to_choose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
