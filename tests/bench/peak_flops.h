/* SPDX-License-Identifier: BSD-3-Clause */
/* Fused multiplications and additions that need nothing but registers: what no kernel can exceed. */
#ifndef PEAK_FLOPS_H
#define PEAK_FLOPS_H

/* Some 10 million FLOP with the widest vectors of this processor that the kernels use; how many it was. Adds
 * something to *sink that the compiler cannot know. */
double peak_flops(double *sink);

/* avx512, avx2 or plain: which that was, as CNN_KERNELS has it. */
const char *peak_name(void);

#endif
