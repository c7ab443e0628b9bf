/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmocka_headers.h"
#include "cnn/status.h"
#include "cnn/threads.h"
#include <stdlib.h>
#include <string.h>

enum { TASKS = 1000 };

typedef struct record {
    int runs[TASKS];
    int threads;
    int bad_thread;
} record;

static void count(void *context, int index, int thread)
{
    record *r = context;
    r->runs[index]++;
    if (thread < 0 || thread >= r->threads)
        r->bad_thread = 1;
}

static void run_and_check(cnn_threads *threads, int tasks)
{
    record r = {.threads = cnn_threads_count(threads)};
    cnn_threads_run(threads, tasks, count, &r);
    for (int i = 0; i < TASKS; i++)
        assert_int_equal(r.runs[i], i < tasks);
    assert_false(r.bad_thread);
}

static void test_every_task_runs_once(void **state)
{
    (void)state;
    for (int n = 1; n <= 5; n++) {
        cnn_threads *threads;
        assert_int_equal(cnn_threads_create(n, &threads), CNN_OK);
        assert_int_equal(cnn_threads_count(threads), n);
        for (int repeat = 0; repeat < 200; repeat++)
            run_and_check(threads, repeat * 5);
        cnn_threads_free(threads);
    }
}

static void test_no_pool_runs_in_the_caller(void **state)
{
    (void)state;
    assert_int_equal(cnn_threads_count(NULL), 1);
    run_and_check(NULL, TASKS);
}

static void test_zero_means_the_processors(void **state)
{
    (void)state;
    cnn_threads *threads;
    assert_int_equal(cnn_threads_create(0, &threads), CNN_OK);
    assert_true(cnn_threads_count(threads) >= 1);
    cnn_threads_free(threads);
}

/* A microsecond's work is the caller's, a second's is for all; the environment gives all of it to all. */
static void test_little_work_is_not_shared(void **state)
{
    (void)state;
    cnn_threads *threads, *all;
    unsetenv("CNN_SHARE");
    assert_int_equal(cnn_threads_create(2, &threads), CNN_OK);
    setenv("CNN_SHARE", "all", 1);
    assert_int_equal(cnn_threads_create(2, &all), CNN_OK);
    assert_null(cnn_threads_for(threads, 5e4));
    assert_ptr_equal(cnn_threads_for(threads, 5e10), threads);
    assert_ptr_equal(cnn_threads_for(all, 0), all);
    assert_null(cnn_threads_for(NULL, 5e10));
    cnn_threads_free(threads);
    cnn_threads_free(all);
}

static void test_limits(void **state)
{
    (void)state;
    cnn_threads *untouched = (cnn_threads *)&state;
    assert_int_equal(cnn_threads_create(-1, &untouched), CNN_BAD_ARGUMENT);
    assert_int_equal(cnn_threads_create(257, &untouched), CNN_BAD_ARGUMENT);
    assert_non_null(strstr(cnn_message(), "257"));
    assert_ptr_equal(untouched, &state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_task_runs_once),
        cmocka_unit_test(test_no_pool_runs_in_the_caller),
        cmocka_unit_test(test_zero_means_the_processors),
        cmocka_unit_test(test_little_work_is_not_shared),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
