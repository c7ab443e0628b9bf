/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/status.h"
#include "sharing_parts.h"
#include <math.h>
#include <stdlib.h>
#include <time.h>

enum {
    LANES = 8,
    /* Gradients are on their way from so many values on; smaller layers go together with those before. */
    LEAST_SUM = 1 << 14,
};

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int cnn_sharing_create(const cnn_ranks *ranks, const cnn_net *net, cnn_sharing **out)
{
    cnn_sharing *sharing = calloc(1, sizeof *sharing);
    if (!sharing)
        return cnn_fail(CNN_NO_MEMORY, "trainer: no memory");
    sharing->ranks = ranks;
    sharing->rows = calloc((size_t)ranks->count, sizeof *sharing->rows);
    sharing->rates = calloc((size_t)net->layer_count, sizeof *sharing->rates);
    if (!sharing->rows || !sharing->rates) {
        cnn_sharing_free(sharing);
        return cnn_fail(CNN_NO_MEMORY, "trainer: no memory for %d ranks", ranks->count);
    }
    *out = sharing;
    return CNN_OK;
}

void cnn_sharing_free(cnn_sharing *sharing)
{
    if (!sharing)
        return;
    free(sharing->rows);
    free(sharing->rates);
    free(sharing);
}

void cnn_sharing_forget(cnn_sharing *sharing)
{
    if (sharing)
        sharing->is_told = 0;
}

const cnn_rank_row *cnn_sharing_rows(const cnn_sharing *sharing)
{
    return sharing && sharing->has_rows ? sharing->rows : NULL;
}

double cnn_rank_row_loss(const cnn_rank_row *row)
{
    return row->images ? row->loss_sum / row->images : NAN;
}

double cnn_rank_row_gradient(const cnn_rank_row *row, uint32_t batch)
{
    return row->images ? sqrt(row->gradient_squares) * batch / row->images : NAN;
}

/* ---- a step ---- */

int cnn_sharing_begin(cnn_trainer *trainer)
{
    cnn_sharing *sharing = trainer->sharing;
    if (!sharing)
        return CNN_OK;
    int status = CNN_OK;
    if (cnn_sharing_leads(trainer)) {
        status = cnn_trainer_tell(trainer);
        const cnn_terms terms = cnn_sharing_terms(trainer);
        const int turned = !status && cnn_sharing_has_turned(trainer, &terms);
        if (!status)
            status = cnn_order_give(sharing->ranks, CNN_ORDER_STEP, (uint32_t)turned, trainer->step);
        if (!status && turned)
            status = cnn_sharing_send_terms(trainer, &terms);
    }
    sharing->since = seconds();
    return status;
}

static void square_stretch(void *context, int index, int thread)
{
    (void)thread;
    cnn_sharing *sharing = context;
    const size_t from = (size_t)index * sharing->stretch, all = sharing->stretched_count,
                 first = from < all ? from : all, left = all - first,
                 count = left < sharing->stretch ? left : sharing->stretch, whole = count / LANES * LANES;
    const float *values = sharing->stretched + first;
    double sums[LANES] = {0};
    for (size_t i = 0; i < whole; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            sums[l] += (double)values[i + l] * (double)values[i + l];
    for (size_t i = whole; i < count; i++)
        sums[0] += (double)values[i] * (double)values[i];
    sharing->stretches[index] = 0;
    for (int l = 0; l < LANES; l++)
        sharing->stretches[index] += sums[l];
}

/* Adds to the squares of this rank's own gradient, which is overwritten soon. */
static void add_squares(cnn_sharing *sharing, const float *values, size_t count)
{
    sharing->stretched = values;
    sharing->stretched_count = count;
    sharing->stretch = (count + CNN_SHARING_STRETCHES - 1) / CNN_SHARING_STRETCHES;
    cnn_threads_run(sharing->threads, CNN_SHARING_STRETCHES, square_stretch, sharing);
    for (int i = 0; i < CNN_SHARING_STRETCHES; i++)
        sharing->squares += sharing->stretches[i];
}

/* The gradients of layers from `layer` on are there: they go on their way while the pass goes on. */
static void begin_sum(void *context, int layer)
{
    cnn_sharing *sharing = context;
    const cnn_net *net = sharing->net;
    while (layer < net->layer_count && !cnn_layer_has_parameters(&net->layers[layer]))
        layer++;
    if (layer == net->layer_count || sharing->status)
        return;
    float *values = net->layers[layer].weight_gradient;
    const size_t at = (size_t)(values - net->gradients), count = sharing->begun - at;
    if (!count || (at && count < LEAST_SUM))
        return;
    add_squares(sharing, values, count);
    sharing->begun = at;
    sharing->status = sharing->ranks->begin_sum(sharing->ranks->context, values, count);
}

/* The loss of the whole batch, in the order of ranks. */
static cnn_batch_result result_of(const cnn_sharing *sharing)
{
    cnn_batch_result whole = {0};
    for (int i = 0; i < sharing->ranks->count; i++) {
        whole.loss_sum += sharing->rows[i].loss_sum;
        whole.correct += (int)sharing->rows[i].correct;
    }
    return whole;
}

static int share_step(cnn_trainer *trainer, cnn_batch_part *part, uint64_t step, cnn_batch_result *out)
{
    cnn_sharing *sharing = trainer->sharing;
    const cnn_ranks *ranks = sharing->ranks;
    sharing->net = trainer->net;
    sharing->threads = trainer->threads;
    sharing->begun = trainer->net->parameter_count;
    sharing->squares = 0;
    sharing->status = CNN_OK;
    part->ready = begin_sum;
    part->context = sharing;
    const cnn_batch_result own = cnn_pass_train_part(trainer->pass, part, step);
    const double done = seconds();
    int status = sharing->status;
    if (!status)
        status = ranks->finish_sums(ranks->context);
    const cnn_rank_row row = {.images = part->share.n,
                              .correct = (uint32_t)own.correct,
                              .loss_sum = own.loss_sum,
                              .gradient_squares = sharing->squares,
                              .busy_seconds = done - sharing->since,
                              .wait_seconds = seconds() - done};
    if (!status)
        status = ranks->gather(ranks->context, &row, sizeof row, sharing->rows);
    sharing->has_rows = !status;
    if (!status)
        *out = result_of(sharing);
    return status;
}

int cnn_sharing_train(cnn_trainer *trainer, cnn_batch_part *part, uint64_t step, cnn_batch_result *out)
{
    if (trainer->sharing)
        return share_step(trainer, part, step, out);
    *out = cnn_pass_train_part(trainer->pass, part, step);
    return CNN_OK;
}

/* ---- an evaluation ---- */

int cnn_trainer_evaluate(cnn_trainer *trainer, const cnn_dataset *set, uint32_t batch, cnn_evaluation *out)
{
    const cnn_ranks *ranks = trainer->sharing ? trainer->sharing->ranks : NULL;
    int status = cnn_trainer_tell(trainer);
    if (!status && cnn_sharing_leads(trainer))
        status = cnn_order_give(ranks, CNN_ORDER_EVALUATION, batch, trainer->step);
    return status ? status : cnn_evaluate_shared(ranks, trainer->net, set, batch, trainer->threads, out);
}
