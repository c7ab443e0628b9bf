/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmocka_headers.h"
#include "cnn/groups.h"
#include "cnn/similarity.h"
#include "cnn/status.h"
#include "reference.h"
#include "scratch.h"
#include <math.h>
#include <string.h>

enum { MOST_UNITS = 24 };

static const cnn_groups_options from_90 = {.threshold = 0.9, .minimum = 1};

/* A symmetric matrix of numbers in -1..1 that are all different. */
static void fill_matrix(uint64_t seed, int count, double *matrix)
{
    for (int i = 0; i < count; i++)
        for (int j = i; j < count; j++)
            matrix[i * count + j] = matrix[j * count + i] =
                i == j ? 1 : (double)reference_noise(seed, (uint64_t)(i * count + j));
}

/* The least similarity between two sets of units. */
static double linkage(const double *matrix, int count, const int32_t *of, int a, int b)
{
    double least = 2;
    for (int i = 0; i < count; i++)
        for (int j = 0; j < count; j++)
            if (of[i] == a && of[j] == b && matrix[i * count + j] < least)
                least = matrix[i * count + j];
    return least;
}

/* As the header says it, the slow way; of[] tells the lowest unit of each unit's group. */
static int plain_groups(const double *matrix, int count, const cnn_groups_options *o, int32_t *group)
{
    int32_t of[MOST_UNITS];
    int left = count;
    for (int i = 0; i < count; i++)
        of[i] = i;
    while (left > o->minimum && left > o->keep && (!o->most || count - left < o->most)) {
        int a = -1, b = -1;
        double best = -2;
        for (int i = 0; i < count; i++)
            for (int j = i + 1; j < count; j++)
                if (of[i] == i && of[j] == j && linkage(matrix, count, of, i, j) > best) {
                    best = linkage(matrix, count, of, i, j);
                    a = i;
                    b = j;
                }
        if (a < 0 || best < o->threshold)
            break;
        for (int i = 0; i < count; i++)
            of[i] = of[i] == b ? a : of[i];
        left--;
    }
    int groups = 0;
    for (int i = 0; i < count; i++)
        group[i] = -1;
    for (int i = 0; i < count; i++)
        for (int j = i + 1; j < count; j++)
            if (of[i] == of[j] && group[j] < 0)
                group[j] = group[i] = group[i] < 0 ? groups++ : group[i];
    return groups;
}

static void test_groups_are_those_of_the_slow_way(void **state)
{
    (void)state;
    double matrix[MOST_UNITS * MOST_UNITS];
    int32_t got[MOST_UNITS], expected[MOST_UNITS];
    for (uint64_t seed = 0; seed < 300; seed++) {
        const int count = 1 + (int)(seed % MOST_UNITS);
        fill_matrix(seed, count, matrix);
        const cnn_groups_options o = {.threshold = (double)reference_noise(99, seed),
                                      .keep = seed % 3 ? 0 : (int)(seed % 7),
                                      .most = seed % 4 ? 0 : (int)(seed % 5),
                                      .minimum = 1 + (int)(seed % 2) * 3};
        assert_int_equal(cnn_groups_find(matrix, NULL, count, &o, got),
                         plain_groups(matrix, count, &o, expected));
        assert_memory_equal(got, expected, (size_t)count * sizeof *got);
    }
}

static void test_a_chain_is_not_a_group(void **state)
{
    (void)state;
    const double chain[] = {1, 0.95, 0.5, 0.95, 1, 0.95, 0.5, 0.95, 1};
    int32_t group[3];
    assert_int_equal(cnn_groups_find(chain, NULL, 3, &from_90, group), 1);
    assert_memory_equal(group, ((int32_t[]){0, 0, -1}), sizeof group);
}

static void test_names_of_units_do_not_matter(void **state)
{
    (void)state;
    static const int order[] = {7, 3, 0, 9, 1, 8, 2, 5, 6, 4};
    double matrix[100], permuted[100];
    int32_t group[10], other[10];
    const cnn_groups_options o = {.threshold = 0, .minimum = 1};
    for (uint64_t seed = 0; seed < 50; seed++) {
        fill_matrix(seed, 10, matrix);
        for (int i = 0; i < 10; i++)
            for (int j = 0; j < 10; j++)
                permuted[i * 10 + j] = matrix[order[i] * 10 + order[j]];
        assert_int_equal(cnn_groups_find(matrix, NULL, 10, &o, group),
                         cnn_groups_find(permuted, NULL, 10, &o, other));
        for (int i = 0; i < 10; i++)
            for (int j = 0; j < 10; j++)
                if (i != j)
                    assert_int_equal(other[i] >= 0 && other[i] == other[j],
                                     group[order[i]] >= 0 && group[order[i]] == group[order[j]]);
    }
}

static void test_all_alike(void **state)
{
    (void)state;
    double ones[36];
    int32_t group[6];
    for (int i = 0; i < 36; i++)
        ones[i] = 1 - 1e-15 * (i % 3);
    cnn_groups_options o = {.threshold = 1, .minimum = 1};
    assert_int_equal(cnn_groups_find(ones, NULL, 6, &o, group), 1);
    assert_memory_equal(group, ((int32_t[]){0, 0, 0, 0, 0, 0}), sizeof group);
    o.minimum = 6;
    assert_int_equal(cnn_groups_find(ones, NULL, 6, &o, group), 0);
    assert_memory_equal(group, ((int32_t[]){-1, -1, -1, -1, -1, -1}), sizeof group);
    o = (cnn_groups_options){.threshold = 1, .minimum = 1, .most = 1};
    assert_int_equal(cnn_groups_find(ones, NULL, 6, &o, group), 1);
    int together = 0;
    for (int i = 0; i < 6; i++)
        together += group[i] == 0;
    assert_int_equal(together, 2);
}

static void test_dead_units_are_alike_and_what_is_not_finite_stays_alone(void **state)
{
    (void)state;
    double matrix[36] = {0};
    int32_t group[6];
    matrix[0 * 6 + 4] = matrix[4 * 6 + 0] = 0.97;
    const uint8_t units[] = {0, 1, 2, 1, 0, 2};
    assert_int_equal(cnn_groups_find(matrix, units, 6, &from_90, group), 2);
    assert_memory_equal(group, ((int32_t[]){0, 1, -1, 1, 0, -1}), sizeof group);
    const cnn_groups_options all = {.threshold = -1, .minimum = 1};
    assert_int_equal(cnn_groups_find(matrix, units, 6, &all, group), 1);
    assert_memory_equal(group, ((int32_t[]){0, 0, -1, 0, 0, -1}), sizeof group);
}

static void assert_refused(const cnn_groups_options *options, const char *option, const char *words)
{
    const double matrix[] = {1, 1, 1, 1};
    int32_t group[] = {7, 7};
    assert_failed(cnn_groups_find(matrix, NULL, 2, options, group), CNN_BAD_ARGUMENT, option, words);
    assert_memory_equal(group, ((int32_t[]){7, 7}), sizeof group);
}

static void test_options_out_of_their_limits_are_refused(void **state)
{
    (void)state;
    assert_refused(&(cnn_groups_options){.threshold = 1.1, .minimum = 1},
                   "threshold: ", "1.1 is not in -1..1");
    assert_refused(&(cnn_groups_options){.threshold = -1.5, .minimum = 1}, "threshold: ", "-1.5");
    assert_refused(&(cnn_groups_options){.threshold = NAN, .minimum = 1}, "threshold: ", "nan");
    assert_refused(&(cnn_groups_options){.threshold = 0.9}, "minimum: ", "0 is not at least 1");
    assert_refused(&(cnn_groups_options){.threshold = 0.9, .minimum = 1, .keep = -1}, "keep: ", "-1");
    assert_refused(&(cnn_groups_options){.threshold = 0.9, .minimum = 1, .most = -2}, "most: ", "-2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups_are_those_of_the_slow_way),
        cmocka_unit_test(test_a_chain_is_not_a_group),
        cmocka_unit_test(test_names_of_units_do_not_matter),
        cmocka_unit_test(test_all_alike),
        cmocka_unit_test(test_dead_units_are_alike_and_what_is_not_finite_stays_alone),
        cmocka_unit_test(test_options_out_of_their_limits_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
