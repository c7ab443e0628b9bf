/* SPDX-License-Identifier: BSD-3-Clause */
#include "sharing.h"
#include "cnn/status.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    STRETCHES = 64, /* tasks in which squares are summed: the same for any number of threads */
    LANES = 8,
    /* Gradients are on their way from so many values on; smaller layers go together with those before. */
    LEAST_SUM = 1 << 14,
};

struct cnn_sharing {
    const cnn_ranks *ranks; /* borrowed */
    cnn_rank_row *rows;     /* [ranks->count] of the last step */
    int has_rows;
    /* What the followers have, on rank 0. */
    int is_told;
    cnn_terms told;
    float *rates; /* [layers] of dropout */
    /* The step that is made. */
    cnn_net *net;
    cnn_threads *threads;
    size_t begun; /* gradients of parameters from here on are on their way */
    double squares, stretches[STRETCHES];
    const float *stretched;
    size_t stretched_count, stretch;
    double since;
    int status;
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

/* ---- what followers must know ---- */

static int send(const cnn_ranks *ranks, void *bytes, size_t size)
{
    return ranks->broadcast(ranks->context, bytes, size);
}

static int is_leader(const cnn_trainer *trainer)
{
    return trainer->sharing && trainer->sharing->ranks->rank == 0;
}

static cnn_terms terms_of(const cnn_trainer *trainer)
{
    cnn_terms terms;
    /* Also between the fields, since they are compared as bytes. */
    memset(&terms, 0, sizeof terms);
    terms.options = trainer->options;
    terms.optimizer = trainer->optimizer->options;
    terms.course = trainer->course;
    return terms;
}

static int has_turned(const cnn_trainer *trainer, const cnn_terms *terms)
{
    const cnn_sharing *sharing = trainer->sharing;
    int turned = memcmp(terms, &sharing->told, sizeof *terms) != 0;
    for (int i = 0; i < trainer->net->layer_count && !turned; i++)
        turned = memcmp(&trainer->net->layers[i].rate, &sharing->rates[i], sizeof(float)) != 0;
    return turned;
}

static void copy_rates(const cnn_trainer *trainer)
{
    for (int i = 0; i < trainer->net->layer_count; i++)
        trainer->sharing->rates[i] = trainer->net->layers[i].rate;
}

/* Rank 0. */
static int send_terms(cnn_trainer *trainer, const cnn_terms *terms)
{
    cnn_sharing *sharing = trainer->sharing;
    sharing->told = *terms;
    copy_rates(trainer);
    const int status = send(sharing->ranks, &sharing->told, sizeof sharing->told);
    return status ? status
                  : send(sharing->ranks, sharing->rates,
                         (size_t)trainer->net->layer_count * sizeof *sharing->rates);
}

static void take_rates(cnn_trainer *trainer)
{
    for (int i = 0; i < trainer->net->layer_count; i++)
        trainer->net->layers[i].rate = trainer->sharing->rates[i];
}

int cnn_sharing_take_terms(cnn_trainer *trainer)
{
    cnn_sharing *sharing = trainer->sharing;
    const cnn_ranks *ranks = sharing->ranks;
    cnn_terms terms;
    int status = send(ranks, &terms, sizeof terms);
    if (!status)
        status = send(ranks, sharing->rates, (size_t)trainer->net->layer_count * sizeof *sharing->rates);
    if (status)
        return status;
    take_rates(trainer);
    status = cnn_trainer_set_batch(trainer, terms.options.batch);
    trainer->options = terms.options;
    trainer->options.ranks = ranks;
    trainer->optimizer->options = terms.optimizer;
    trainer->course = terms.course;
    return status;
}

/* ---- the state ---- */

typedef struct state_head {
    cnn_terms terms;
    cnn_shape input;
    int classes, layers;
    uint64_t seed, step;
    size_t spec_size, parameters;
} state_head;

/* What is as long as the parameters. */
static int send_arrays(const cnn_ranks *ranks, const cnn_trainer *trainer)
{
    const cnn_net *net = trainer->net;
    const cnn_optimizer *optimizer = trainer->optimizer;
    const size_t size = net->parameter_count * sizeof(float);
    int status = send(ranks, net->parameters, size);
    if (!status)
        status = send(ranks, net->initial, size);
    for (int i = 0; i < optimizer->moment_count && !status; i++)
        status = send(ranks, optimizer->moments[i], size);
    return status;
}

int cnn_trainer_tell(cnn_trainer *trainer)
{
    cnn_sharing *sharing = trainer->sharing;
    if (!is_leader(trainer) || sharing->is_told)
        return CNN_OK;
    const cnn_ranks *ranks = sharing->ranks;
    cnn_net *net = trainer->net;
    state_head head = {.terms = terms_of(trainer),
                       .input = net->input,
                       .classes = net->classes,
                       .layers = net->layer_count,
                       .seed = net->seed,
                       .step = trainer->step,
                       .spec_size = strlen(net->spec) + 1,
                       .parameters = net->parameter_count};
    int status = cnn_order_give(ranks, CNN_ORDER_STATE, 0, trainer->step);
    if (!status)
        status = send(ranks, &head, sizeof head);
    if (!status)
        status = send(ranks, net->spec, head.spec_size);
    if (!status)
        status = cnn_ranks_agree(ranks, CNN_OK);
    if (!status)
        status = send_terms(trainer, &head.terms);
    if (!status)
        status = send_arrays(ranks, trainer);
    sharing->is_told = !status;
    return status;
}

/* A network and a trainer for the head of a state. */
static int make(const cnn_ranks *ranks, const state_head *head, const char *spec, const cnn_dataset *set,
                cnn_threads *threads, cnn_net **net, cnn_trainer **trainer)
{
    cnn_net *made = NULL;
    cnn_trainer_options options = head->terms.options;
    options.ranks = ranks;
    options.optimizer = head->terms.optimizer;
    int status = cnn_net_create(spec, head->input, head->classes, head->seed, &made);
    if (!status && (made->layer_count != head->layers || made->parameter_count != head->parameters))
        status = cnn_fail(CNN_BAD_ARGUMENT, "network: \"%s\" has %zu parameters here, and %zu at rank 0",
                          spec, made->parameter_count, head->parameters);
    if (!status && set->count != head->terms.course.images)
        status = cnn_fail(CNN_BAD_ARGUMENT, "training set: has %u images here, and %u at rank 0", set->count,
                          head->terms.course.images);
    if (!status)
        status = cnn_trainer_create(&options, made, set, threads, trainer);
    if (status) {
        cnn_net_free(made);
        return status;
    }
    (*trainer)->step = head->step;
    (*trainer)->course = head->terms.course;
    *net = made;
    return CNN_OK;
}

int cnn_sharing_take_state(const cnn_ranks *ranks, const cnn_dataset *set, cnn_threads *threads,
                           cnn_net **net, cnn_trainer **trainer)
{
    state_head head;
    int status = send(ranks, &head, sizeof head);
    if (status)
        return status;
    /* The old one's memory is needed. */
    cnn_trainer_free(*trainer);
    cnn_net_free(*net);
    *trainer = NULL;
    *net = NULL;
    char *spec = malloc(head.spec_size);
    if (!spec)
        return cnn_fail(CNN_NO_MEMORY, "network: no memory for a text of %zu bytes", head.spec_size);
    status = send(ranks, spec, head.spec_size);
    if (!status)
        status = cnn_ranks_agree(ranks, make(ranks, &head, spec, set, threads, net, trainer));
    free(spec);
    if (!status)
        status = cnn_sharing_take_terms(*trainer);
    return status ? status : send_arrays(ranks, *trainer);
}

/* ---- a step ---- */

int cnn_sharing_begin(cnn_trainer *trainer)
{
    cnn_sharing *sharing = trainer->sharing;
    if (!sharing)
        return CNN_OK;
    int status = CNN_OK;
    if (is_leader(trainer)) {
        status = cnn_trainer_tell(trainer);
        const cnn_terms terms = terms_of(trainer);
        const int turned = !status && has_turned(trainer, &terms);
        if (!status)
            status = cnn_order_give(sharing->ranks, CNN_ORDER_STEP, (uint32_t)turned, trainer->step);
        if (!status && turned)
            status = send_terms(trainer, &terms);
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
    sharing->stretch = (count + STRETCHES - 1) / STRETCHES;
    cnn_threads_run(sharing->threads, STRETCHES, square_stretch, sharing);
    for (int i = 0; i < STRETCHES; i++)
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

/* ---- whether all ranks are still the same ---- */

static uint64_t hash_of(const float *values, size_t count)
{
    uint64_t lanes[LANES], hash = count;
    uint32_t words[LANES];
    for (int l = 0; l < LANES; l++)
        lanes[l] = (uint64_t)l + 1;
    for (size_t i = 0; i < count; i += LANES) {
        const size_t here = count - i < LANES ? count - i : LANES;
        memcpy(words, values + i, here * sizeof(float));
        for (size_t l = 0; l < here; l++)
            lanes[l] = ((lanes[l] ^ words[l]) * 0x9E3779B97F4A7C15u) ^ (lanes[l] >> 29);
    }
    for (int l = 0; l < LANES; l++)
        hash = ((hash ^ lanes[l]) * 0x9E3779B97F4A7C15u) ^ (hash >> 32);
    return hash;
}

int cnn_sharing_compare(const cnn_trainer *trainer)
{
    const cnn_ranks *ranks = trainer->sharing->ranks;
    const uint64_t mine = hash_of(trainer->net->parameters, trainer->net->parameter_count);
    uint64_t *all = calloc((size_t)ranks->count, sizeof *all);
    if (!all)
        return cnn_fail(CNN_NO_MEMORY, "trainer: no memory for %d ranks", ranks->count);
    int status = ranks->gather(ranks->context, &mine, sizeof mine, all);
    for (int i = 1; i < ranks->count && !status; i++)
        if (all[i] != all[0])
            status = cnn_fail(CNN_RANKS_FAILED, "step %llu: the parameters of %s are not those of rank 0",
                              (unsigned long long)trainer->step, ranks->name(ranks->context, i));
    free(all);
    return status;
}

int cnn_trainer_check(cnn_trainer *trainer)
{
    if (!is_leader(trainer) || !trainer->sharing->is_told)
        return CNN_OK;
    const int status = cnn_order_give(trainer->sharing->ranks, CNN_ORDER_CHECK, 0, trainer->step);
    return status ? status : cnn_sharing_compare(trainer);
}

int cnn_trainer_evaluate(cnn_trainer *trainer, const cnn_dataset *set, uint32_t batch, cnn_evaluation *out)
{
    const cnn_ranks *ranks = trainer->sharing ? trainer->sharing->ranks : NULL;
    int status = cnn_trainer_tell(trainer);
    if (!status && is_leader(trainer))
        status = cnn_order_give(ranks, CNN_ORDER_EVALUATION, batch, trainer->step);
    return status ? status : cnn_evaluate_shared(ranks, trainer->net, set, batch, trainer->threads, out);
}
