/* SPDX-License-Identifier: BSD-3-Clause */
/* relu, dropout and softmax: the layers without shape. */
#include "../reference.h"
#include "cmocka_headers.h"
#include "cnn/random.h"
#include "layers/layers.h"
#include "shapes.h"
#include <math.h>
#include <string.h>

static void test_relu(void **state)
{
    (void)state;
    float y[] = {-1, 0, 2, -INFINITY, INFINITY, NAN}, dy[] = {1, 2, 3, 4, 5, 6};
    cnn_relu_forward(y, 6);
    const float expected[] = {0, 0, 2, 0, INFINITY};
    assert_memory_equal(y, expected, sizeof expected);
    assert_true(isnan(y[5]));
    cnn_relu_backward(y, dy, 6);
    const float slopes[] = {0, 0, 3, 0, 5, 6};
    assert_memory_equal(dy, slopes, sizeof slopes);
}

static cnn_dropout dropout_at(float rate, uint64_t position, size_t channels, size_t pixels)
{
    return (cnn_dropout){.kernels = cnn_kernels_get(),
                         .rate = rate,
                         .seed = 1,
                         .step = 2,
                         .position = position,
                         .channels = channels,
                         .pixels = pixels};
}

/* The share of zeros is the rate within 5 standard errors, what is kept is scaled, and gradients go the same
 * way. */
static void test_dropout(void **state)
{
    (void)state;
    enum { COUNT = 40000 };
    static float y[COUNT], dy[COUNT];
    static uint8_t kept[COUNT];
    for (int i = 0; i < COUNT; i++)
        y[i] = dy[i] = 3;
    const cnn_dropout dropout = dropout_at(0.25f, 5, COUNT, 1);
    cnn_dropout_forward(&dropout, y, kept);
    cnn_dropout_backward(0.25f, kept, dy, COUNT);
    int zeros = 0;
    for (int i = 0; i < COUNT; i++) {
        zeros += y[i] == 0.0f;
        assert_true(y[i] == 0.0f || y[i] == 4.0f);
        assert_true(dy[i] == y[i]);
    }
    assert_true(fabs(zeros / (double)COUNT - 0.25) < 5 * sqrt(0.25 * 0.75 / COUNT));
}

/* Number i of [C,H,W] is kept if word position + i says so, wherever the layer begins and however long it is.
 */
static void check_positions(void)
{
    enum { MOST = 700 };
    static const size_t channels[] = {1, 7, 700, 25}, pixels[] = {300, 1, 1, 28};
    for (int shape = 0; shape < 4; shape++)
        for (uint64_t first = 100; first < 109; first++) {
            const size_t count = channels[shape] * pixels[shape];
            float y[MOST];
            uint8_t kept[MOST];
            for (size_t i = 0; i < count; i++)
                y[i] = 1;
            const cnn_dropout dropout = dropout_at(0.5f, first, channels[shape], pixels[shape]);
            cnn_dropout_forward(&dropout, y, kept);
            for (size_t i = 0; i < count; i++) {
                const size_t at = i % pixels[shape] * channels[shape] + i / pixels[shape];
                const uint32_t word = cnn_random_word(1, CNN_STREAM_DROPOUT, 2, first + i);
                assert_int_equal(kept[at], cnn_random_unit(word) >= 0.5f);
                assert_true(y[at] == (kept[at] ? 2.0f : 0.0f));
            }
        }
}

static void test_dropout_is_a_function_of_position(void **state)
{
    (void)state;
    for_each_kernels(check_positions);
}

static void test_softmax_loss_and_gradient(void **state)
{
    (void)state;
    float logits[7], slopes[7];
    reference_fill(3, logits, 7);
    for (int label = 0; label < 7; label++) {
        int correct, best = 0;
        double sum = 0;
        for (int i = 0; i < 7; i++) {
            sum += exp((double)logits[i]);
            best = logits[i] > logits[best] ? i : best;
        }
        const double loss = cnn_softmax_loss(logits, 7, label, 0.5f, slopes, &correct);
        assert_true(fabs(loss - (log(sum) - (double)logits[label])) < 1e-14);
        assert_int_equal(correct, best == label);
        for (int i = 0; i < 7; i++)
            assert_true(fabs((double)slopes[i] - 0.5 * (exp((double)logits[i]) / sum - (i == label))) < 1e-7);
    }
}

static void test_softmax_of_huge_logits(void **state)
{
    (void)state;
    const float logits[] = {3e38f, -3e38f, 0};
    float slopes[3];
    int correct;
    assert_true(cnn_softmax_loss(logits, 3, 0, 1, slopes, &correct) == 0.0);
    assert_int_equal(correct, 1);
    assert_true(fabs(cnn_softmax_loss(logits, 3, 2, 1, slopes, &correct) - (double)3e38f) < 1e31);
    const float bad[] = {NAN, 1};
    assert_true(isnan(cnn_softmax_loss(bad, 2, 1, 1, slopes, &correct)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_relu),
        cmocka_unit_test(test_dropout),
        cmocka_unit_test(test_dropout_is_a_function_of_position),
        cmocka_unit_test(test_softmax_loss_and_gradient),
        cmocka_unit_test(test_softmax_of_huge_logits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
