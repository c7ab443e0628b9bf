/* SPDX-License-Identifier: BSD-3-Clause */
#include "../reference.h"
#include "cmocka_headers.h"
#include "kernels.h"
#include "layers/bordered.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* With borders on all sides, on two, without any, and copies that leave rows and columns out. */
static const cnn_bordered shapes[] = {
    {4, 5, 3, 7, 9, 1, 2}, {4, 5, 3, 6, 6, 0, 1}, {4, 5, 3, 4, 5, 0, 0},
    {6, 7, 2, 5, 4, 1, 1}, {1, 1, 1, 3, 3, 1, 1},
};

enum { SHAPES = sizeof shapes / sizeof shapes[0] };

static size_t image_count(const cnn_bordered *b)
{
    return (size_t)b->h * (size_t)b->w * (size_t)b->channels;
}

static float *filled(uint64_t seed, size_t count)
{
    float *values = malloc(count * sizeof *values);
    assert_non_null(values);
    reference_fill(seed, values, count);
    return values;
}

/* The value of the image that belongs to a place of the copy; zero in borders. */
static float expected_at(const cnn_bordered *b, const float *image, int y, int x, int c)
{
    const int row = y - b->top, column = x - b->left;
    if (row < 0 || row >= b->h || column < 0 || column >= b->w)
        return 0;
    return image[((size_t)row * (size_t)b->w + (size_t)column) * (size_t)b->channels + (size_t)c];
}

static void test_a_copy_has_the_image_and_zeros(void **state)
{
    (void)state;
    for (int i = 0; i < SHAPES; i++) {
        const cnn_bordered *b = &shapes[i];
        const size_t count = cnn_bordered_count(b);
        float *image = filled(1, image_count(b)), *copy = filled(2, count), *at = copy;
        cnn_bordered_lay_out(b, image, copy);
        for (int y = 0; y < b->copy_h; y++)
            for (int x = 0; x < b->copy_w; x++)
                for (int c = 0; c < b->channels; c++)
                    assert_true(*at++ == expected_at(b, image, y, x, c));
        for (int beyond = 0; beyond < CNN_VECTOR_MOST; beyond++)
            assert_true(*at++ == 0);
        assert_true(at <= copy + count);
        free(image);
        free(copy);
    }
}

/* The sum of copy * values equals that of image * (values taken back), whatever both are: exactly, of small
 * whole numbers. */
static void test_taking_back_is_the_adjoint(void **state)
{
    (void)state;
    for (int i = 0; i < SHAPES; i++) {
        const cnn_bordered *b = &shapes[i];
        const size_t copied = cnn_bordered_count(b) - CNN_VECTOR_MOST, images = image_count(b);
        float *image = filled(3, images), *values = filled(4, cnn_bordered_count(b)),
              *copy = filled(5, cnn_bordered_count(b)), *back = filled(6, images);
        for (size_t k = 0; k < images; k++)
            image[k] = roundf(9 * image[k]);
        for (size_t k = 0; k < cnn_bordered_count(b); k++)
            values[k] = roundf(9 * values[k]);
        cnn_bordered_lay_out(b, image, copy);
        cnn_bordered_take_back(b, values, back);
        double forth = 0, taken = 0;
        for (size_t k = 0; k < copied; k++)
            forth += (double)copy[k] * (double)values[k];
        for (size_t k = 0; k < images; k++)
            taken += (double)image[k] * (double)back[k];
        assert_true(forth == taken);
        assert_true(forth != 0);
        float *blocks[] = {image, values, copy, back};
        for (int k = 0; k < 4; k++)
            free(blocks[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_copy_has_the_image_and_zeros),
        cmocka_unit_test(test_taking_back_is_the_adjoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
