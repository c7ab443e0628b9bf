/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmocka_headers.h"
#include "cnn/course.h"
#include "cnn/random.h"
#include <math.h>

/* The reference: a training that deals out the images of one epoch after the other, one by one. */
typedef struct dealer {
    uint64_t step, epoch;
    uint32_t images, batch, dealt;
} dealer;

static void deal(dealer *d)
{
    for (uint32_t i = 0; i < d->batch && d->dealt < d->images; i++)
        d->dealt++;
    if (d->dealt == d->images) {
        d->dealt = 0;
        d->epoch++;
    }
    d->step++;
}

static void assert_same(const cnn_course *course, const dealer *d)
{
    const cnn_place place = cnn_course_at(course, d->step);
    if (place.epoch != d->epoch || place.image != d->dealt)
        fail_msg("step %d: place %d, %u, reference %d, %u", (int)d->step, (int)place.epoch, place.image,
                 (int)d->epoch, d->dealt);
    assert_int_equal(cnn_course_is_end(course, d->step), d->step > 0 && d->dealt == 0);
}

static void test_without_changes(void **state)
{
    (void)state;
    for (uint32_t images = 1; images < 14; images++)
        for (uint32_t batch = 1; batch < 20; batch++) {
            const cnn_course course = cnn_course_begin(images, batch);
            const uint64_t whole = (images + course.batch - 1) / course.batch;
            dealer d = {.images = images, .batch = batch};
            assert_int_equal(cnn_course_steps_per_epoch(&course), whole);
            for (int i = 0; i < 50; i++) {
                assert_same(&course, &d);
                assert_true(cnn_course_epochs(&course, d.step) == (double)d.step / (double)whole);
                deal(&d);
            }
            for (uint64_t epochs = 0; epochs < 9; epochs++)
                assert_int_equal(cnn_course_end_of(&course, epochs), epochs * whole);
        }
}

static uint32_t drawn(uint64_t which, uint64_t position, uint32_t below)
{
    return cnn_random_word(9, CNN_STREAM_PROBE, which, position) % below;
}

/* Many courses with changes at random steps: same places as the reference, rising epochs, whole at ends only,
 * and the ends foretold at any step are those that come. */
static void test_with_changes(void **state)
{
    (void)state;
    for (uint64_t which = 0; which < 300; which++) {
        const uint32_t images = 1 + drawn(which, 0, 23);
        dealer d = {.images = images, .batch = 1 + drawn(which, 1, images)};
        cnn_course course = cnn_course_begin(images, d.batch);
        double before = -1;
        uint64_t foretold = cnn_course_end_of(&course, 1);
        for (uint64_t i = 0; i < 200; i++) {
            if (drawn(which, 10 + i, 5) == 0) {
                d.batch = 1 + drawn(which, 1000 + i, images);
                cnn_course_turn(&course, d.step, d.batch);
                foretold = cnn_course_end_of(&course, d.epoch + 1);
            }
            assert_same(&course, &d);
            const double epochs = cnn_course_epochs(&course, d.step);
            assert_true(epochs > before && (uint64_t)epochs == d.epoch);
            assert_int_equal(epochs == floor(epochs), d.dealt == 0);
            before = epochs;
            deal(&d);
            if (d.dealt == 0) {
                assert_int_equal(d.step, foretold);
                foretold = cnn_course_end_of(&course, d.epoch + 1);
            }
        }
    }
}

static void test_the_same_size_again_changes_nothing(void **state)
{
    (void)state;
    cnn_course course = cnn_course_begin(10, 4);
    cnn_course_turn(&course, 5, 4);
    assert_int_equal(course.mark_step, 0);
    cnn_course_turn(&course, 5, 3);
    const cnn_course once = course;
    cnn_course_turn(&course, 6, 3);
    assert_memory_equal(&course, &once, sizeof course);
}

static void test_the_largest_numbers(void **state)
{
    (void)state;
    cnn_course course = cnn_course_begin(UINT32_MAX, UINT32_MAX);
    cnn_course_turn(&course, 3, 1);
    assert_int_equal(cnn_course_at(&course, 3 + (uint64_t)UINT32_MAX - 1).image, UINT32_MAX - 1);
    assert_int_equal(cnn_course_at(&course, 3 + (uint64_t)UINT32_MAX).epoch, 4);
    assert_true(cnn_course_end_of(&course, UINT64_MAX) == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_changes),
        cmocka_unit_test(test_with_changes),
        cmocka_unit_test(test_the_same_size_again_changes_nothing),
        cmocka_unit_test(test_the_largest_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
