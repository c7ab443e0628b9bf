/* SPDX-License-Identifier: BSD-3-Clause */
#include "early_signs.h"
#include "dead_filters.h"
#include "text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECENT        20   /* losses whose median must be far too high: a spike is no divergence */
#define FAR_TOO_HIGH  3.0  /* times the loss of a guess, or of the first step if that was higher */
#define BLOCK_STEPS   100  /* rows that are judged together, */
#define BLOCK_IMAGES  3000 /* or as many as have so many images: fewer tell nothing from chance */
#define ERRORS        4.0  /* standard errors by which something must be better than a guess */
#define FAR_AWAY      0.5 /* of the length of a layer's weights: so far no training that learns nothing goes */
#define PATIENCE      3   /* blocks without progress */
#define TOO_MANY_DEAD 0.5 /* of a layer's filters */

/* Sums over the rows of a block. */
typedef struct block {
    uint64_t rows, wanted;
    double loss, loss_squares, accuracy, accuracy_squares;
    int has_gradient; /* some weight had one */
} block;

struct early_signs {
    double guess_loss, guess_accuracy; /* of whoever knows only how frequent each label is */
    uint64_t from;
    int told[SIGN_KINDS];
    uint64_t last; /* the step taken last */
    double recent[RECENT];
    uint64_t count; /* rows so far */
    double first_loss;
    block now;
    int idle_blocks; /* without progress since the last with some */
    int has_block;   /* the last row ended a block: `done` is to be judged */
    block done;
    dead_filters *dead;
};

const char *early_sign_reason(early_sign_kind kind)
{
    static const char *const reasons[SIGN_KINDS] = {"diverging", "stuck: learning rate too high",
                                                    "no progress", "dead filters"};
    return reasons[kind];
}

const char *early_sign_name(early_sign_kind kind)
{
    static const char *const names[SIGN_KINDS] = {"diverging", "stuck", "no_progress", "dead_filters"};
    return names[kind];
}

early_signs *early_signs_begin(const cnn_dataset *set, uint64_t from)
{
    early_signs *signs = memory_of(1, sizeof *signs);
    uint32_t counts[256] = {0};
    for (uint32_t i = 0; i < set->count; i++)
        counts[set->labels[i]]++;
    for (int i = 0; i < 256; i++) {
        const double part = counts[i] / (double)set->count;
        signs->guess_loss -= counts[i] ? part * log(part) : 0;
        signs->guess_accuracy = fmax(signs->guess_accuracy, part);
    }
    signs->from = from;
    signs->last = from;
    signs->dead = dead_filters_begin();
    return signs;
}

void early_signs_forget(early_signs *signs, early_sign_kind kind)
{
    signs->told[kind] = 1;
}

void early_signs_end(early_signs *signs)
{
    if (!signs)
        return;
    dead_filters_end(signs->dead);
    free(signs);
}

/* ---- what is remembered of rows ---- */

static int has_gradient(const cnn_step *step, const cnn_net *net)
{
    for (int i = 0; i < net->layer_count; i++)
        if (cnn_layer_has_parameters(&net->layers[i]) && step->norms[i].gradient > 0)
            return 1;
    return 0;
}

static void begin_block(early_signs *signs, uint32_t batch)
{
    const uint64_t rows = (BLOCK_IMAGES + batch - 1) / batch;
    signs->now = (block){.wanted = rows > BLOCK_STEPS ? rows : BLOCK_STEPS};
    dead_filters_clear(signs->dead);
}

static void take_row(early_signs *signs, const cnn_step *step, const cnn_net *net, uint32_t batch)
{
    signs->last = step->step;
    signs->has_block = 0;
    if (!signs->count)
        signs->first_loss = step->loss;
    signs->recent[signs->count++ % RECENT] = step->loss;
    if (!signs->now.rows)
        begin_block(signs, batch);
    block *now = &signs->now;
    now->rows++;
    now->loss += step->loss;
    now->loss_squares += step->loss * step->loss;
    now->accuracy += step->accuracy;
    now->accuracy_squares += step->accuracy * step->accuracy;
    now->has_gradient |= has_gradient(step, net);
    dead_filters_take(signs->dead, net, now->rows);
    if (now->rows < now->wanted)
        return;
    signs->has_block = 1;
    signs->done = *now;
    now->rows = 0;
}

/* ---- the signs ---- */

static int tell(early_signs *signs, early_sign_kind kind, early_sign *out)
{
    signs->told[kind] = 1;
    out->kind = kind;
    out->is_not_finite = 0;
    out->step = signs->last;
    return 1;
}

static int order(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double recent_median(const early_signs *signs)
{
    double sorted[RECENT];
    memcpy(sorted, signs->recent, sizeof sorted);
    qsort(sorted, RECENT, sizeof *sorted, order);
    return (sorted[RECENT / 2 - 1] + sorted[RECENT / 2]) / 2;
}

static int is_finite(const cnn_step *step, const cnn_net *net)
{
    int finite = isfinite(step->loss);
    for (int i = 0; i < net->layer_count; i++)
        if (cnn_layer_has_parameters(&net->layers[i]))
            finite = finite && isfinite(step->norms[i].weight) && isfinite(step->norms[i].gradient);
    return finite;
}

static int find_divergence(early_signs *signs, const cnn_step *step, const cnn_net *net, early_sign *out)
{
    if (signs->told[SIGN_DIVERGING])
        return 0;
    if (!is_finite(step, net)) {
        snprintf(out->evidence, sizeof out->evidence,
                 "loss, weights or gradients are not finite any more (a loss of %.4g at the first step); a "
                 "lower learning rate may help",
                 signs->first_loss);
        tell(signs, SIGN_DIVERGING, out);
        out->is_not_finite = 1;
        return 1;
    }
    const double limit = FAR_TOO_HIGH * fmax(signs->guess_loss, signs->first_loss);
    if (signs->count < RECENT || !(recent_median(signs) > limit))
        return 0;
    snprintf(out->evidence, sizeof out->evidence,
             "the median loss of the last %d steps is %.4g, that of the first step was %.4g, that of a guess "
             "is %.4g; a lower learning rate may help",
             RECENT, recent_median(signs), signs->first_loss, signs->guess_loss);
    return tell(signs, SIGN_DIVERGING, out);
}

/* The standard error of a mean of `rows` values with these sums. */
static double error_of(double sum, double squares, uint64_t rows)
{
    const double n = (double)rows, mean = sum / n;
    return sqrt(fmax(0, squares / n - mean * mean) / (n - 1));
}

/* Whether the block is better than a guess, by its loss or by its accuracy. */
static int makes_progress(const early_signs *signs)
{
    const block *done = &signs->done;
    const double n = (double)done->rows;
    return done->loss / n <
               signs->guess_loss - ERRORS * error_of(done->loss, done->loss_squares, done->rows) ||
           done->accuracy / n >
               signs->guess_accuracy + ERRORS * error_of(done->accuracy, done->accuracy_squares, done->rows);
}

/* The layer whose weights are farthest from where they began, in parts of their length. */
static int farthest(const cnn_step *step, const cnn_net *net, double *part)
{
    int found = 0;
    *part = 0;
    for (int i = 0; i < net->layer_count; i++) {
        const cnn_layer_norms *norms = &step->norms[i];
        if (!cnn_layer_has_parameters(&net->layers[i]) || !(norms->distance > *part * norms->weight))
            continue;
        *part = norms->distance / norms->weight;
        found = i;
    }
    return found;
}

static int tell_idle(early_signs *signs, early_sign_kind kind, const char *layer, double part,
                     const char *gradient, early_sign *out)
{
    const double n = (double)signs->done.rows;
    snprintf(out->evidence, sizeof out->evidence,
             "loss %.4g and accuracy %.1f %% of the last %llu steps are no better than a guess (%.4g, %.1f "
             "%%); the weights of %s are %.2g of their length away from their beginning%s",
             signs->done.loss / n, 100 * signs->done.accuracy / n, (unsigned long long)signs->done.rows,
             signs->guess_loss, 100 * signs->guess_accuracy, layer, part, gradient);
    return tell(signs, kind, out);
}

/* A training that is no better than a guess has thrown its weights far away, or has hardly moved them. */
static int find_idleness(early_signs *signs, const cnn_step *step, const cnn_net *net, early_sign *out)
{
    double part;
    if (signs->told[SIGN_STUCK] || signs->told[SIGN_NO_PROGRESS] || !signs->idle_blocks)
        return 0;
    const int layer = farthest(step, net, &part);
    const char *name = net->layers[layer].name;
    const int is_thrown = part >= FAR_AWAY;
    if (is_thrown && !signs->done.has_gradient)
        return tell_idle(signs, SIGN_STUCK, name, part, ", and no weight gets a gradient", out);
    if (is_thrown && signs->idle_blocks > 1)
        return tell_idle(signs, SIGN_STUCK, name, part, "", out);
    if (signs->idle_blocks < PATIENCE)
        return 0;
    return tell_idle(signs, SIGN_NO_PROGRESS, name, part, "", out);
}

static int find_dead(early_signs *signs, const cnn_net *net, early_sign *out)
{
    dead_filters_found found;
    if (signs->told[SIGN_DEAD_FILTERS] || !dead_filters_worst(signs->dead, net, &found) ||
        found.dead < TOO_MANY_DEAD * found.count)
        return 0;
    snprintf(out->evidence, sizeof out->evidence,
             "no gradient has reached %d of the %d filters of %s in %d looks over the last %llu steps",
             found.dead, found.count, found.layer, found.looks, (unsigned long long)signs->done.rows);
    return tell(signs, SIGN_DEAD_FILTERS, out);
}

int early_signs_take(early_signs *signs, const cnn_step *step, const cnn_net *net, uint32_t batch,
                     early_sign *out)
{
    if (step->step <= signs->from)
        return 0;
    if (step->step != signs->last) {
        take_row(signs, step, net, batch);
        if (signs->has_block)
            signs->idle_blocks = makes_progress(signs) ? 0 : signs->idle_blocks + 1;
    }
    if (find_divergence(signs, step, net, out))
        return 1;
    return signs->has_block && (find_idleness(signs, step, net, out) || find_dead(signs, net, out));
}
