/* SPDX-License-Identifier: BSD-3-Clause */
/* How a process rests beside a training, against what its rule says, with times that are given. */
#include "cmocka_headers.h"
#include "pace.h"
#include <sys/wait.h>
#include <unistd.h>

#define STEP  0.25 /* seconds between looks; exact in binary, as all times here */
#define SHARE 0.0625

typedef struct world {
    ws_pace pace;
    double now, host, own;
} world;

static world begin(int processors)
{
    return (world){.pace = {.share = SHARE, .processors = processors, .knows_host = 1}};
}

/* Time passes while the training uses `busy` processors and this process works for `worked` seconds. */
static int look(world *at, double busy, double worked)
{
    at->now += STEP;
    at->host += busy * STEP;
    at->own += worked;
    return ws_pace_look(&at->pace, at->now, at->host, at->own);
}

/* Looks until it may work again. */
static int looks_of_rest(world *at, double busy)
{
    int looks = 0;
    while (look(at, busy, 0))
        looks++;
    return looks;
}

static void test_nobody_rests_where_a_processor_is_free(void **state)
{
    (void)state;
    world at = begin(2);
    for (int i = 0; i < 100; i++)
        assert_false(look(&at, 1, STEP));
    at = begin(1);
    for (int i = 0; i < 100; i++)
        assert_false(look(&at, 0.125, STEP));
}

static void test_work_is_paid_for_by_rest(void **state)
{
    (void)state;
    world at = begin(2);
    /* 0.25 s of work in 0.25 s leave 0.25 - 0.0625 * 0.25 s of debt; each look pays 0.0625 * 0.25 s. */
    assert_true(look(&at, 1.75, STEP));
    assert_true(ws_pace_rest(&at.pace) == (STEP - SHARE * STEP) / SHARE);
    const int paid_in = (int)((STEP - SHARE * STEP) / (SHARE * STEP));
    assert_int_equal(looks_of_rest(&at, 1.75), paid_in - 1);
}

static void test_the_share_is_kept_however_long_a_piece_of_work_is(void **state)
{
    (void)state;
    for (double piece = 0.125; piece <= 2; piece *= 2) {
        world at = begin(4);
        for (int rounds = 0; rounds < 50; rounds++) {
            at.now += piece;
            at.host += 4 * piece;
            at.own += piece;
            ws_pace_look(&at.pace, at.now, at.host, at.own);
            looks_of_rest(&at, 4);
        }
        assert_true(at.own / at.now <= SHARE);
        assert_true(at.own / at.now > 0.8 * SHARE || piece < 0.5); /* and what is allowed is used */
    }
}

static void test_a_processor_that_becomes_free_ends_the_rest(void **state)
{
    (void)state;
    world at = begin(2);
    assert_true(look(&at, 2, 4));
    assert_true(look(&at, 2, 0));
    assert_false(look(&at, 1, 0)); /* the training rests, or has ended */
    assert_false(look(&at, 2, 0)); /* and nothing is left of the debt */
}

static void test_idle_time_is_no_credit(void **state)
{
    (void)state;
    world at = begin(2);
    for (int i = 0; i < 1000; i++)
        assert_false(look(&at, 2, 0));
    assert_true(look(&at, 2, STEP));
}

static void test_the_whole_time_is_no_limit(void **state)
{
    (void)state;
    world at = begin(2);
    assert_true(look(&at, 2, 4));
    at.pace.share = 1; /* somebody has turned the knob */
    assert_false(look(&at, 2, STEP));
    assert_false(look(&at, 2, 4 * STEP));
}

static void test_two_looks_at_once_are_one(void **state)
{
    (void)state;
    world at = begin(2);
    assert_true(look(&at, 2, STEP));
    const double debt = at.pace.debt;
    assert_true(ws_pace_look(&at.pace, at.now + 0.01, at.host, at.own + 0.01));
    assert_true(at.pace.debt == debt);
}

static void test_a_host_that_has_gone_holds_up_nobody(void **state)
{
    (void)state;
    const pid_t child = fork();
    if (child == 0)
        _exit(0);
    assert_true(child > 0);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED), 0);
    ws_pace pace;
    ws_pace_begin(&pace, child);
    assert_false(ws_pace_is_to_rest(&pace, pace.looked_at + 1e6));
}

static void test_this_process_is_seen(void **state)
{
    (void)state;
    ws_pace pace;
    ws_pace_begin(&pace, getpid());
    assert_true(pace.knows_host);
    assert_true(pace.processors >= 1);
    assert_true(pace.host_time > 0 && pace.own_time > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_rests_where_a_processor_is_free),
        cmocka_unit_test(test_work_is_paid_for_by_rest),
        cmocka_unit_test(test_the_share_is_kept_however_long_a_piece_of_work_is),
        cmocka_unit_test(test_a_processor_that_becomes_free_ends_the_rest),
        cmocka_unit_test(test_idle_time_is_no_credit),
        cmocka_unit_test(test_the_whole_time_is_no_limit),
        cmocka_unit_test(test_two_looks_at_once_are_one),
        cmocka_unit_test(test_a_host_that_has_gone_holds_up_nobody),
        cmocka_unit_test(test_this_process_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
