/* SPDX-License-Identifier: BSD-3-Clause */
/* A training that is shared by several ranks against the same one in one piece. */
#include "cmocka_headers.h"
#include "cnn/follower.h"
#include "cnn/random.h"
#include "cnn/status.h"
#include "thread_ranks.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_IMAGES = 10, SIDE = 6, PIXELS = SIDE * SIDE, CLASSES = 3, MOST_STEPS = 32, MOST_RANKS = 4 };

static const char *const spec = "conv 3 3x3, relu, maxpool 2, dropout 0.4, linear 5, relu, linear 3",
                         *const narrow = "conv 2 3x3, relu, maxpool 2, dropout 0.4, linear 5, relu, linear 3";

/* One training, and what came of it. */
typedef struct play {
    /* What is played. */
    uint32_t images, batch;
    uint64_t steps;
    cnn_optimizer_kind kind;
    const char *net; /* NULL: `spec` */
    /* Between two steps, at rank 0; NULL: nothing happens. */
    int (*between)(struct play *play, cnn_trainer *trainer);
    int (*follower_between)(struct play *play, cnn_follower *follower);
    uint32_t missing; /* images that the last rank has fewer */
    /* What came of it, at rank 0. */
    uint64_t done;
    double loss[MOST_STEPS], accuracy[MOST_STEPS], gradient[MOST_STEPS];
    cnn_evaluation evaluation;
    size_t parameter_count;
    float *parameters;
    uint32_t images_of_ranks;
    cnn_net *other; /* that took the place of the first one */
    /* And at the others: the last one's. */
    float *followed[MOST_RANKS];
} play;

static uint8_t pixels[MOST_IMAGES * PIXELS], labels[MOST_IMAGES];

/* Before there are ranks, whose threads read them. */
static int make_images(void **state)
{
    (void)state;
    for (int i = 0; i < MOST_IMAGES; i++) {
        labels[i] = (uint8_t)(i % CLASSES);
        for (int p = 0; p < PIXELS; p++)
            pixels[i * PIXELS + p] = (uint8_t)cnn_random_word(3, CNN_STREAM_PROBE, (uint64_t)i, (uint64_t)p);
    }
    return 0;
}

static cnn_dataset images(uint32_t count)
{
    return (cnn_dataset){
        .count = count, .shape = {1, SIDE, SIDE}, .classes = CLASSES, .pixels = pixels, .labels = labels};
}

static float *copy_of(const cnn_net *net)
{
    float *copy = malloc(net->parameter_count * sizeof *copy);
    memcpy(copy, net->parameters, net->parameter_count * sizeof *copy);
    return copy;
}

/* ---- rank 0 ---- */

static int take_steps(play *p, cnn_trainer *trainer, const cnn_ranks *ranks)
{
    int status = CNN_OK;
    while (p->done < p->steps && !status) {
        cnn_step step;
        if (p->between)
            status = p->between(p, trainer);
        if (!status)
            status = cnn_trainer_step(trainer, NULL, &step);
        if (status)
            break;
        p->loss[p->done] = step.loss;
        p->accuracy[p->done] = step.accuracy;
        p->gradient[p->done++] = step.norms[0].gradient;
        p->images_of_ranks += ranks ? 0 : step.batch;
        for (int i = 0; ranks && i < ranks->count; i++)
            p->images_of_ranks += step.ranks[i].images;
    }
    return status;
}

static int lead(play *p, const cnn_ranks *ranks)
{
    const cnn_trainer_options options = {.optimizer = cnn_optimizer_defaults(p->kind),
                                         .schedule = {.kind = CNN_CONSTANT},
                                         .learning_rate = p->kind == CNN_ADAM ? 0.01 : 0.1,
                                         .total_steps = p->steps,
                                         .batch = p->batch,
                                         .ranks = ranks};
    const cnn_dataset set = images(p->images);
    cnn_net *net;
    cnn_trainer *trainer;
    int status = cnn_net_create(p->net ? p->net : spec, set.shape, CLASSES, 4, &net);
    if (status)
        return status;
    status = cnn_trainer_create(&options, net, &set, NULL, &trainer);
    if (!status) {
        status = take_steps(p, trainer, ranks);
        if (!status)
            status = cnn_trainer_check(trainer);
        if (!status)
            status = cnn_trainer_evaluate(trainer, &set, 3, &p->evaluation);
        p->parameter_count = trainer->net->parameter_count;
        p->parameters = copy_of(trainer->net);
        cnn_trainer_free(trainer);
    }
    cnn_net_free(net);
    cnn_net_free(p->other);
    return status;
}

/* ---- the others ---- */

static int follow(play *p, const cnn_ranks *ranks)
{
    const int is_last = ranks->rank == ranks->count - 1;
    const cnn_dataset set = images(p->images - (is_last ? p->missing : 0));
    cnn_follower follower = {.ranks = ranks, .train = &set, .validation = &set};
    int status = CNN_OK;
    cnn_order order = {0};
    while (!status) {
        if (p->follower_between && follower.trainer)
            p->follower_between(p, &follower);
        status = cnn_order_take(ranks, &order);
        if (!status && order.kind == CNN_ORDER_OWN)
            break;
        if (!status)
            status = cnn_follower_obey(&follower, &order);
    }
    if (follower.net)
        p->followed[ranks->rank] = copy_of(follower.net);
    cnn_follower_close(&follower);
    return status;
}

static int take_part(void *context, const cnn_ranks *ranks)
{
    play *p = context;
    if (ranks->rank)
        return follow(p, ranks);
    const int status = lead(p, ranks);
    if (!status || status == CNN_NOT_FINITE)
        cnn_order_give(ranks, CNN_ORDER_OWN, 0, 0);
    return status;
}

static void share(play *p, int ranks)
{
    int statuses[MOST_RANKS];
    char messages[MOST_RANKS][512];
    run_as_ranks(ranks, take_part, p, statuses, messages);
    for (int i = 0; i < ranks; i++)
        if (statuses[i])
            fail_msg("rank %d of %d: %s", i, ranks, messages[i]);
}

static void end(play *p)
{
    free(p->parameters);
    for (int i = 0; i < MOST_RANKS; i++)
        free(p->followed[i]);
}

static void play_alone(play *p)
{
    if (lead(p, NULL))
        fail_msg("%s", cnn_message());
}

/* ---- comparisons ---- */

/* Only the order of sums differs: of at most 10 images a gradient, and of 4 ranks. Each addition rounds by u
 * = 2^-24 of what was added so far, here at most about 1, so that a gradient is off by some 14 u, and
 * parameters by 1.4 u after a step of rate 0.1, which the following steps, at most 20, make larger by what
 * they amplify: no more than tenfold for these networks. 20 * 1.4 u * 10 is 1.7e-5 in the worst case, in
 * which all roundings agree; they do not, and a tenth of the bound is seen. */
#define BOUND 1e-5

static void assert_alike(const play *alone, const play *shared, int ranks)
{
    for (uint64_t i = 0; i < alone->steps; i++)
        if (!(fabs(alone->loss[i] - shared->loss[i]) <= BOUND) ||
            !(fabs(alone->gradient[i] - shared->gradient[i]) <= BOUND) ||
            alone->accuracy[i] != shared->accuracy[i])
            fail_msg("%u images, batch %u, %d ranks, step %d: loss %.9g, alone %.9g", alone->images,
                     alone->batch, ranks, (int)i + 1, shared->loss[i], alone->loss[i]);
    for (size_t i = 0; i < alone->parameter_count; i++)
        if (!(fabsf(alone->parameters[i] - shared->parameters[i]) <= (float)BOUND))
            fail_msg("%d ranks: parameter %zu is %.9g, alone %.9g", ranks, i, (double)shared->parameters[i],
                     (double)alone->parameters[i]);
    assert_int_equal(alone->images_of_ranks, shared->images_of_ranks);
    assert_int_equal(alone->evaluation.count, shared->evaluation.count);
    assert_int_equal(alone->evaluation.correct, shared->evaluation.correct);
    assert_true(fabs(alone->evaluation.loss - shared->evaluation.loss) <= BOUND);
}

static void assert_same_everywhere(const play *p, int ranks)
{
    for (int i = 1; i < ranks; i++)
        assert_memory_equal(p->followed[i], p->parameters, p->parameter_count * sizeof(float));
}

/* Each number of ranks from `fewest` to `most`, as one process does. */
static void assert_all_train_alike(const play *asked, int fewest, int most)
{
    play alone = *asked;
    play_alone(&alone);
    for (int ranks = fewest; ranks <= most; ranks++) {
        play shared = *asked;
        share(&shared, ranks);
        assert_alike(&alone, &shared, ranks);
        assert_same_everywhere(&shared, ranks);
        end(&shared);
    }
    end(&alone);
}

/* ---- tests ---- */

static void test_shares(void **state)
{
    (void)state;
    const uint32_t wholes[] = {0, 1, 2, 3, 7, 100, 4294967295u};
    for (size_t w = 0; w < sizeof wholes / sizeof *wholes; w++)
        for (int count = 1; count <= 9; count++) {
            uint64_t end_of_last = 0;
            for (int rank = 0; rank < count; rank++) {
                const cnn_share part = cnn_share_of(wholes[w], rank, count);
                assert_int_equal(part.first, end_of_last);
                assert_true(part.n <= cnn_share_most(wholes[w], count));
                end_of_last += part.n;
            }
            assert_int_equal(end_of_last, wholes[w]);
        }
}

/* Also with fewer images than ranks. */
static void test_any_number_of_ranks_trains_alike(void **state)
{
    (void)state;
    const uint32_t counts[] = {1, 2, 5, 10}, batches[] = {1, 3, 8};
    for (size_t c = 0; c < 4; c++)
        for (size_t b = 0; b < 3; b++) {
            const uint32_t batch = batches[b] < counts[c] ? batches[b] : counts[c];
            const play asked = {
                .images = counts[c], .batch = batches[b], .steps = 2 * ((counts[c] + batch - 1) / batch)};
            assert_all_train_alike(&asked, 1, MOST_RANKS);
        }
}

static void test_one_rank_has_the_bits_of_none(void **state)
{
    (void)state;
    for (cnn_optimizer_kind kind = CNN_SGD; kind <= CNN_ADAM; kind++) {
        const play asked = {.images = 10, .batch = 4, .steps = 9, .kind = kind};
        play alone = asked, shared = asked;
        play_alone(&alone);
        share(&shared, 1);
        assert_memory_equal(alone.loss, shared.loss, sizeof alone.loss);
        assert_memory_equal(alone.parameters, shared.parameters, alone.parameter_count * sizeof(float));
        end(&alone);
        end(&shared);
    }
}

static void test_the_same_ranks_give_the_same_bits(void **state)
{
    (void)state;
    const play asked = {.images = 10, .batch = 7, .steps = 8, .kind = CNN_ADAM};
    for (int ranks = 2; ranks <= MOST_RANKS; ranks++) {
        play first = asked, again = asked;
        share(&first, ranks);
        share(&again, ranks);
        assert_memory_equal(first.loss, again.loss, sizeof first.loss);
        assert_memory_equal(first.parameters, again.parameters, first.parameter_count * sizeof(float));
        end(&first);
        end(&again);
    }
}

/* Whatever may be turned between two steps. */
static int turn(play *p, cnn_trainer *trainer)
{
    const cnn_schedule schedule = {.kind = CNN_STEPWISE, .every = 2, .factor = 0.5};
    switch (p->done) {
    case 1:
        return cnn_trainer_set_learning_rate(trainer, 0.05);
    case 2:
        return cnn_trainer_set_batch(trainer, 7);
    case 3:
        return cnn_trainer_set_dropout(trainer, 0.1);
    case 4:
        return cnn_trainer_set_momentum(trainer, 0.5);
    case 5:
        return cnn_trainer_set_schedule(trainer, &schedule);
    case 6:
        return cnn_trainer_set_batch(trainer, 2);
    case 7:
        return cnn_trainer_set_weight_decay(trainer, 0.01);
    default:
        return CNN_OK;
    }
}

/* As a merge does; with moments that are not zero. */
static int replace(play *p, cnn_trainer *trainer)
{
    if (p->done != 4)
        return turn(p, trainer);
    cnn_optimizer *optimizer = NULL;
    int status = cnn_net_create(narrow, trainer->net->input, CLASSES, 4, &p->other);
    if (!status)
        status = cnn_optimizer_create(&trainer->optimizer->options, p->other, &optimizer);
    if (status)
        return status;
    for (size_t i = 0; i < optimizer->count; i++)
        optimizer->moments[0][i] = 0.001f * (float)(i % 7);
    return cnn_trainer_replace(trainer, p->other, optimizer);
}

static void test_what_rank_0_turns_is_turned_everywhere(void **state)
{
    (void)state;
    int (*const between[])(play *, cnn_trainer *) = {turn, replace};
    for (size_t i = 0; i < 2; i++) {
        const play asked = {
            .images = 10, .batch = 3, .steps = 12, .kind = CNN_MOMENTUM, .between = between[i]};
        assert_all_train_alike(&asked, 2, 3);
    }
}

/* A value that is not finite is no reason to part. */
static int blow_up(play *p, cnn_trainer *trainer)
{
    return p->done == 1 ? cnn_trainer_set_learning_rate(trainer, 1e38) : CNN_OK;
}

static void test_what_is_not_finite_is_so_on_all(void **state)
{
    (void)state;
    play p = {.images = 6, .batch = 3, .steps = 6, .between = blow_up};
    int statuses[2];
    char messages[2][512];
    run_as_ranks(2, take_part, &p, statuses, messages);
    assert_int_equal(statuses[0], CNN_NOT_FINITE);
    assert_int_equal(statuses[1], CNN_OK);
    assert_non_null(strstr(messages[0], "step "));
    end(&p);
}

static int tamper(play *p, cnn_follower *follower)
{
    (void)p;
    if (follower->ranks->rank == 2 && follower->trainer->step == 5)
        follower->net->parameters[3] = nextafterf(follower->net->parameters[3], 9);
    return CNN_OK;
}

static void test_a_rank_that_differs_is_named(void **state)
{
    (void)state;
    play p = {.images = 10, .batch = 5, .steps = 5, .follower_between = tamper};
    int statuses[4];
    char messages[4][512];
    run_as_ranks(4, take_part, &p, statuses, messages);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(statuses[i], CNN_RANKS_FAILED);
        assert_string_equal(messages[i], "step 5: the parameters of rank 2 on HERE are not those of rank 0");
    }
    end(&p);
}

static void test_a_rank_that_cannot_follow_ends_all(void **state)
{
    (void)state;
    play p = {.images = 10, .batch = 5, .steps = 5, .missing = 1};
    int statuses[3];
    char messages[3][512];
    run_as_ranks(3, take_part, &p, statuses, messages);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(statuses[i], CNN_BAD_ARGUMENT);
        assert_string_equal(messages[i], "rank 2 on HERE: training set: has 9 images here, and 10 at rank 0");
    }
    assert_int_equal(p.done, 0);
    end(&p);
}

static int evaluate(void *context, const cnn_ranks *ranks)
{
    const cnn_dataset set = images(10);
    cnn_evaluation *results = context;
    cnn_net *net;
    int status = cnn_net_create(spec, set.shape, CLASSES, 4, &net);
    for (uint32_t batch = 1; batch <= 10 && !status; batch++)
        status =
            cnn_evaluate_shared(ranks, net, &set, batch, NULL, &results[(uint32_t)ranks->rank * 11 + batch]);
    if (!status)
        cnn_net_free(net);
    return status;
}

static void test_an_evaluation_has_the_same_bits_for_any_ranks(void **state)
{
    (void)state;
    const cnn_dataset set = images(10);
    cnn_net *net;
    assert_int_equal(cnn_net_create(spec, set.shape, CLASSES, 4, &net), CNN_OK);
    for (int ranks = 1; ranks <= MOST_RANKS; ranks++) {
        cnn_evaluation results[MOST_RANKS * 11];
        int statuses[MOST_RANKS];
        run_as_ranks(ranks, evaluate, results, statuses, NULL);
        for (int rank = 0; rank < ranks; rank++) {
            assert_int_equal(statuses[rank], CNN_OK);
            for (uint32_t batch = 1; batch <= 10; batch++) {
                cnn_evaluation whole;
                assert_int_equal(cnn_evaluate(net, &set, batch, NULL, &whole), CNN_OK);
                const cnn_evaluation *part = &results[rank * 11 + (int)batch];
                assert_int_equal(part->count, whole.count);
                assert_int_equal(part->correct, whole.correct);
                assert_true(part->loss == whole.loss);
            }
        }
    }
    cnn_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_any_number_of_ranks_trains_alike),
        cmocka_unit_test(test_one_rank_has_the_bits_of_none),
        cmocka_unit_test(test_the_same_ranks_give_the_same_bits),
        cmocka_unit_test(test_what_rank_0_turns_is_turned_everywhere),
        cmocka_unit_test(test_what_is_not_finite_is_so_on_all),
        cmocka_unit_test(test_a_rank_that_differs_is_named),
        cmocka_unit_test(test_a_rank_that_cannot_follow_ends_all),
        cmocka_unit_test(test_an_evaluation_has_the_same_bits_for_any_ranks),
    };
    return cmocka_run_group_tests(tests, make_images, NULL);
}
