/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/course.h"

cnn_course cnn_course_begin(uint32_t images, uint32_t batch)
{
    return (cnn_course){.images = images, .batch = batch < images ? batch : images};
}

static uint64_t steps_for(const cnn_course *course, uint32_t images)
{
    return ((uint64_t)images + course->batch - 1) / course->batch;
}

uint64_t cnn_course_steps_per_epoch(const cnn_course *course)
{
    return steps_for(course, course->images);
}

/* Steps from the mark to the end of the epoch in which it lies. */
static uint64_t steps_of_marked_epoch(const cnn_course *course)
{
    return steps_for(course, course->images - course->mark_image);
}

cnn_place cnn_course_at(const cnn_course *course, uint64_t step)
{
    const uint64_t done = step - course->mark_step, first = steps_of_marked_epoch(course);
    if (done < first)
        return (cnn_place){course->mark_epoch, course->mark_image + (uint32_t)done * course->batch};
    const uint64_t whole = cnn_course_steps_per_epoch(course), later = done - first;
    return (cnn_place){course->mark_epoch + 1 + later / whole, (uint32_t)(later % whole) * course->batch};
}

double cnn_course_epochs(const cnn_course *course, uint64_t step)
{
    if (!course->mark_step)
        return (double)step / (double)cnn_course_steps_per_epoch(course);
    const cnn_place place = cnn_course_at(course, step);
    return (double)place.epoch + (double)place.image / (double)course->images;
}

int cnn_course_is_end(const cnn_course *course, uint64_t step)
{
    return step > 0 && cnn_course_at(course, step).image == 0;
}

uint64_t cnn_course_end_of(const cnn_course *course, uint64_t epochs)
{
    if (epochs == course->mark_epoch)
        return course->mark_step;
    const uint64_t later = epochs - course->mark_epoch - 1;
    uint64_t steps;
    if (__builtin_mul_overflow(later, cnn_course_steps_per_epoch(course), &steps) ||
        __builtin_add_overflow(steps, course->mark_step + steps_of_marked_epoch(course), &steps))
        return UINT64_MAX;
    return steps;
}

void cnn_course_turn(cnn_course *course, uint64_t step, uint32_t batch)
{
    if (batch == course->batch)
        return;
    const cnn_place place = cnn_course_at(course, step);
    *course = (cnn_course){.images = course->images,
                           .batch = batch,
                           .mark_step = step,
                           .mark_epoch = place.epoch,
                           .mark_image = place.image};
}
