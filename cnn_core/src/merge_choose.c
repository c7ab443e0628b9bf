/* SPDX-License-Identifier: BSD-3-Clause */
/* Which units stay, and who speaks for those that do not. */
#include "cnn/groups.h"
#include "cnn/random.h"
#include "cnn/similarity.h"
#include "cnn/status.h"
#include "merge_parts.h"
#include "moments.h"
#include <math.h>
#include <stdlib.h>

/* ---- similar ones ---- */

typedef struct choice {
    cnn_merge_plan *plan;
    cnn_similarity similarity;
    cnn_moments seen; /* of the units, as the next layer sees them */
    double *strength; /* [before] sum of squares of the weights that read a unit */
    int *stays;       /* [before] the units that stay so far, rising */
    double *pearson;  /* [before,before] their correlations */
    uint8_t *state;   /* [before] */
    int32_t *group;   /* [before] */
    int count;        /* how many stay */
} choice;

static void fit(const cnn_moments *seen, int j, int i, double *alpha, double *beta)
{
    const size_t count = (size_t)seen->count;
    const double variance = seen->product[(size_t)i * count + (size_t)i],
                 covariance = seen->product[(size_t)i * count + (size_t)j];
    *alpha = variance > 0 && covariance > 0 ? covariance / variance : 0;
    *beta = seen->mean[j] - *alpha * seen->mean[i];
}

/* What of j is lost if i speaks for it, as it reaches the next layer's outputs. */
static double cost(const choice *c, int j, int i)
{
    const size_t count = (size_t)c->seen.count;
    const double *product = c->seen.product;
    double alpha, beta;
    fit(&c->seen, j, i, &alpha, &beta);
    const double rest = product[(size_t)j * count + (size_t)j] -
                        2 * alpha * product[(size_t)i * count + (size_t)j] +
                        alpha * alpha * product[(size_t)i * count + (size_t)i];
    return c->strength[j] * fmax(0, rest);
}

/* The sum of costs of all that are or come into a group of those that stay, if unit i speaks for them. */
static double group_cost(const choice *c, const int *place, int group, int i)
{
    double sum = 0;
    for (int j = 0; j < c->plan->before; j++)
        if (j != i && c->group[place[c->plan->into[j]]] == group)
            sum += cost(c, j, i);
    return sum;
}

/* One of a group stays, and speaks for all others. place[unit] is its number among those that stay. */
static void join_group(choice *c, const int *place, int group)
{
    int best = -1;
    double least = 0;
    for (int s = 0; s < c->count; s++) {
        if (c->group[s] != group)
            continue;
        const double sum = group_cost(c, place, group, c->stays[s]);
        if (best < 0 || sum < least) {
            best = c->stays[s];
            least = sum;
        }
    }
    for (int j = 0; j < c->plan->before; j++)
        if (c->group[place[c->plan->into[j]]] == group)
            c->plan->into[j] = best;
}

static void list_those_that_stay(choice *c)
{
    const size_t before = (size_t)c->plan->before;
    c->count = 0;
    for (int unit = 0; unit < c->plan->before; unit++)
        if (c->plan->into[unit] == unit)
            c->stays[c->count++] = unit;
    for (int a = 0; a < c->count; a++) {
        c->state[a] = c->similarity.state[c->stays[a]];
        for (int b = 0; b < c->count; b++)
            c->pearson[(size_t)a * (size_t)c->count + (size_t)b] =
                c->similarity.pearson[(size_t)c->stays[a] * before + (size_t)c->stays[b]];
    }
}

/* Groups those that stay; returns the number of groups, or a negative status. */
static int join_once(choice *c)
{
    const cnn_merge_options *options = &c->plan->options;
    list_those_that_stay(c);
    const int gone = c->plan->before - c->count;
    if (options->most && gone >= options->most)
        return 0;
    const cnn_groups_options limits = {.threshold = options->threshold,
                                       .keep = options->keep,
                                       .most = options->most ? options->most - gone : 0,
                                       .minimum = options->minimum};
    int *place = malloc((size_t)c->plan->before * sizeof *place);
    if (!place)
        return cnn_fail(CNN_NO_MEMORY, "merge: no memory for %d units", c->plan->before);
    for (int s = 0; s < c->count; s++)
        place[c->stays[s]] = s;
    const int groups = cnn_groups_find(c->pearson, c->state, c->count, &limits, c->group);
    for (int group = 0; group < groups; group++)
        join_group(c, place, group);
    free(place);
    return groups;
}

static int check_states(const cnn_net *net, const choice *c)
{
    for (int unit = 0; unit < c->plan->before; unit++)
        if (c->similarity.state[unit] == CNN_UNIT_NOT_FINITE || c->seen.state[unit] == CNN_UNIT_NOT_FINITE)
            return cnn_fail(CNN_NOT_FINITE, "merge: layer \"%s\": activations of unit %d are not finite",
                            net->layers[c->plan->layer].name, unit);
    return CNN_OK;
}

static int measure(choice *c, cnn_net *net, const cnn_dataset *probe, cnn_threads *threads)
{
    const cnn_merge_plan *plan = c->plan;
    const cnn_layer *reader = &net->layers[plan->consumer];
    cnn_visits visits;
    int status = cnn_visits_of(reader, &visits);
    if (status)
        return status;
    status = cnn_similarity_measure(net, plan->layer, probe, threads, &c->similarity);
    if (!status)
        status = cnn_moments_measure(NULL, net, plan->consumer - 1, &visits, probe, threads, &c->seen);
    cnn_visits_free(&visits);
    if (!status)
        status = check_states(net, c);
    if (status)
        return status;
    const size_t taps = reader->weight_count / reader->bias_count / (size_t)plan->before;
    for (size_t i = 0; i < reader->weight_count; i++)
        c->strength[i / taps % (size_t)plan->before] += (double)reader->weight[i] * (double)reader->weight[i];
    return CNN_OK;
}

int cnn_merge_choose_similar(cnn_merge_plan *plan, cnn_net *net, const cnn_dataset *probe,
                             cnn_threads *threads)
{
    const size_t before = (size_t)plan->before;
    choice c = {.plan = plan,
                .strength = calloc(before, sizeof *c.strength),
                .stays = calloc(before, sizeof *c.stays),
                .pearson = calloc(before * before, sizeof *c.pearson),
                .state = calloc(before, 1),
                .group = calloc(before, sizeof *c.group)};
    int status = c.strength && c.stays && c.pearson && c.state && c.group
                     ? CNN_OK
                     : cnn_fail(CNN_NO_MEMORY, "merge: no memory for %zu units", before);
    if (!status)
        status = measure(&c, net, probe, threads);
    int groups = 1;
    while (!status && groups > 0) {
        groups = join_once(&c);
        status = groups < 0 ? groups : CNN_OK;
    }
    for (int j = 0; j < plan->before && !status; j++)
        if (plan->into[j] != j)
            fit(&c.seen, j, plan->into[j], &plan->alpha[j], &plan->beta[j]);
    cnn_similarity_free(&c.similarity);
    cnn_moments_free(&c.seen);
    free(c.strength);
    free(c.stays);
    free(c.pearson);
    free(c.state);
    free(c.group);
    return status;
}

/* ---- the ones that are compared with ---- */

typedef struct ranked {
    double norm;
    int unit;
} ranked;

/* Those that go first: the smallest, of equals the last. */
static int by_norm(const void *a, const void *b)
{
    const ranked *first = a, *second = b;
    if (first->norm != second->norm)
        return first->norm < second->norm ? -1 : 1;
    return second->unit - first->unit;
}

static void rank_by_norm(const cnn_layer *layer, uint32_t *order, ranked *units)
{
    const size_t taps = layer->weight_count / layer->bias_count;
    for (size_t i = 0; i < layer->bias_count; i++)
        units[i] = (ranked){0, (int)i};
    for (size_t i = 0; i < layer->weight_count; i++)
        units[i / taps].norm += (double)layer->weight[i] * (double)layer->weight[i];
    qsort(units, layer->bias_count, sizeof *units, by_norm);
    for (size_t i = 0; i < layer->bias_count; i++)
        order[i] = (uint32_t)units[i].unit;
}

int cnn_merge_choose_others(cnn_merge_plan *plan, const cnn_net *net)
{
    const cnn_merge_options *options = &plan->options;
    const size_t before = (size_t)plan->before;
    uint32_t *order = malloc(before * sizeof *order);
    ranked *units = malloc(before * sizeof *units);
    if (!order || !units) {
        free(order);
        free(units);
        return cnn_fail(CNN_NO_MEMORY, "merge: no memory for %zu units", before);
    }
    if (options->method == CNN_MERGE_NORM)
        rank_by_norm(&net->layers[plan->layer], order, units);
    else
        cnn_random_order(options->seed, CNN_STREAM_MERGE, (uint64_t)plan->layer, order,
                         (uint32_t)plan->before);
    int left = options->keep > options->minimum ? options->keep : options->minimum;
    if (options->most && plan->before - options->most > left)
        left = plan->before - options->most;
    for (int i = 0; i < plan->before - left; i++) {
        plan->into[order[i]] = -1;
        plan->alpha[order[i]] = 0;
    }
    free(order);
    free(units);
    return CNN_OK;
}
