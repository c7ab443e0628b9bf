/* SPDX-License-Identifier: BSD-3-Clause */
/* Walks with known answers, the same on every machine that rounds alike. */
#ifndef WEIGHTSCAPE_TEST_WALKS_H
#define WEIGHTSCAPE_TEST_WALKS_H

#include <math.h>
#include <stdint.h>

typedef struct dice {
    uint64_t state;
} dice;

static inline double uniform(dice *from)
{
    from->state += 0x9e3779b97f4a7c15u;
    uint64_t x = from->state;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return ((double)((x ^ (x >> 31)) >> 11) + 0.5) / 9007199254740992.0;
}

/* Box, Muller 1958. */
static inline double normal(dice *from)
{
    const double radius = sqrt(-2 * log(uniform(from)));
    return radius * cos(6.283185307179586 * uniform(from));
}

/* x(t) = (1 - pull) x(t-1) + drift + noise in each of `dimensions`; distances from 0 after 1..count steps.
 * The noise of dimension i is that of dimension 0 times falloff^i. */
typedef struct walk_kind {
    int dimensions;
    double pull, drift, noise, falloff;
} walk_kind;

enum { WALK_DIMENSIONS = 64 };

static inline void walk(const walk_kind *kind, uint64_t seed, int count, double *steps, double *distances)
{
    double x[WALK_DIMENSIONS] = {0};
    dice from = {seed * 0x2545f4914f6cdd1du};
    for (int t = 1; t <= count; t++) {
        double squares = 0, noise = kind->noise;
        for (int i = 0; i < kind->dimensions; i++, noise *= kind->falloff) {
            x[i] += kind->drift - kind->pull * x[i] + noise * normal(&from);
            squares += x[i] * x[i];
        }
        steps[t - 1] = t;
        distances[t - 1] = sqrt(squares);
    }
}

#endif
