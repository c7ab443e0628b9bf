/* SPDX-License-Identifier: BSD-3-Clause */
#include "kernels.h"
#include <stdlib.h>
#include <string.h>

#if defined(__aarch64__)
#define BASELINE cnn_kernel_table_neon
#else
#define BASELINE cnn_kernel_table_plain
#endif
extern const cnn_kernels BASELINE;
#if defined(__x86_64__)
extern const cnn_kernels cnn_kernel_table_avx2, cnn_kernel_table_avx512;
#endif

const cnn_kernels *cnn_kernels_get(void)
{
    const char *wish = getenv("CNN_KERNELS");
#if defined(__x86_64__)
    const int bits = __builtin_cpu_supports("bmi");
    if (bits && __builtin_cpu_supports("avx512f") && (!wish || !strcmp(wish, cnn_kernel_table_avx512.name)))
        return &cnn_kernel_table_avx512;
    if (bits && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        (!wish || !strcmp(wish, cnn_kernel_table_avx2.name)))
        return &cnn_kernel_table_avx2;
#endif
    (void)wish;
    return &BASELINE;
}
