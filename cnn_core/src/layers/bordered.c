/* SPDX-License-Identifier: BSD-3-Clause */
#include "layers/bordered.h"
#include "kernels.h"
#include <string.h>

static int held(int image, int copy, int border)
{
    return image < copy - border ? image : copy - border;
}

static int rows_held(const cnn_bordered *b)
{
    return held(b->h, b->copy_h, b->top);
}

static size_t row_held(const cnn_bordered *b)
{
    return (size_t)held(b->w, b->copy_w, b->left) * (size_t)b->channels;
}

/* Where row `row` of the image is in the copy. */
static ptrdiff_t place_of(const cnn_bordered *b, int row)
{
    return ((ptrdiff_t)(row + b->top) * b->copy_w + b->left) * b->channels;
}

static size_t with_margin(const cnn_bordered *b)
{
    return (size_t)b->copy_h * (size_t)b->copy_w * (size_t)b->channels + CNN_VECTOR_MOST;
}

size_t cnn_bordered_count(const cnn_bordered *b)
{
    return cnn_padded(with_margin(b));
}

void cnn_bordered_lay_out(const cnn_bordered *b, const float *image, float *copy)
{
    const ptrdiff_t width = (ptrdiff_t)b->w * b->channels;
    /* Zeros from the end of a row to the next one: borders. */
    float *end = copy;
    for (int row = 0; row < rows_held(b); row++) {
        float *const to = copy + place_of(b, row);
        memset(end, 0, (size_t)(to - end) * sizeof *copy);
        memcpy(to, image + row * width, row_held(b) * sizeof *image);
        end = to + row_held(b);
    }
    memset(end, 0, (with_margin(b) - (size_t)(end - copy)) * sizeof *copy);
}

void cnn_bordered_take_back(const cnn_bordered *b, const float *copy, float *image)
{
    const ptrdiff_t width = (ptrdiff_t)b->w * b->channels;
    if (rows_held(b) < b->h || row_held(b) < (size_t)width)
        memset(image, 0, (size_t)b->h * (size_t)width * sizeof *image);
    for (int row = 0; row < rows_held(b); row++)
        memcpy(image + row * width, copy + place_of(b, row), row_held(b) * sizeof *image);
}
