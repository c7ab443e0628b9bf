/* SPDX-License-Identifier: BSD-3-Clause */
/* One option of `train` that a sweep varies: NAME=VALUE,VALUE... (or, where values hold commas,
 * VALUE|VALUE...) or, for a number, NAME=LOW..HIGH[:log][:COUNT]. */
#ifndef APP_SWEEP_AXIS_H
#define APP_SWEEP_AXIS_H

#include "options.h"
#include <jansson.h>

enum { SWEEP_MOST_VALUES = 1000 };

typedef enum sweep_scale { SWEEP_LIST, SWEEP_LINEAR, SWEEP_LOG } sweep_scale;

typedef struct sweep_axis {
    const app_option *option; /* a row of train's table */
    char *text;               /* as the call gave it; owned */
    sweep_scale scale;
    char **values; /* owned, as is each; NULL: they are drawn from low..high */
    size_t count;
    double low, high; /* of a range */
} sweep_axis;

/* Parses the argument of --vary. `is_drawn`: values are drawn at random, so that a range needs no count.
 * CNN_BAD_ARGUMENT (no option that has a value, a value out of its limits, the same value twice, an empty
 * range); *out is untouched. Free with sweep_axis_free. */
int sweep_axis_parse(const char *text, int is_drawn, sweep_axis *out);
void sweep_axis_free(sweep_axis *axis);

/* A value at random, a function of the seed, the number of the draw and of the axis alone: every value of a
 * list is equally likely, a range is uniform on its scale. The caller frees it. */
char *sweep_axis_draw(const sweep_axis *axis, uint64_t seed, uint64_t draw, uint32_t number);

/* -1 if a value is the lowest of at least three numbers other than seeds, 1 if it is the highest, else 0. A
 * range that is drawn from has no such ends. */
int sweep_axis_is_end(const sweep_axis *axis, const char *value);

/* How many values a draw can give, at most: 1e15 for a range of real numbers. */
double sweep_axis_size(const sweep_axis *axis);

/* The axis as an object: option, as it was asked, scale, and its values unless they are drawn from a range.
 */
json_t *sweep_axis_json(const sweep_axis *axis);

#endif
