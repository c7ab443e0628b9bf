/* SPDX-License-Identifier: BSD-3-Clause */
#include "names.h"
#include "vector.h"
#include <math.h>

/* Sums of squares of an update, one per lane. */
typedef struct squares {
    double weight[CNN_UPDATE_LANES], gradient[CNN_UPDATE_LANES], distance[CNN_UPDATE_LANES];
} squares;

INLINE void add_squares(squares *s, int lane, float weight, float gradient, float initial)
{
    const double w = weight, g = gradient, d = w - (double)initial;
    s->weight[lane] += w * w;
    s->gradient[lane] += g * g;
    s->distance[lane] += d * d;
}

INLINE void finish_squares(cnn_update *u, const squares *s)
{
    u->weight_square = u->gradient_square = u->distance_square = 0;
    for (int lane = 0; lane < CNN_UPDATE_LANES; lane++) {
        u->weight_square += s->weight[lane];
        u->gradient_square += s->gradient[lane];
        u->distance_square += s->distance[lane];
    }
}

/* One parameter of each method; `i` is the parameter. */
INLINE float sgd(const cnn_update *u, size_t i)
{
    return u->weight[i] - u->rate * (u->gradient[i] + u->decay * u->weight[i]);
}

INLINE float momentum(const cnn_update *u, size_t i)
{
    const float velocity = u->beta1 * u->moment[0][i] + (u->gradient[i] + u->decay * u->weight[i]);
    u->moment[0][i] = velocity;
    return u->weight[i] - u->rate * velocity;
}

INLINE float adam(const cnn_update *u, size_t i)
{
    const float gradient = u->gradient[i] + u->decay * u->weight[i];
    const float first = u->beta1 * u->moment[0][i] + (1 - u->beta1) * gradient;
    const float second = u->beta2 * u->moment[1][i] + (1 - u->beta2) * gradient * gradient;
    u->moment[0][i] = first;
    u->moment[1][i] = second;
    return u->weight[i] - u->rate * first / (sqrtf(second) * u->correction + u->epsilon);
}

/* The loop around a method: updates, and adds the squares of what it has in hand. A macro, so that the method
 * is inlined into a loop that the compiler can turn into vectors. */
#define UPDATE_LOOP(method)                                                                                  \
    void KERNEL(update_##method)(cnn_update * argument)                                                      \
    {                                                                                                        \
        const cnn_update u = *argument;                                                                      \
        squares s = {{0}, {0}, {0}};                                                                         \
        size_t i = 0;                                                                                        \
        for (; i + CNN_UPDATE_LANES <= u.count; i += CNN_UPDATE_LANES) {                                     \
            float updated[CNN_UPDATE_LANES];                                                                 \
            _Pragma("GCC ivdep") for (int lane = 0; lane < CNN_UPDATE_LANES; lane++) updated[lane] =         \
                method(&u, i + (size_t)lane);                                                                \
            memcpy(u.weight + i, updated, sizeof updated);                                                   \
            for (int lane = 0; lane < CNN_UPDATE_LANES; lane++)                                              \
                add_squares(&s, lane, updated[lane], u.gradient[i + (size_t)lane],                           \
                            u.initial[i + (size_t)lane]);                                                    \
        }                                                                                                    \
        for (int lane = 0; i < u.count; i++, lane++) {                                                       \
            u.weight[i] = method(&u, i);                                                                     \
            add_squares(&s, lane, u.weight[i], u.gradient[i], u.initial[i]);                                 \
        }                                                                                                    \
        finish_squares(argument, &s);                                                                        \
    }

UPDATE_LOOP(sgd)
UPDATE_LOOP(momentum)
UPDATE_LOOP(adam)
