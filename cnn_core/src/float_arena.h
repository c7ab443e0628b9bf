/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory for all parameters of a network, or as many moments: read from one end to the other in every step.
 * Internal to cnn_core. */
#ifndef CNN_FLOAT_ARENA_H
#define CNN_FLOAT_ARENA_H

#include <stddef.h>

/* `count` zeros, on a cache line's boundary and readable CNN_VECTOR_MOST floats beyond the end; in large
 * pages where the system has them. NULL: no memory. The caller frees with free. */
float *cnn_float_arena(size_t count);

#endif
