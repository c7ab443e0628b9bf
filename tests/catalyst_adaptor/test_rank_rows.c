/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmocka_headers.h"
#include "frame.h"
#include <math.h>
#include <string.h>

enum { RANKS = 3, STEPS = 2 * WS_RANK_STEPS + 7 };

static double step_seconds(int step, int rank)
{
    return 0.25 * (step % 17) + rank;
}

static double wait_seconds(int step, int rank)
{
    return 0.125 * (step % 5) + 0.5 * rank;
}

static void fill(ws_rank rows[RANKS], int step)
{
    for (int i = 0; i < RANKS; i++)
        rows[i] = (ws_rank){.size = sizeof rows[i],
                            .rank = (uint32_t)(2 * i),
                            .images = (uint64_t)(10 * step + i),
                            .loss = 1.0 / (step + i + 1),
                            .gradient_norm = step - i,
                            .step_seconds = step_seconds(step, i),
                            .wait_seconds = wait_seconds(step, i)};
}

static void tell(ws_rank_rows *ranks, int step)
{
    ws_rank rows[RANKS];
    fill(rows, step);
    assert_int_equal(ws_rank_rows_take(ranks, rows, RANKS), WS_OK);
}

static void assert_row(const ws_rank_rows *ranks, int rank, int from, int to)
{
    const double *row = ranks->rows + rank * WS_RANK_COLUMNS;
    double step = 0, wait = 0;
    for (int i = from; i <= to; i++) {
        step += step_seconds(i, rank);
        wait += wait_seconds(i, rank);
    }
    const int count = to - from + 1;
    const double wanted[WS_RANK_COLUMNS] = {2 * rank,     10 * to + rank,         1.0 / (to + rank + 1),
                                            to - rank,    step_seconds(to, rank), wait_seconds(to, rank),
                                            step / count, wait / count,           count};
    for (int i = 0; i < WS_RANK_COLUMNS; i++)
        assert_true(fabs(row[i] - wanted[i]) <= 1e-12 * (1 + fabs(wanted[i])));
}

static void test_means_are_over_the_last_steps_told(void **state)
{
    (void)state;
    ws_rank_rows ranks = {0};
    for (int step = 1; step <= STEPS; step++) {
        tell(&ranks, step);
        ws_rank_rows_average(&ranks);
        const int from = step > WS_RANK_STEPS ? step - WS_RANK_STEPS + 1 : 1;
        for (int i = 0; i < RANKS; i++)
            assert_row(&ranks, i, from, step);
    }
    ws_rank_rows_free(&ranks);
}

static void test_what_is_not_known_counts_for_no_mean(void **state)
{
    (void)state;
    ws_rank_rows ranks = {0};
    ws_rank rows[RANKS];
    fill(rows, 1);
    rows[1].step_seconds = NAN;
    assert_int_equal(ws_rank_rows_take(&ranks, rows, RANKS), WS_OK);
    ws_rank_rows_average(&ranks);
    const double *unknown = ranks.rows + WS_RANK_COLUMNS;
    assert_true(isnan(unknown[WS_RANK_mean_step_seconds]) && isnan(unknown[WS_RANK_mean_wait_seconds]));
    assert_true(unknown[WS_RANK_mean_of] == 0);
    tell(&ranks, 4);
    ws_rank_rows_average(&ranks);
    assert_true(unknown[WS_RANK_mean_step_seconds] == step_seconds(4, 1));
    assert_true(unknown[WS_RANK_mean_of] == 1 && ranks.rows[WS_RANK_mean_of] == 2);
    ws_rank_rows_free(&ranks);
}

static void test_what_cannot_be_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    ws_rank_rows ranks = {0};
    ws_rank rows[RANKS];
    fill(rows, 1);
    assert_int_equal(ws_rank_rows_take(&ranks, rows, 0), WS_BAD_ARGUMENT);
    rows[2].rank = rows[1].rank;
    assert_int_equal(ws_rank_rows_take(&ranks, rows, RANKS), WS_BAD_ARGUMENT);
    assert_non_null(strstr(ws_message(), "rank 2 follows rank 2"));
    fill(rows, 1);
    rows[1].size = 8;
    assert_int_equal(ws_rank_rows_take(&ranks, rows, RANKS), WS_BAD_ARGUMENT);
    assert_int_equal(ranks.count, 0);
    tell(&ranks, 1);
    fill(rows, 2);
    assert_int_equal(ws_rank_rows_take(&ranks, rows, RANKS - 1), WS_BAD_ARGUMENT);
    assert_non_null(strstr(ws_message(), "2 ranks, must be 3"));
    assert_true(ranks.told == 1 && ranks.rows[WS_RANK_images] == 10);
    ws_rank_rows_free(&ranks);
}

static void test_a_frame_carries_them(void **state)
{
    (void)state;
    ws_rank_rows ranks = {0};
    const ws_layers layers = {0};
    const ws_scalars scalars = {0};
    ws_frame frame = {0};
    ws_frame_plan plan = {.layers = &layers, .scalars = &scalars, .ranks = &ranks};
    assert_int_equal(ws_frame_fill(&frame, &plan), WS_OK);
    assert_null(ws_frame_find(frame.memory, "ranks"));
    tell(&ranks, 5);
    ws_rank_rows_average(&ranks);
    assert_int_equal(ws_frame_fill(&frame, &plan), WS_OK);
    const uint64_t bytes = ws_frame_head(frame.memory)->bytes;
    assert_true(bytes <= ws_frame_most_bytes(&plan));
    assert_int_equal(ws_frame_check(frame.memory, bytes), WS_OK);
    const ws_frame_array *array = ws_frame_find(frame.memory, "ranks");
    assert_non_null(array);
    assert_true(array->type == WS_FLOAT64 && array->rank == 2);
    assert_true(array->shape[0] == RANKS && array->shape[1] == WS_RANK_COLUMNS);
    assert_memory_equal(ws_frame_values(frame.memory, array), ranks.rows,
                        RANKS * WS_RANK_COLUMNS * sizeof(double));
    ws_frame_free(&frame);
    ws_rank_rows_free(&ranks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_means_are_over_the_last_steps_told),
        cmocka_unit_test(test_what_is_not_known_counts_for_no_mean),
        cmocka_unit_test(test_what_cannot_be_is_refused_and_changes_nothing),
        cmocka_unit_test(test_a_frame_carries_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
