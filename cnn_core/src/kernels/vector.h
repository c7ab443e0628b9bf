/* SPDX-License-Identifier: BSD-3-Clause */
/* The vectors of the instruction set that is compiled for, by the vector extensions of GCC and Clang.
 * Internal to the kernels, whose files are compiled once for each instruction set with CNN_ISA set to its
 * name. */
#ifndef CNN_KERNELS_VECTOR_H
#define CNN_KERNELS_VECTOR_H

#include <math.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#if defined(__AVX512F__)
enum { VECTOR_BYTES = 64 };
#elif defined(__AVX2__)
enum { VECTOR_BYTES = 32 };
#else
enum { VECTOR_BYTES = 16 };
#endif
enum { LANES = VECTOR_BYTES / 4 };

typedef float vector __attribute__((vector_size(VECTOR_BYTES)));
typedef int32_t integers __attribute__((vector_size(VECTOR_BYTES)));

/* Sums that are taken in double. */
typedef double wide __attribute__((vector_size(VECTOR_BYTES)));
enum { WIDE_LANES = VECTOR_BYTES / 8 };

/* As many floats. */
typedef float narrow __attribute__((vector_size(VECTOR_BYTES / 2)));

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")
/* Of a long loop: its end is foretold more often, and its counters take less of the time. */
#define UNROLL_SOME _Pragma("GCC unroll 4")

INLINE vector load(const float *from)
{
    vector v;
    memcpy(&v, from, sizeof v);
    return v;
}

INLINE void store(float *to, vector v)
{
    memcpy(to, &v, sizeof v);
}

/* The first `count` lanes, at most LANES: in pieces of half as many each. */
INLINE void store_some(float *to, vector v, int count)
{
    if (count == LANES) {
        store(to, v);
        return;
    }
    float lanes[LANES];
    store(lanes, v);
    int at = 0;
    UNROLL for (int piece = LANES / 2; piece > 0; piece /= 2) if (count & piece)
    {
        memcpy(to + at, lanes + at, (size_t)piece * sizeof *to);
        at += piece;
    }
}

/* The same of what lies at `from`; other lanes are zero. */
INLINE vector load_some(const float *from, int count)
{
    if (count == LANES)
        return load(from);
    float lanes[LANES] = {0};
    int at = 0;
    UNROLL for (int piece = LANES / 2; piece > 0; piece /= 2) if (count & piece)
    {
        memcpy(lanes + at, from + at, (size_t)piece * sizeof *from);
        at += piece;
    }
    return load(lanes);
}

INLINE wide widened(narrow v)
{
#if defined(__AVX512F__)
    return (wide)_mm512_cvtps_pd((__m256)v);
#elif defined(__AVX2__)
    return (wide)_mm256_cvtps_pd((__m128)v);
#else
    return __builtin_convertvector(v, wide);
#endif
}

INLINE wide load_widened(const float *from)
{
    narrow v;
    memcpy(&v, from, sizeof v);
    return widened(v);
}

/* What is written or read some hundred cycles later comes near meanwhile. Any address. */
INLINE void fetch(const float *at)
{
    __builtin_prefetch(at);
}

/* The same for what is read much later: it leaves the nearest cache alone. */
INLINE void fetch_for_later(const float *at)
{
    __builtin_prefetch(at, 0, 2);
}

/* Past the caches: nothing is read before it is written over. `to` is aligned; other threads may read it
 * after end_streaming. */
INLINE void stream(float *to, vector v)
{
#if defined(__AVX512F__)
    _mm512_stream_ps(to, (__m512)v);
#elif defined(__AVX2__)
    _mm256_stream_ps(to, (__m256)v);
#elif defined(__SSE2__)
    _mm_stream_ps(to, (__m128)v);
#else
    store(to, v);
#endif
}

INLINE void end_streaming(void)
{
#if defined(__SSE2__)
    _mm_sfence();
#endif
}

INLINE vector root(vector v)
{
#if defined(__AVX512F__)
    return (vector)_mm512_sqrt_ps((__m512)v);
#elif defined(__AVX2__)
    return (vector)_mm256_sqrt_ps((__m256)v);
#elif defined(__SSE2__)
    return (vector)_mm_sqrt_ps((__m128)v);
#elif defined(__aarch64__)
    return (vector)vsqrtq_f32((float32x4_t)v);
#else
    for (int lane = 0; lane < LANES; lane++)
        v[lane] = sqrtf(v[lane]);
    return v;
#endif
}

/* max(v, low); NaN stays NaN. */
INLINE vector at_least(vector low, vector v)
{
    /* Of a NaN and another operand these instructions give the second one. */
#if defined(__AVX512F__)
    return (vector)_mm512_max_ps((__m512)low, (__m512)v);
#elif defined(__AVX2__)
    return (vector)_mm256_max_ps((__m256)low, (__m256)v);
#elif defined(__SSE2__)
    return (vector)_mm_max_ps((__m128)low, (__m128)v);
#else
    const integers is_less = v < low;
    return (vector)(((integers)v & ~is_less) | ((integers)low & is_less));
#endif
}

/* max(v, 0); NaN stays NaN. */
INLINE vector rectified(vector v)
{
    return at_least((vector){0}, v);
}

/* A bit for each lane, the first one lowest: whether it is not zero; NaN is not. */
INLINE uint32_t nonzero_lanes(vector v)
{
#if defined(__AVX512F__)
    return _mm512_cmp_ps_mask((__m512)v, _mm512_setzero_ps(), _CMP_NEQ_UQ);
#elif defined(__AVX2__)
    return (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps((__m256)v, _mm256_setzero_ps(), _CMP_NEQ_UQ));
#elif defined(__SSE2__)
    return (uint32_t)_mm_movemask_ps(_mm_cmpneq_ps((__m128)v, _mm_setzero_ps()));
#else
    uint32_t bits = 0;
    UNROLL for (int lane = 0; lane < LANES; lane++) bits |= (uint32_t)(v[lane] != 0) << lane;
    return bits;
#endif
}

enum { MASK = 32 }; /* bits that are found at a time */

/* The same of the first `count` values, or of MASK if those are fewer; whole vectors are read. */
INLINE uint32_t nonzero(const float *values, int count)
{
    uint32_t bits = 0;
    for (int i = 0; i < count && i < MASK; i += LANES)
        bits |= nonzero_lanes(load(values + i)) << i;
    return count < MASK ? bits & ((1u << count) - 1) : bits;
}

#endif
