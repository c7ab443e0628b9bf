/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/status.h"
#include "cnn/trainer.h"
#include <math.h>
#include <stdlib.h>

static int check(const cnn_net *net, const cnn_dataset *set, uint32_t batch)
{
    if (batch < 1)
        return cnn_fail(CNN_BAD_ARGUMENT, "batch: 0 is not at least 1");
    if (set->count == 0)
        return CNN_OK;
    if (set->shape.c != net->input.c || set->shape.h != net->input.h || set->shape.w != net->input.w)
        return cnn_fail(CNN_BAD_ARGUMENT, "set: images of %dx%dx%d, the network takes %dx%dx%d", set->shape.c,
                        set->shape.h, set->shape.w, net->input.c, net->input.h, net->input.w);
    if (set->classes > net->classes)
        return cnn_fail(CNN_BAD_ARGUMENT, "set: %d classes, the network has %d", set->classes, net->classes);
    return CNN_OK;
}

static cnn_batch_result evaluate_batch(cnn_pass *pass, const cnn_net *net, const cnn_dataset *set,
                                       uint32_t first, int n)
{
    for (int i = 0; i < n; i++) {
        const uint32_t index = first + (uint32_t)i;
        cnn_dataset_gather(set, &index, 1, cnn_pass_images(pass) + (size_t)i * cnn_shape_count(net->input),
                           cnn_pass_labels(pass) + i);
    }
    return cnn_pass_forward(pass, n);
}

/* The batches of a set, and whose they are. */
typedef struct batches {
    uint32_t size, count;
    cnn_share own;
    uint32_t most;          /* that anyone has */
    cnn_batch_result *done; /* [most] those of this process, then [ranks][most] */
} batches;

static int make(batches *all, const cnn_ranks *ranks, const cnn_dataset *set, uint32_t batch)
{
    const int count = ranks ? ranks->count : 1;
    all->size = batch < set->count ? batch : set->count;
    all->count = (set->count - 1) / all->size + 1;
    all->own = cnn_share_of(all->count, ranks ? ranks->rank : 0, count);
    all->most = cnn_share_most(all->count, count);
    all->done = calloc((size_t)all->most * ((size_t)count + 1), sizeof *all->done);
    return all->done ? CNN_OK
                     : cnn_fail(CNN_NO_MEMORY, "set: no memory for the results of %u batches", all->count);
}

static void evaluate_own(const batches *all, cnn_pass *pass, const cnn_net *net, const cnn_dataset *set)
{
    for (uint32_t i = 0; i < all->own.n; i++) {
        const uint32_t first = (all->own.first + i) * all->size, left = set->count - first;
        all->done[i] = evaluate_batch(pass, net, set, first, (int)(left < all->size ? left : all->size));
    }
}

/* In the order of batches, whoever has done them. */
static void add(const batches *all, const cnn_batch_result *of_ranks, int ranks, cnn_evaluation *result)
{
    for (int rank = 0; rank < ranks; rank++) {
        const cnn_share share = cnn_share_of(all->count, rank, ranks);
        for (uint32_t i = 0; i < share.n; i++) {
            const cnn_batch_result *part = &of_ranks[(size_t)rank * all->most + i];
            result->loss += part->loss_sum;
            result->correct += (uint32_t)part->correct;
        }
    }
}

static int gather(const batches *all, const cnn_ranks *ranks)
{
    return ranks->gather(ranks->context, all->done, all->most * sizeof *all->done, all->done + all->most);
}

int cnn_evaluate_shared(const cnn_ranks *ranks, cnn_net *net, const cnn_dataset *set, uint32_t batch,
                        cnn_threads *threads, cnn_evaluation *out)
{
    batches all = {0};
    cnn_pass *pass = NULL;
    int status = check(net, set, batch);
    if (!status && set->count)
        status = make(&all, ranks, set, batch);
    if (!status && all.own.n)
        status = cnn_pass_create(net, (int)all.size, CNN_PASS_LOGITS, threads, &pass);
    if (ranks)
        status = cnn_ranks_agree(ranks, status);
    if (!status && set->count == 0)
        *out = (cnn_evaluation){.loss = NAN, .accuracy = NAN};
    if (!status && set->count) {
        cnn_evaluation result = {.count = set->count};
        evaluate_own(&all, pass, net, set);
        status = ranks ? gather(&all, ranks) : CNN_OK;
        add(&all, ranks ? all.done + all.most : all.done, ranks ? ranks->count : 1, &result);
        result.loss /= result.count;
        result.accuracy = (double)result.correct / result.count;
        if (!status)
            *out = result;
    }
    cnn_pass_free(pass);
    free(all.done);
    return status;
}

int cnn_evaluate(cnn_net *net, const cnn_dataset *set, uint32_t batch, cnn_threads *threads,
                 cnn_evaluation *out)
{
    return cnn_evaluate_shared(NULL, net, set, batch, threads, out);
}
