/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "float_arena.h"
#include "kernels.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { LINE = 64, LARGE_PAGE = 1 << 21 };

float *cnn_float_arena(size_t count)
{
    const size_t wanted = (count + CNN_VECTOR_MOST) * sizeof(float);
    const size_t boundary = wanted >= 2 * LARGE_PAGE ? LARGE_PAGE : LINE;
    const size_t bytes = (wanted + LINE - 1) / LINE * LINE;
    float *arena;
    if (bytes < wanted || posix_memalign((void **)&arena, boundary, bytes))
        return NULL;
    /* Advice only: without large pages all is as before. */
    if (boundary == LARGE_PAGE)
        (void)madvise(arena, bytes, MADV_HUGEPAGE);
    memset(arena, 0, bytes);
    return arena;
}
