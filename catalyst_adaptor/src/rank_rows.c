/* SPDX-License-Identifier: BSD-3-Clause */
#include "rank_rows.h"
#include "message.h"
#include <math.h>
#include <stdlib.h>

static int check(const ws_rank_rows *ranks, const ws_rank *rows, uint32_t count)
{
    if (count == 0 || (ranks->count > 0 && count != ranks->count))
        return ws_fail(WS_BAD_ARGUMENT, "ws_insitu_ranks: %u ranks, must be %s%u", count,
                       ranks->count ? "" : "at least ", ranks->count ? ranks->count : 1);
    for (uint32_t i = 0; i < count; i++) {
        if (rows[i].size != sizeof rows[i])
            return ws_fail(WS_BAD_ARGUMENT, "ws_rank.size is %u, this library's is %zu", rows[i].size,
                           sizeof rows[i]);
        if (i > 0 && rows[i].rank <= rows[i - 1].rank)
            return ws_fail(WS_BAD_ARGUMENT, "ws_insitu_ranks: rank %u follows rank %u, must rise",
                           rows[i].rank, rows[i - 1].rank);
    }
    return WS_OK;
}

static int reserve(ws_rank_rows *ranks, uint32_t count)
{
    if (ranks->count > 0)
        return WS_OK;
    double *rows = calloc((size_t)count * WS_RANK_COLUMNS, sizeof *rows);
    float *seconds = calloc((size_t)count * WS_RANK_STEPS * 2, sizeof *seconds);
    if (!rows || !seconds) {
        free(rows);
        free(seconds);
        return ws_fail(WS_NO_MEMORY, "no memory for what %u ranks tell", count);
    }
    ranks->rows = rows;
    ranks->seconds = seconds;
    ranks->count = count;
    return WS_OK;
}

int ws_rank_rows_take(ws_rank_rows *ranks, const ws_rank *rows, uint32_t count)
{
    int status = check(ranks, rows, count);
    if (status == WS_OK)
        status = reserve(ranks, count);
    if (status)
        return status;
    float *seconds = ranks->seconds + ranks->told++ % WS_RANK_STEPS * count * 2;
    for (uint32_t i = 0; i < count; i++) {
        double *row = ranks->rows + (size_t)i * WS_RANK_COLUMNS;
        row[WS_RANK_rank] = rows[i].rank;
        row[WS_RANK_images] = (double)rows[i].images;
        row[WS_RANK_loss] = rows[i].loss;
        row[WS_RANK_gradient_norm] = rows[i].gradient_norm;
        row[WS_RANK_step_seconds] = rows[i].step_seconds;
        row[WS_RANK_wait_seconds] = rows[i].wait_seconds;
        seconds[2 * (size_t)i] = (float)rows[i].step_seconds;
        seconds[2 * (size_t)i + 1] = (float)rows[i].wait_seconds;
    }
    return WS_OK;
}

void ws_rank_rows_average(ws_rank_rows *ranks)
{
    const size_t steps = ranks->told < WS_RANK_STEPS ? (size_t)ranks->told : WS_RANK_STEPS;
    for (uint32_t i = 0; i < ranks->count; i++) {
        double step = 0, wait = 0, known = 0;
        for (size_t at = 0; at < steps; at++) {
            const float *seconds = ranks->seconds + (at * ranks->count + i) * 2;
            if (!isfinite(seconds[0]) || !isfinite(seconds[1]))
                continue;
            step += seconds[0];
            wait += seconds[1];
            known++;
        }
        double *row = ranks->rows + (size_t)i * WS_RANK_COLUMNS;
        row[WS_RANK_mean_step_seconds] = known > 0 ? step / known : NAN;
        row[WS_RANK_mean_wait_seconds] = known > 0 ? wait / known : NAN;
        row[WS_RANK_mean_of] = known;
    }
}

void ws_rank_rows_free(ws_rank_rows *ranks)
{
    free(ranks->rows);
    free(ranks->seconds);
    *ranks = (ws_rank_rows){0};
}
