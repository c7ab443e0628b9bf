/* SPDX-License-Identifier: BSD-3-Clause */
#include "beside.h"
#include "cmocka_headers.h"
#include "cnn/status.h"
#include <stdlib.h>

enum { MOST = 100, FIRST = 3 };

typedef struct record {
    int runs[MOST + FIRST];
} record;

static void count(void *context, int index, int thread)
{
    (void)thread;
    record *r = context;
    assert_in_range(index, 0, MOST + FIRST - 1);
    r->runs[index]++;
}

static void check_runs(const record *r, int from, int to)
{
    for (int i = 0; i < MOST + FIRST; i++)
        assert_int_equal(r->runs[i], i >= from && i < to);
}

/* With any numbers of tasks, each of both runs once. */
static void test_every_task_runs_once(void **state)
{
    (void)state;
    cnn_threads *threads;
    assert_int_equal(cnn_threads_create(3, &threads), CNN_OK);
    for (int tasks = 1; tasks <= 20; tasks++)
        for (int others = 0; others <= MOST; others += others < 25 ? 1 : 25) {
            record mine = {{0}}, theirs = {{0}};
            cnn_beside beside = {FIRST, FIRST + others, count, &theirs, 1e9};
            cnn_beside_run(threads, 1e9, tasks, count, &mine, &beside);
            check_runs(&mine, 0, tasks);
            check_runs(&theirs, FIRST, FIRST + others);
            assert_int_equal(beside.from, FIRST);
            assert_int_equal(beside.to, FIRST);
        }
    cnn_threads_free(threads);
}

/* A thread alone leaves the others, and there may be none. */
static void test_others_may_be_left(void **state)
{
    (void)state;
    record mine = {{0}}, theirs = {{0}};
    cnn_beside beside = {FIRST, FIRST + 9, count, &theirs, 1};
    cnn_beside_run(NULL, 1, 7, count, &mine, &beside);
    check_runs(&mine, 0, 7);
    check_runs(&theirs, 0, 0);
    assert_int_equal(beside.to, FIRST + 9);

    mine = (record){{0}};
    cnn_beside_run(NULL, 1, 7, count, &mine, NULL);
    check_runs(&mine, 0, 7);
}

/* The order in which one thread after the other takes tasks of both. */
typedef struct order {
    int taken, mine[MOST];
} order;

typedef struct side {
    order *order;
    int is_mine;
} side;

static void note(void *context, int index, int thread)
{
    (void)index;
    (void)thread;
    side *s = context;
    s->order->mine[s->order->taken++] = s->is_mine;
}

/* Of two threads one takes all, as the other has no time: what they are given is mixed evenly. */
static void test_they_are_mixed(void **state)
{
    (void)state;
    cnn_threads *threads;
    assert_int_equal(cnn_threads_create(2, &threads), CNN_OK);
    order taken = {0};
    side mine = {&taken, 1}, theirs = {&taken, 0};
    cnn_beside beside = {0, 12, note, &theirs, 0};
    /* So little work is not shared out. */
    cnn_beside_run(threads, 0, 4, note, &mine, &beside);
    assert_int_equal(taken.taken, 16);
    for (int i = 0; i < 16; i++)
        assert_int_equal(taken.mine[i], i % 4 == 0);
    cnn_threads_free(threads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_task_runs_once),
        cmocka_unit_test(test_others_may_be_left),
        cmocka_unit_test(test_they_are_mixed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
