/* SPDX-License-Identifier: BSD-3-Clause */
/* relu, dropout and softmax: the layers without shape. */
#include "../reference.h"
#include "cmocka_headers.h"
#include "layers/layers.h"
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
    cnn_dropout_forward(0.25f, 1, 2, 5, y, kept, COUNT);
    cnn_dropout_backward(0.25f, kept, dy, COUNT);
    int zeros = 0;
    for (int i = 0; i < COUNT; i++) {
        zeros += y[i] == 0.0f;
        assert_true(y[i] == 0.0f || y[i] == 4.0f);
        assert_true(dy[i] == y[i]);
    }
    assert_true(fabs(zeros / (double)COUNT - 0.25) < 5 * sqrt(0.25 * 0.75 / COUNT));
}

/* A stretch drawn from the middle is the middle of the whole, wherever it begins. */
static void test_dropout_is_a_function_of_position(void **state)
{
    (void)state;
    float whole[64], part[64];
    uint8_t kept[64];
    for (int first = 0; first < 9; first++) {
        for (int i = 0; i < 64; i++)
            whole[i] = part[i] = 1;
        cnn_dropout_forward(0.5f, 1, 2, 100, whole, kept, 64);
        cnn_dropout_forward(0.5f, 1, 2, 100 + (uint64_t)first, part, kept, 40);
        assert_memory_equal(whole + first, part, 40 * sizeof(float));
    }
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
