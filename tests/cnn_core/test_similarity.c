/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmocka_headers.h"
#include "cnn/similarity.h"
#include "cnn/status.h"
#include "made_nets.h"
#include "moments.h"
#include "scratch.h"
#include "thread_ranks.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static cnn_similarity measured(cnn_net *net, int layer, const cnn_dataset *set, cnn_threads *threads)
{
    cnn_similarity similarity;
    if (cnn_similarity_measure(net, layer, set, threads, &similarity))
        fail_msg("%s", cnn_message());
    return similarity;
}

/* Pearson's correlation in two passes; value n of unit k is values[n / run * skip + k * run + n % run]. */
static double plain_pearson(const float *values, size_t count, size_t run, size_t skip, int i, int j)
{
    double mean[2] = {0}, sums[3] = {0};
    const int units[2] = {i, j};
    for (int u = 0; u < 2; u++)
        for (size_t n = 0; n < count; n++)
            mean[u] += (double)values[n / run * skip + (size_t)units[u] * run + n % run] / (double)count;
    for (size_t n = 0; n < count; n++) {
        const double x = (double)values[n / run * skip + (size_t)i * run + n % run] - mean[0];
        const double y = (double)values[n / run * skip + (size_t)j * run + n % run] - mean[1];
        sums[0] += x * x;
        sums[1] += y * y;
        sums[2] += x * y;
    }
    return sums[2] / sqrt(sums[0] * sums[1]);
}

static void assert_matrix(const double *matrix, const float *values, size_t count, size_t run, size_t skip,
                          int units)
{
    for (int i = 0; i < units; i++)
        for (int j = 0; j < units; j++) {
            const double expected = plain_pearson(values, count, run, skip, i, j),
                         got = matrix[i * units + j];
            if (!(fabs(got - expected) < 1e-9))
                fail_msg("units %d and %d: %.12f, plain loops say %.12f", i, j, got, expected);
        }
}

static void test_correlations_are_those_of_plain_loops(void **state)
{
    (void)state;
    static const struct {
        const char *spec;
        int layer, units;
    } cases[] = {
        {"conv 6 3x3, relu, maxpool 2, linear 4", 0, 6},
        {"conv 5 3x3, conv 19 3x3 stride 2, relu, linear 4", 1, 19},
        {"conv 5 4x2 valid, linear 4", 0, 5},
        {"linear 40, relu, linear 4", 0, 40},
        {"linear 40, relu, linear 4", 2, 4},
    };
    const cnn_dataset set = made_images(3, 37);
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        cnn_net *net = made_net(cases[c].spec, c + 1);
        const cnn_layer *layer = &net->layers[cases[c].layer];
        cnn_similarity similarity = measured(net, cases[c].layer, &set, NULL);
        assert_int_equal(similarity.count, cases[c].units);
        float *outputs = made_outputs(net, cases[c].layer, &set);
        const size_t positions = (size_t)layer->out.h * (size_t)layer->out.w;
        for (int k = 0; k < similarity.count; k++)
            assert_int_equal(similarity.state[k], CNN_UNIT_ALIVE);
        assert_matrix(similarity.pearson, outputs, set.count * positions, positions,
                      cnn_shape_count(layer->out), similarity.count);
        const size_t taps = layer->weight_count / layer->bias_count;
        assert_matrix(similarity.pearson_weights, layer->weight, taps, taps, 0, similarity.count);
        free(outputs);
        cnn_similarity_free(&similarity);
        cnn_net_free(net);
    }
}

static void test_far_from_zero_little_is_lost(void **state)
{
    (void)state;
    const cnn_dataset set = made_images(0, 20);
    cnn_net *net = made_net("conv 4 3x3 valid, linear 4", 3);
    for (int k = 0; k < 4; k++)
        net->layers[0].bias[k] = 3000;
    cnn_similarity similarity = measured(net, 0, &set, NULL);
    float *outputs = made_outputs(net, 0, &set);
    assert_matrix(similarity.pearson, outputs, 20 * 49, 49, 4 * 49, 4);
    free(outputs);
    cnn_similarity_free(&similarity);
    cnn_net_free(net);
}

static void test_units_without_variance_are_marked(void **state)
{
    (void)state;
    const cnn_dataset set = made_images(0, 20);
    cnn_net *net = made_net("conv 5 3x3, relu, linear 4", 3);
    cnn_layer *layer = &net->layers[0];
    layer->bias[1] = -1000;                                /* behind relu always 0 */
    memset(layer->weight + 3 * 18, 0, 18 * sizeof(float)); /* always its bias */
    layer->bias[3] = 0.1f;
    layer->weight[4 * 18 + 7] = NAN;
    cnn_similarity similarity = measured(net, 0, &set, NULL);
    assert_memory_equal(
        similarity.state,
        ((uint8_t[]){CNN_UNIT_ALIVE, CNN_UNIT_DEAD, CNN_UNIT_ALIVE, CNN_UNIT_DEAD, CNN_UNIT_NOT_FINITE}), 5);
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 5; j++) {
            const int alive = i % 2 == 0 && j % 2 == 0 && i < 4 && j < 4;
            const double r = similarity.pearson[i * 5 + j], w = similarity.pearson_weights[i * 5 + j];
            assert_true(alive ? r != 0 : r == 0);
            assert_true(i > 2 || j > 2 ? w == 0 : w != 0);
        }
    cnn_similarity_free(&similarity);
    cnn_net_free(net);
}

static void test_any_number_of_threads_gives_the_same_bits(void **state)
{
    (void)state;
    const cnn_dataset set = made_images(0, 50);
    cnn_net *net = made_net("conv 70 3x3, relu, linear 4", 3);
    cnn_similarity alone = measured(net, 0, &set, NULL);
    for (int count = 2; count < 4; count++) {
        cnn_threads *threads;
        assert_int_equal(cnn_threads_create(count, &threads), CNN_OK);
        cnn_similarity several = measured(net, 0, &set, threads);
        assert_memory_equal(several.pearson, alone.pearson, 70 * 70 * sizeof(double));
        assert_memory_equal(several.pearson_weights, alone.pearson_weights, 70 * 70 * sizeof(double));
        cnn_similarity_free(&several);
        cnn_threads_free(threads);
    }
    cnn_similarity_free(&alone);
    cnn_net_free(net);
}

enum { MOST_RANKS = 10 };

/* What ranks measure, each of its own copy of the network. */
typedef struct shared_measurement {
    cnn_net *nets[MOST_RANKS];
    int layer, odd_one; /* that has other images; -1: none has */
    cnn_dataset set;
    cnn_similarity result; /* rank 0's */
} shared_measurement;

static int measure_shared(void *context, const cnn_ranks *ranks)
{
    shared_measurement *m = context;
    cnn_dataset set = m->set;
    if (ranks->rank == m->odd_one)
        set.shape.h = 8;
    return cnn_similarity_measure_shared(ranks, m->nets[ranks->rank], m->layer, &set, NULL,
                                         ranks->rank ? NULL : &m->result);
}

static void make_nets(shared_measurement *m, const char *spec)
{
    for (int i = 0; i < MOST_RANKS; i++) {
        m->nets[i] = made_net(spec, 3);
        cnn_layer *layer = &m->nets[i]->layers[m->layer];
        layer->bias[1] = -1000; /* dead */
        layer->weight[4 * layer->weight_count / layer->bias_count] = NAN;
    }
}

static void free_nets(shared_measurement *m)
{
    for (int i = 0; i < MOST_RANKS; i++)
        cnn_net_free(m->nets[i]);
}

static void assert_same(const cnn_similarity *a, const cnn_similarity *b)
{
    const size_t count = (size_t)a->count;
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->state, b->state, count);
    assert_memory_equal(a->pearson, b->pearson, count * count * sizeof(double));
    assert_memory_equal(a->pearson_weights, b->pearson_weights, count * count * sizeof(double));
}

/* Also with fewer images than ranks, and with as many that they come in several batches. */
static void test_any_number_of_ranks_gives_the_same_bits(void **state)
{
    (void)state;
    static const struct {
        const char *spec;
        int layer;
    } cases[] = {
        {"conv 6 3x3, relu, maxpool 2, linear 4", 0},
        {"conv 6 3x3, relu, conv 19 3x3 stride 2, linear 4", 2},
        {"linear 9, relu, linear 4", 0},
    };
    static const uint32_t images[] = {1, 3, 8, 37, 96};
    static const int ranks[] = {1, 2, 3, 4, MOST_RANKS};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        shared_measurement m = {.layer = cases[c].layer, .odd_one = -1};
        make_nets(&m, cases[c].spec);
        for (size_t i = 0; i < sizeof images / sizeof *images; i++) {
            m.set = made_images(0, images[i]);
            cnn_similarity alone = measured(m.nets[0], m.layer, &m.set, NULL);
            for (size_t r = 0; r < sizeof ranks / sizeof *ranks; r++) {
                int statuses[MOST_RANKS];
                run_as_ranks(ranks[r], measure_shared, &m, statuses, NULL);
                for (int rank = 0; rank < ranks[r]; rank++)
                    assert_int_equal(statuses[rank], CNN_OK);
                assert_same(&m.result, &alone);
                cnn_similarity_free(&m.result);
            }
            cnn_similarity_free(&alone);
        }
        free_nets(&m);
    }
}

static void test_what_one_rank_cannot_measure_none_does(void **state)
{
    (void)state;
    shared_measurement m = {.odd_one = 2, .set = made_images(0, 37), .result = {.count = 77}};
    make_nets(&m, "conv 6 3x3, relu, maxpool 2, linear 4");
    int statuses[4];
    char messages[4][512];
    run_as_ranks(4, measure_shared, &m, statuses, messages);
    for (int rank = 0; rank < 4; rank++) {
        assert_int_equal(statuses[rank], CNN_BAD_ARGUMENT);
        assert_string_equal(messages[rank],
                            "rank 2 on HERE: probe: images of 2x8x9, the network takes 2x9x9");
    }
    assert_int_equal(m.result.count, 77);
    free_nets(&m);
}

static void test_permuted_units_give_a_permuted_matrix(void **state)
{
    (void)state;
    static const int order[] = {4, 2, 6, 0, 1, 5, 3};
    const cnn_dataset set = made_images(0, 30);
    cnn_net *net = made_net("conv 7 3x3, relu, linear 4", 3),
            *other = made_net("conv 7 3x3, relu, linear 4", 4);
    permute_units(net, 0, 2, order, other);
    cnn_similarity a = measured(net, 0, &set, NULL), b = measured(other, 0, &set, NULL);
    for (int i = 0; i < 7; i++)
        for (int j = 0; j < 7; j++)
            assert_true(b.pearson[i * 7 + j] == a.pearson[order[i] * 7 + order[j]]);
    cnn_similarity_free(&a);
    cnn_similarity_free(&b);
    cnn_net_free(net);
    cnn_net_free(other);
}

/* How the next layer sees a map: every tap at every position, the zeros around it too. */
static void plain_view(const cnn_layer *reader, const float *maps, size_t images, int unit, double *count,
                       double *sum, double *squares)
{
    const cnn_shape in = reader->in;
    *count = *sum = *squares = 0;
    for (size_t n = 0; n < images; n++)
        for (int p = 0; p < reader->out.h; p++)
            for (int q = 0; q < reader->out.w; q++)
                for (int r = 0; r < reader->kernel_h; r++)
                    for (int s = 0; s < reader->kernel_w; s++) {
                        const int y = p * reader->stride + r - reader->pad_top;
                        const int x = q * reader->stride + s - reader->pad_left;
                        const int inside = y >= 0 && y < in.h && x >= 0 && x < in.w;
                        const size_t at = (n * (size_t)in.c + (size_t)unit) * (size_t)(in.h * in.w);
                        const double value = inside ? (double)maps[at + (size_t)(y * in.w + x)] : 0;
                        *count += 1;
                        *sum += value;
                        *squares += value * value;
                    }
}

static void test_what_the_next_layer_sees_has_its_border(void **state)
{
    (void)state;
    static const char *const specs[] = {
        "conv 3 3x3, relu, conv 2 3x3, linear 4",
        "conv 3 3x3, relu, conv 2 5x4, linear 4",
        "conv 3 3x3, relu, conv 2 3x3 stride 2, linear 4",
        "conv 3 3x3, relu, conv 2 2x3 stride 3 valid, linear 4",
        "conv 3 3x3, relu, conv 2 3x3 valid, linear 4",
        "conv 3 3x3, relu, conv 2 1x1 stride 4, linear 4",
    };
    const cnn_dataset set = made_images(0, 20);
    for (size_t c = 0; c < sizeof specs / sizeof specs[0]; c++) {
        cnn_net *net = made_net(specs[c], c + 1);
        float *maps = made_outputs(net, 1, &set);
        cnn_visits visits;
        cnn_moments moments;
        assert_int_equal(cnn_visits_of(&net->layers[2], &visits), CNN_OK);
        assert_int_equal(cnn_moments_measure(NULL, net, 1, &visits, &set, NULL, &moments), CNN_OK);
        for (int unit = 0; unit < 3; unit++) {
            double count, sum, squares;
            plain_view(&net->layers[2], maps, set.count, unit, &count, &sum, &squares);
            assert_true(moments.weight == count);
            assert_true(fabs(moments.mean[unit] - sum / count) < 1e-9);
            assert_true(fabs(moments.product[unit * 4] / count - (squares / count - pow(sum / count, 2))) <
                        1e-9);
        }
        cnn_moments_free(&moments);
        cnn_visits_free(&visits);
        free(maps);
        cnn_net_free(net);
    }
}

static void test_what_cannot_be_measured_is_refused(void **state)
{
    (void)state;
    cnn_dataset set = made_images(0, 5);
    cnn_net *net = made_net("conv 3 3x3, relu, linear 4", 1);
    cnn_similarity similarity = {.count = 77};
    assert_failed(cnn_similarity_measure(net, 1, &set, NULL, &similarity), CNN_BAD_ARGUMENT,
                  "layer \"relu1\"", "no units");
    assert_failed(cnn_similarity_measure(net, 3, &set, NULL, &similarity), CNN_BAD_ARGUMENT,
                  "similarity: ", "layer 3 is not in 0..2");
    set.shape.h = 8;
    assert_failed(cnn_similarity_measure(net, 0, &set, NULL, &similarity), CNN_BAD_ARGUMENT,
                  "probe: ", "images of 2x8x9, the network takes 2x9x9");
    set = made_images(0, 0);
    assert_failed(cnn_similarity_measure(net, 0, &set, NULL, &similarity), CNN_BAD_ARGUMENT,
                  "probe: ", "no images");
    assert_int_equal(similarity.count, 77);
    cnn_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_correlations_are_those_of_plain_loops),
        cmocka_unit_test(test_far_from_zero_little_is_lost),
        cmocka_unit_test(test_units_without_variance_are_marked),
        cmocka_unit_test(test_any_number_of_threads_gives_the_same_bits),
        cmocka_unit_test(test_any_number_of_ranks_gives_the_same_bits),
        cmocka_unit_test(test_what_one_rank_cannot_measure_none_does),
        cmocka_unit_test(test_permuted_units_give_a_permuted_matrix),
        cmocka_unit_test(test_what_the_next_layer_sees_has_its_border),
        cmocka_unit_test(test_what_cannot_be_measured_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
