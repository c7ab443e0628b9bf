/* SPDX-License-Identifier: BSD-3-Clause */
#include "peak_flops.h"
#include <stdlib.h>
#include <string.h>

enum { STEPS = 40000 };

/* Twelve sums: two a cycle, each of which is ready after four or five, and none that has no register. Each
 * step pulls a sum towards one and the same number, so that none overflows or becomes too small. */
#define PEAK(name, instructions, bytes, SUMS)                                                                \
    typedef float name##_vector __attribute__((vector_size(bytes)));                                         \
    instructions static double name(double *sink)                                                            \
    {                                                                                                        \
        name##_vector sum[SUMS], factor, term;                                                               \
        const int lanes = bytes / (int)sizeof(float);                                                        \
        for (int lane = 0; lane < lanes; lane++) {                                                           \
            factor[lane] = 0.999f;                                                                           \
            term[lane] = 0.001f;                                                                             \
            for (int s = 0; s < SUMS; s++)                                                                   \
                sum[s][lane] = (float)(*sink > 1e300) + (float)s;                                            \
        }                                                                                                    \
        for (int step = 0; step < STEPS; step++)                                                             \
            for (int s = 0; s < SUMS; s++)                                                                   \
                sum[s] = sum[s] * factor + term;                                                             \
        for (int s = 0; s < SUMS; s++)                                                                       \
            *sink += (double)sum[s][s % lanes];                                                              \
        return 2.0 * STEPS * SUMS * lanes;                                                                   \
    }

PEAK(plain, , 16, 12)
#if defined(__x86_64__)
PEAK(avx2, __attribute__((target("avx2,fma"))), 32, 12)
PEAK(avx512, __attribute__((target("avx512f,avx2,fma,prefer-vector-width=512"))), 64, 12)
#endif

typedef struct way {
    const char *name;
    double (*run)(double *sink);
} way;

static way best(void)
{
    const char *wish = getenv("CNN_KERNELS");
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && (!wish || !strcmp(wish, "avx512")))
        return (way){"avx512", avx512};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && (!wish || !strcmp(wish, "avx2")))
        return (way){"avx2", avx2};
#endif
    (void)wish;
    return (way){"plain", plain};
}

double peak_flops(double *sink)
{
    return best().run(sink);
}

const char *peak_name(void)
{
    return best().name;
}
