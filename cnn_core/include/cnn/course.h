/* SPDX-License-Identifier: BSD-3-Clause */
/* Which images of which epoch each step takes, also where the size of the batches changes in between.
 *
 * Every epoch passes every image exactly once: a new size counts from the next image on, and the last batch
 * of an epoch is what is left of it. A course is a pure function of the changes made to it. */
#ifndef CNN_COURSE_H
#define CNN_COURSE_H

#include <stdint.h>

typedef struct cnn_course {
    uint32_t images;     /* in an epoch, >= 1 */
    uint32_t batch;      /* of the steps after mark_step, 1..images */
    uint64_t mark_step;  /* the steps done when the batch was changed last; 0: never, or before the first */
    uint64_t mark_epoch; /* the epochs done then */
    uint32_t mark_image; /* the images of the next epoch done then, < images */
} cnn_course;

/* How far a training has come: whole epochs, and images of the next one, fewer than all. */
typedef struct cnn_place {
    uint64_t epoch;
    uint32_t image;
} cnn_place;

/* A course from step 0 on; a larger batch than there are images is all of them. Both are >= 1. */
cnn_course cnn_course_begin(uint32_t images, uint32_t batch);

/* The place after `step` steps, which are no fewer than mark_step. */
cnn_place cnn_course_at(const cnn_course *course, uint64_t step);

/* The same as a number that rises: step / steps per epoch as long as the batch was never changed, then epochs
 * and the share of images. Whole at the end of an epoch, and only there. */
double cnn_course_epochs(const cnn_course *course, uint64_t step);

/* 1 if step `step` (from 1) is the last one of an epoch, else 0. */
int cnn_course_is_end(const cnn_course *course, uint64_t step);

/* The steps that a whole epoch takes with this batch. */
uint64_t cnn_course_steps_per_epoch(const cnn_course *course);

/* The step that ends epoch number `epochs` (from 1), which is not before the mark; UINT64_MAX if no number
 * of 64 bits counts so far. */
uint64_t cnn_course_end_of(const cnn_course *course, uint64_t epochs);

/* From the step after `step` on, which is no earlier than the mark, batches have this size, 1..images. The
 * same size again changes nothing. */
void cnn_course_turn(cnn_course *course, uint64_t step, uint32_t batch);

#endif
