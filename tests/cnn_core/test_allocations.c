/* SPDX-License-Identifier: BSD-3-Clause */
/* No memory is asked for after the first step. */
#include "cmocka_headers.h"
#include "cnn/status.h"
#include "cnn/trainer.h"
#include "counts_allocations.h"
#include "made_nets.h"
#include <stdlib.h>

enum { FIRST = 1, LAST = 40, BATCH = 10 };

static const char *const spec =
    "conv 9 3x3, relu, maxpool 2, dropout 0.3, conv 20 3x3, relu, maxpool 2, linear 30, relu, "
    "dropout 0.5, linear 4";

static void test_calls_are_counted(void **state)
{
    (void)state;
    const long before = counted_allocations();
    void *volatile block = malloc(10), *volatile zeros = calloc(3, 4), *lines = NULL;
    block = realloc(block, 1000);
    void *volatile line = aligned_alloc(64, 64);
    assert_int_equal(posix_memalign(&lines, 64, 64), 0);
    assert_int_equal(counted_allocations() - before, 5);
    free(block);
    free(zeros);
    free(line);
    free(lines);
}

/* Over several epochs, whose last batches are smaller. */
static void check(cnn_optimizer_kind kind, int thread_count)
{
    const cnn_dataset set = made_images(0, MADE_IMAGES - 1);
    const cnn_trainer_options options = {.optimizer = cnn_optimizer_defaults(kind),
                                         .schedule = {.kind = CNN_CONSTANT},
                                         .learning_rate = 1e-3,
                                         .total_steps = LAST,
                                         .batch = BATCH};
    cnn_net *net = made_net(spec, 3);
    cnn_threads *threads;
    cnn_trainer *trainer;
    assert_int_equal(cnn_threads_create(thread_count, &threads), CNN_OK);
    assert_int_equal(cnn_trainer_create(&options, net, &set, threads, &trainer), CNN_OK);
    long after_first = 0;
    for (int step = 1; step <= LAST; step++) {
        assert_int_equal(cnn_trainer_step(trainer, NULL, NULL), CNN_OK);
        if (step == FIRST)
            after_first = counted_allocations();
    }
    assert_int_equal(counted_allocations() - after_first, 0);
    cnn_trainer_free(trainer);
    cnn_threads_free(threads);
    cnn_net_free(net);
}

static void test_no_step_allocates(void **state)
{
    (void)state;
    const cnn_optimizer_kind kinds[] = {CNN_SGD, CNN_MOMENTUM, CNN_ADAM};
    for (int i = 0; i < 3; i++)
        for (int threads = 1; threads <= 3; threads++)
            check(kinds[i], threads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_calls_are_counted),
                                       cmocka_unit_test(test_no_step_allocates)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
