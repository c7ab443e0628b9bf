/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/status.h"
#include "sharing_parts.h"
#include <string.h>

/* ---- what followers must know ---- */

cnn_terms cnn_sharing_terms(const cnn_trainer *trainer)
{
    cnn_terms terms;
    /* Also between the fields, since they are compared as bytes. */
    memset(&terms, 0, sizeof terms);
    terms.options = trainer->options;
    terms.optimizer = trainer->optimizer->options;
    terms.course = trainer->course;
    return terms;
}

int cnn_sharing_has_turned(const cnn_trainer *trainer, const cnn_terms *terms)
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

int cnn_sharing_send_terms(cnn_trainer *trainer, const cnn_terms *terms)
{
    cnn_sharing *sharing = trainer->sharing;
    sharing->told = *terms;
    copy_rates(trainer);
    const int status = cnn_ranks_send(sharing->ranks, &sharing->told, sizeof sharing->told);
    return status ? status
                  : cnn_ranks_send(sharing->ranks, sharing->rates,
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
    int status = cnn_ranks_send(ranks, &terms, sizeof terms);
    if (!status)
        status =
            cnn_ranks_send(ranks, sharing->rates, (size_t)trainer->net->layer_count * sizeof *sharing->rates);
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

enum { SPEC_SIZE = 1 << 16 };

typedef struct state_head {
    cnn_terms terms;
    cnn_shape input;
    int classes, layers;
    uint64_t seed, step;
    size_t parameters;
    char spec[SPEC_SIZE]; /* in it, so that no follower can lack the memory to read it */
} state_head;

/* What is as long as the parameters. */
static int send_arrays(const cnn_ranks *ranks, const cnn_trainer *trainer)
{
    const cnn_net *net = trainer->net;
    const cnn_optimizer *optimizer = trainer->optimizer;
    const size_t size = net->parameter_count * sizeof(float);
    int status = cnn_ranks_send(ranks, net->parameters, size);
    if (!status)
        status = cnn_ranks_send(ranks, net->initial, size);
    for (int i = 0; i < optimizer->moment_count && !status; i++)
        status = cnn_ranks_send(ranks, optimizer->moments[i], size);
    return status;
}

int cnn_trainer_tell(cnn_trainer *trainer)
{
    cnn_sharing *sharing = trainer->sharing;
    if (!cnn_sharing_leads(trainer) || sharing->is_told)
        return CNN_OK;
    const cnn_ranks *ranks = sharing->ranks;
    cnn_net *net = trainer->net;
    state_head head = {.terms = cnn_sharing_terms(trainer),
                       .input = net->input,
                       .classes = net->classes,
                       .layers = net->layer_count,
                       .seed = net->seed,
                       .step = trainer->step,
                       .parameters = net->parameter_count};
    if (strlen(net->spec) >= SPEC_SIZE)
        return cnn_fail(CNN_BAD_ARGUMENT,
                        "network: its text of %zu bytes is longer than %d, which ranks take",
                        strlen(net->spec), SPEC_SIZE - 1);
    strcpy(head.spec, net->spec);
    int status = cnn_order_give(ranks, CNN_ORDER_STATE, 0, trainer->step);
    if (!status)
        status = cnn_ranks_send(ranks, &head, sizeof head);
    if (!status)
        status = cnn_ranks_agree(ranks, CNN_OK);
    if (!status)
        status = cnn_sharing_send_terms(trainer, &head.terms);
    if (!status)
        status = send_arrays(ranks, trainer);
    sharing->is_told = !status;
    return status;
}

/* A network and a trainer for the head of a state. */
static int make(const cnn_ranks *ranks, const state_head *head, const cnn_dataset *set, cnn_threads *threads,
                cnn_net **net, cnn_trainer **trainer)
{
    cnn_net *made = NULL;
    cnn_trainer_options options = head->terms.options;
    options.ranks = ranks;
    options.optimizer = head->terms.optimizer;
    int status = cnn_net_create(head->spec, head->input, head->classes, head->seed, &made);
    if (!status && (made->layer_count != head->layers || made->parameter_count != head->parameters))
        status = cnn_fail(CNN_BAD_ARGUMENT, "network: \"%s\" has %zu parameters here, and %zu at rank 0",
                          head->spec, made->parameter_count, head->parameters);
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
    int status = cnn_ranks_send(ranks, &head, sizeof head);
    if (status)
        return status;
    /* The old one's memory is needed. */
    cnn_trainer_free(*trainer);
    cnn_net_free(*net);
    *trainer = NULL;
    *net = NULL;
    status = cnn_ranks_agree(ranks, make(ranks, &head, set, threads, net, trainer));
    if (!status)
        status = cnn_sharing_take_terms(*trainer);
    return status ? status : send_arrays(ranks, *trainer);
}
