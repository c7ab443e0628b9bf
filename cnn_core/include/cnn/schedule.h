/* SPDX-License-Identifier: BSD-3-Clause */
/* How the learning rate changes over the steps. */
#ifndef CNN_SCHEDULE_H
#define CNN_SCHEDULE_H

#include <stdint.h>

typedef enum cnn_schedule_kind { CNN_CONSTANT, CNN_STEPWISE, CNN_COSINE } cnn_schedule_kind;

/* The text form is NAME[,key=value...]:
 *   constant | step,every=STEPS,factor=F | cosine[,floor=FRACTION]      each with [,warmup=STEPS]
 * Warm-up rises linearly: step s <= warmup has the rate s / warmup of what the schedule says.
 * Cosine: Loshchilov & Hutter arXiv 1608.03983, one period, from the end of warm-up to the last step. */
typedef struct cnn_schedule {
    cnn_schedule_kind kind;
    uint64_t warmup; /* steps */
    uint64_t every;  /* step: steps between drops, >= 1 */
    double factor;   /* step: multiplies the rate at each drop, (0, 1] */
    double floor;    /* cosine: the last rate as a fraction of the first, [0, 1] */
} cnn_schedule;

/* Parses the text form. Errors: CNN_BAD_ARGUMENT (names the key, the value, the limit); out untouched. */
int cnn_schedule_parse(const char *text, cnn_schedule *out);

/* CNN_BAD_ARGUMENT if a number that the kind uses is out of its limits, as in the text form. */
int cnn_schedule_check(const cnn_schedule *schedule);

/* The rate of step `step` (from 1) of `total` steps, given the base rate. */
double cnn_schedule_rate(const cnn_schedule *schedule, double base, uint64_t step, uint64_t total);

#endif
