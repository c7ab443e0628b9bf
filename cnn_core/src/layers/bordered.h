/* SPDX-License-Identifier: BSD-3-Clause */
/* Copies of images with a border of zeros around them, so that a window may reach beyond. */
#ifndef CNN_BORDERED_H
#define CNN_BORDERED_H

#include <stddef.h>

/* An image [h, w, channels] in a copy [copy_h, copy_w, channels], from row `top` and column `left` on. Its
 * last rows and columns may find no room. */
typedef struct cnn_bordered {
    int h, w, channels, copy_h, copy_w, top, left;
} cnn_bordered;

/* Floats of a copy with the CNN_VECTOR_MOST beyond its end that kernels may read; a multiple of those. */
size_t cnn_bordered_count(const cnn_bordered *bordered);

/* Makes the copy. */
void cnn_bordered_lay_out(const cnn_bordered *bordered, const float *image, float *copy);

/* The adjoint: the image from the copy, zero where that had no room. */
void cnn_bordered_take_back(const cnn_bordered *bordered, const float *copy, float *image);

#endif
