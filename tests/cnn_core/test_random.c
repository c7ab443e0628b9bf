/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmocka_headers.h"
#include "cnn/random.h"

/* Known answers of Philox4x32-10, published with its reference implementation (Random123, kat_vectors). The
 * words of the counter are (block, stream, high, high >> 32). */
static void test_known_answers(void **state)
{
    (void)state;
    uint32_t out[4];
    cnn_random_block(0, (cnn_stream)0, 0, 0, out);
    assert_int_equal(out[0], 0x6627e8d5u);
    assert_int_equal(out[1], 0xe169c58du);
    assert_int_equal(out[2], 0xbc57ac4cu);
    assert_int_equal(out[3], 0x9b00dbd8u);
    cnn_random_block(0x299f31d0a4093822u, (cnn_stream)0x85a308d3u, 0x0370734413198a2eu, 0x243f6a88u, out);
    assert_int_equal(out[0], 0xd16cfe09u);
    assert_int_equal(out[1], 0x94fdccebu);
    assert_int_equal(out[2], 0x5001e420u);
    assert_int_equal(out[3], 0x24126ea1u);
}

static void test_words_are_the_blocks(void **state)
{
    (void)state;
    for (uint64_t position = 0; position < 64; position++) {
        uint32_t block[4];
        cnn_random_block(7, CNN_STREAM_DROPOUT, 3, (uint32_t)(position / 4), block);
        assert_int_equal(cnn_random_word(7, CNN_STREAM_DROPOUT, 3, position), block[position % 4]);
    }
}

static void test_unit_is_in_its_interval(void **state)
{
    (void)state;
    assert_true(cnn_random_unit(0) == 0.0f);
    assert_true(cnn_random_unit(UINT32_MAX) < 1.0f);
    assert_true(cnn_random_unit(1u << 31) == 0.5f);
}

static void test_order_is_a_permutation_that_depends_on_all(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    uint32_t first[COUNT], again[COUNT], other[COUNT];
    int seen[COUNT] = {0}, different = 0;
    cnn_random_order(1, CNN_STREAM_SHUFFLE, 0, first, COUNT);
    cnn_random_order(1, CNN_STREAM_SHUFFLE, 0, again, COUNT);
    cnn_random_order(1, CNN_STREAM_SHUFFLE, 1, other, COUNT);
    assert_memory_equal(first, again, sizeof first);
    for (int i = 0; i < COUNT; i++) {
        assert_true(first[i] < COUNT);
        assert_int_equal(seen[first[i]]++, 0);
        different += first[i] != other[i];
    }
    assert_true(different > COUNT / 2);
    cnn_random_order(1, CNN_STREAM_SHUFFLE, 0, first, 1);
    assert_int_equal(first[0], 0);
}

/* Each of 4 values comes first about equally often: chi-square with 3 degrees of freedom, 0.001
 * quantile 16.27. */
static void test_order_is_uniform(void **state)
{
    (void)state;
    int counts[4] = {0};
    const int trials = 4000;
    for (int i = 0; i < trials; i++) {
        uint32_t order[4];
        cnn_random_order(5, CNN_STREAM_SHUFFLE, (uint64_t)i, order, 4);
        counts[order[0]]++;
    }
    double chi_square = 0;
    for (int i = 0; i < 4; i++)
        chi_square += (counts[i] - trials / 4.0) * (counts[i] - trials / 4.0) / (trials / 4.0);
    assert_true(chi_square < 16.27);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_words_are_the_blocks),
        cmocka_unit_test(test_unit_is_in_its_interval),
        cmocka_unit_test(test_order_is_a_permutation_that_depends_on_all),
        cmocka_unit_test(test_order_is_uniform),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
