/* SPDX-License-Identifier: BSD-3-Clause */
#include "rank_follow.h"
#include "cnn/follower.h"
#include "cnn/status.h"
#include "exit_status.h"
#include "insitu_views.h"
#include "launch.h"
#include "signals.h"
#include "tell.h"
#include <limits.h>
#include <stdio.h>

/* ---- data ---- */

/* What travels. */
typedef struct request {
    int classes, threads;
    uint32_t validation, probe;
    uint64_t seed;
    char folder[PATH_MAX];
} request;

/* All ranks: whether everyone's data is rank 0's. */
static int compare(const cnn_ranks *ranks, const cnn_data *data)
{
    const data_print own = data_source_print(data);
    data_print first = own;
    int status = cnn_ranks_send(ranks, &first, sizeof first);
    if (status)
        return status;
    if (own.crc32 != first.crc32 || own.train != first.train || own.validation != first.validation)
        status =
            cnn_fail(CNN_BAD_ARGUMENT,
                     "--data: %u training images with checksum %08x are not those of rank 0, %u with %08x",
                     own.train, own.crc32, first.train, first.crc32);
    return cnn_ranks_agree(ranks, status);
}

/* All ranks: `status` is what loading came to here. */
static int agree_on_data(const cnn_ranks *ranks, int status, cnn_data *data)
{
    const int agreed = cnn_ranks_agree(ranks, status), result = agreed ? agreed : compare(ranks, data);
    if (result && !status)
        cnn_data_free(data);
    return result;
}

int rank_data_load(const rank_data *wanted, cnn_data *out)
{
    const cnn_ranks *ranks = launch_ranks();
    cnn_data data = {0};
    if (!ranks)
        return data_source_load(wanted->folder, wanted->classes, wanted->validation, 0, out);
    request asked = {.classes = wanted->classes,
                     .threads = wanted->threads,
                     .validation = wanted->validation,
                     .probe = wanted->probe,
                     .seed = wanted->seed};
    /* A longer one could not be opened. */
    snprintf(asked.folder, sizeof asked.folder, "%s", wanted->folder);
    int status = cnn_order_give(ranks, LAUNCH_ORDER_LOAD, 0, 0);
    if (!status)
        status = cnn_ranks_send(ranks, &asked, sizeof asked);
    if (status)
        return status;
    status = data_source_load(wanted->folder, wanted->classes, wanted->validation, 0, &data);
    status = agree_on_data(ranks, status, &data);
    if (!status)
        *out = data;
    return status;
}

/* ---- a follower ---- */

typedef struct following {
    const option_values *values;
    cnn_follower core;
    cnn_data data;
    cnn_threads *threads;
    insitu_views_plan look; /* at what pictures show, and for that: */
    insitu_views *views;    /* made at first use; NULL: there are none of the present network */
} following;

static int load(following *f, const request *asked)
{
    if (!f->values)
        return cnn_fail(CNN_BAD_ARGUMENT, "%s", tell_first_error());
    const char *own = option_given(f->values, "data") ? option_text(f->values, "data") : asked->folder;
    const int threads = option_given(f->values, "threads") ? (int)option_whole(f->values, "threads") : 0;
    int status = data_source_load(own, asked->classes, asked->validation, 0, &f->data);
    if (!status && !f->threads)
        status = cnn_threads_create(launch_threads(threads ? threads : asked->threads), &f->threads);
    return status;
}

static int take_data(following *f)
{
    const cnn_ranks *ranks = launch_ranks();
    request asked;
    int status = cnn_ranks_send(ranks, &asked, sizeof asked);
    if (!status)
        status = agree_on_data(ranks, load(f, &asked), &f->data);
    f->core = (cnn_follower){
        .ranks = ranks, .train = &f->data.train, .validation = &f->data.validation, .threads = f->threads};
    f->look = (insitu_views_plan){.images = &f->data.train, .probe = asked.probe, .seed = asked.seed};
    return status;
}

static void close_views(following *f)
{
    insitu_views_close(f->views);
    f->views = NULL;
}

/* Rank 0 has told the state before. */
static int look(following *f)
{
    if (!f->views) {
        f->views = insitu_views_open(&f->look, f->core.net);
        insitu_views_use(f->views, f->threads);
    }
    return insitu_views_follow(f->views, launch_ranks());
}

static int obey_order(following *f, const cnn_order *order)
{
    if (order->kind == LAUNCH_ORDER_LOAD)
        return take_data(f);
    if (order->kind == LAUNCH_ORDER_LOOK)
        return look(f);
    /* They are of the network that goes. */
    if (order->kind == CNN_ORDER_STATE)
        close_views(f);
    return cnn_follower_obey(&f->core, order);
}

/* What all ranks have agreed on is rank 0's to tell and to end; what they have not ends the job. */
static int is_agreed(const cnn_order *order, int status)
{
    return status == CNN_RANKS_FAILED || (order->kind != CNN_ORDER_STEP && order->kind != CNN_ORDER_CHECK);
}

/* Returns the exit status with which rank 0 ends the job. */
static int obey(following *f)
{
    const cnn_ranks *ranks = launch_ranks();
    cnn_order order;
    while (!cnn_order_take(ranks, &order)) {
        if (order.kind == LAUNCH_ORDER_END)
            return (int)order.detail;
        const int status = obey_order(f, &order);
        if (status && !launch_has_failed() && !is_agreed(&order, status))
            launch_fail(cnn_message());
    }
    return EXIT_FAILED;
}

int rank_follow(const option_values *values)
{
    following f = {.values = values};
    signals_let_writes_fail();
    signals_catch();
    const int exit_status = obey(&f);
    /* A sum that was begun may still be at work on what would be freed. */
    if (launch_has_failed())
        return exit_status;
    close_views(&f);
    cnn_follower_close(&f.core);
    cnn_threads_free(f.threads);
    cnn_data_free(&f.data);
    return exit_status;
}
