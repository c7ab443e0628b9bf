/* SPDX-License-Identifier: BSD-3-Clause */
#include "names.h"
#include "vector.h"

/* Parameters that are updated at a time, and whose squares are added to sums of their own: the same for every
 * instruction set, so that norms are. */
enum { STEP = 16, SUMS = 8 };

enum { WIDES = SUMS / WIDE_LANES };

/* Sums of squares, parameter i in sum i % SUMS. */
typedef struct squares {
    wide weight[WIDES], gradient[WIDES], distance[WIDES];
} squares;

/* Half of a vector at hand: from memory just written it would be late. */
INLINE wide widened_half(vector v, int half)
{
    narrow halves[2];
    memcpy(halves, &v, sizeof v);
    return widened(halves[half]);
}

INLINE void add_squares(squares *s, const cnn_update *u, size_t i, int lane, vector updated)
{
    UNROLL for (int half = 0; half < 2; half++)
    {
        const int within = lane + half * WIDE_LANES, k = within / WIDE_LANES % WIDES;
        const size_t at = i + (size_t)within;
        const wide weight = widened_half(updated, half), gradient = load_widened(u->gradient + at),
                   distance = weight - load_widened(u->initial + at);
        s->weight[k] += weight * weight;
        s->gradient[k] += gradient * gradient;
        s->distance[k] += distance * distance;
    }
}

INLINE double total(const wide sums[WIDES])
{
    double sum = 0;
    for (int k = 0; k < WIDES; k++)
        for (int lane = 0; lane < WIDE_LANES; lane++)
            sum += sums[k][lane];
    return sum;
}

/* The new values of LANES parameters by each method, from the i-th on. */
INLINE vector sgd(const cnn_update *u, size_t i)
{
    const vector weight = load(u->weight + i), gradient = load(u->gradient + i) + u->decay * weight;
    return weight - u->rate * gradient;
}

INLINE vector momentum(const cnn_update *u, size_t i)
{
    const vector weight = load(u->weight + i), gradient = load(u->gradient + i) + u->decay * weight;
    const vector velocity = u->beta1 * load(u->moment[0] + i) + gradient;
    store(u->moment[0] + i, velocity);
    return weight - u->rate * velocity;
}

INLINE vector adam(const cnn_update *u, size_t i)
{
    const vector weight = load(u->weight + i), gradient = load(u->gradient + i) + u->decay * weight;
    const vector first = u->beta1 * load(u->moment[0] + i) + (1 - u->beta1) * gradient;
    const vector second = u->beta2 * load(u->moment[1] + i) + (1 - u->beta2) * gradient * gradient;
    store(u->moment[0] + i, first);
    store(u->moment[1] + i, second);
    return weight - u->rate * first / (root(second) * u->correction + u->epsilon);
}

typedef vector method(const cnn_update *u, size_t i);

INLINE void step(const cnn_update *u, method *update, size_t i, squares *s)
{
    UNROLL for (int lane = 0; lane < STEP; lane += LANES)
    {
        const vector updated = update(u, i + (size_t)lane);
        store(u->weight + i + lane, updated);
        add_squares(s, u, i, lane, updated);
    }
}

/* The last parameters, fewer than STEP, in the company of zeros. */
INLINE void last_step(const cnn_update *all, method *update, size_t i, squares *s)
{
    const size_t bytes = (all->count - i) * sizeof(float);
    float weight[STEP] = {0}, gradient[STEP] = {0}, initial[STEP] = {0}, moment[2][STEP] = {{0}, {0}};
    cnn_update few = *all;
    memcpy(weight, all->weight + i, bytes);
    memcpy(gradient, all->gradient + i, bytes);
    memcpy(initial, all->initial + i, bytes);
    few.weight = weight;
    few.gradient = gradient;
    few.initial = initial;
    for (int k = 0; k < 2; k++)
        if (all->moment[k]) {
            memcpy(moment[k], all->moment[k] + i, bytes);
            few.moment[k] = moment[k];
        }
    step(&few, update, 0, s);
    memcpy(all->weight + i, weight, bytes);
    for (int k = 0; k < 2; k++)
        if (all->moment[k])
            memcpy(all->moment[k] + i, moment[k], bytes);
}

INLINE void update_all(cnn_update *argument, method *update)
{
    const cnn_update u = *argument;
    squares s = {0};
    size_t i = 0;
    for (; i + STEP <= u.count; i += STEP)
        step(&u, update, i, &s);
    if (i < u.count)
        last_step(&u, update, i, &s);
    argument->weight_square = total(s.weight);
    argument->gradient_square = total(s.gradient);
    argument->distance_square = total(s.distance);
}

void KERNEL(update_sgd)(cnn_update *update)
{
    update_all(update, sgd);
}

void KERNEL(update_momentum)(cnn_update *update)
{
    update_all(update, momentum);
}

void KERNEL(update_adam)(cnn_update *update)
{
    update_all(update, adam);
}
