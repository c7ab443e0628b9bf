/* SPDX-License-Identifier: BSD-3-Clause */
/* The training of one network on one data set, step by step, and who may watch it.
 *
 * All randomness is a function of (seed, step) and of the course, so the state of a training is: parameters,
 * moments, step, the options in force and the course. */
#ifndef CNN_TRAINER_H
#define CNN_TRAINER_H

#include "cnn/course.h"
#include "cnn/dataset.h"
#include "cnn/net.h"
#include "cnn/optimizer.h"
#include "cnn/pass.h"
#include "cnn/ranks.h"
#include "cnn/schedule.h"
#include "cnn/threads.h"
#include <stdint.h>

/* What one rank had of a step. */
typedef struct cnn_rank_row {
    uint32_t images;  /* of the batch; may be 0 */
    uint32_t correct; /* of them */
    double loss_sum;  /* over them */
    double
        gradient_squares; /* of its own gradient, before ranks are summed: of the images' part of the mean */
    double busy_seconds;  /* from the step's order to its own gradient */
    double wait_seconds;  /* then, until the gradients of all were summed */
} cnn_rank_row;

/* Means over its own images; NaN without any. The norm is that of the gradient of that mean loss. */
double cnn_rank_row_loss(const cnn_rank_row *row);
double cnn_rank_row_gradient(const cnn_rank_row *row, uint32_t batch);

/* What happened in one step. */
typedef struct cnn_step {
    uint64_t step;                /* from 1; 0 is the initial state, of which there is no loss (NaN) */
    double epoch;                 /* epochs completed after this step, as cnn_course_epochs */
    double loss;                  /* mean over the batch, before the update */
    double accuracy;              /* of the same batch, [0, 1] */
    double learning_rate;         /* that the update used */
    const cnn_layer_norms *norms; /* [net->layer_count], after the update; borrowed */
    uint32_t batch;               /* images of the step, of all ranks; 0: there was none */
    int rank_count;               /* 1: this process alone */
    const cnn_rank_row *ranks;    /* [rank_count]; NULL: this process alone, or no step; borrowed */
} cnn_step;

/* The one table through which others see a training. Every function may be NULL. They are called from the
 * thread that calls cnn_trainer_step, between two steps; what they see is const and valid during the call. */
typedef struct cnn_observer {
    void *context;
    /* After every step: its row of numbers. Must be cheap. */
    void (*row)(void *context, const cnn_step *step);
    /* The next step at which `frame` wants to be called; read as one word after every step. NULL: never. */
    const volatile uint64_t *next_frame;
    /* At such a step: weights, gradients (net->layers) and what the pass has kept (cnn_pass_output). */
    void (*frame)(void *context, const cnn_step *step, const cnn_net *net, const cnn_pass *pass);
} cnn_observer;

typedef struct cnn_trainer_options {
    cnn_optimizer_options optimizer;
    cnn_schedule schedule;
    double learning_rate; /* > 0, finite */
    uint64_t total_steps; /* the schedule's end; the trainer itself does not stop there */
    uint32_t
        batch; /* >= 1; the last batch of an epoch may be shorter; larger than the set: one short batch */
    const cnn_ranks *ranks; /* those that share the batches; borrowed; NULL: this process alone */
} cnn_trainer_options;

/* What a trainer keeps about its ranks. */
typedef struct cnn_sharing cnn_sharing;

typedef struct cnn_trainer {
    cnn_trainer_options options;
    cnn_net *net;             /* borrowed */
    const cnn_dataset *set;   /* borrowed */
    cnn_threads *threads;     /* borrowed, may be NULL */
    cnn_optimizer *optimizer; /* owned */
    cnn_pass *pass;           /* owned */
    cnn_layer_norms *norms;   /* owned, [net->layer_count] */
    uint32_t *order;          /* owned: this epoch's order of the images */
    uint64_t order_epoch;     /* the epoch that `order` belongs to */
    uint64_t step;            /* steps done */
    cnn_course course;        /* where epochs end; its batch is that of the options */
    uint32_t room;            /* images that the pass has memory for */
    cnn_sharing *sharing;     /* owned; NULL: this process alone */
} cnn_trainer;

/* A trainer at step 0. Borrows net, set and threads. Errors: CNN_BAD_ARGUMENT (names the option; empty set; a
 * set whose image shape is not the network's), CNN_NO_MEMORY. Free with cnn_trainer_free. */
int cnn_trainer_create(const cnn_trainer_options *options, cnn_net *net, const cnn_dataset *set,
                       cnn_threads *threads, cnn_trainer **out);
void cnn_trainer_free(cnn_trainer *trainer);

/* Change what the next step uses, between two steps. Errors: CNN_BAD_ARGUMENT (the message names the thing,
 * the value and the limit), CNN_NO_MEMORY; nothing is changed then. learning_rate: the base, which the
 * schedule multiplies; > 0, finite. */
int cnn_trainer_set_learning_rate(cnn_trainer *trainer, double learning_rate);
/* Its steps count from the training's first one, as ever. */
int cnn_trainer_set_schedule(cnn_trainer *trainer, const cnn_schedule *schedule);
/* As cnn_optimizer_set_momentum and cnn_optimizer_set_weight_decay. */
int cnn_trainer_set_momentum(cnn_trainer *trainer, double momentum);
int cnn_trainer_set_weight_decay(cnn_trainer *trainer, double weight_decay);
/* The rate of all dropout layers, [0, 1), also as float32; refused where there is none. The spec of the
 * network keeps the rates that it began with. */
int cnn_trainer_set_dropout(cnn_trainer *trainer, double rate);
/* Images in a batch, 1..images of the set. The epoch goes on at the same image (cnn_course_turn). If more
 * memory is needed, the pass is another one after it, and of the last batch's activations nothing is left.
 * The schedule's end, total_steps, stays. */
int cnn_trainer_set_batch(cnn_trainer *trainer, uint32_t batch);

/* Goes on with another network of the same chain of layers, of other widths where filters were merged, and
 * with the optimiser that belongs to it. Step, course and all options stay, and the rates that dropout layers
 * have now; the norms stay those of the step that was made last, and of its activations nothing is left.
 * Borrows `net`, owns `optimizer`; the optimiser before it is freed, the network before it is the caller's.
 * Errors: CNN_BAD_ARGUMENT (images, classes, layers, or the kind or size of the optimiser differ),
 * CNN_NO_MEMORY; nothing is changed then, and `optimizer` is still the caller's. */
int cnn_trainer_replace(cnn_trainer *trainer, cnn_net *net, cnn_optimizer *optimizer);

/* One step: next batch, forward, backward, update; then the observer (may be NULL). *out may be NULL. Returns
 * CNN_NOT_FINITE, after the observer has been called, if loss, a gradient norm or a weight norm is not
 * finite: the message names the step and the first layer; training can go on all the same. */
int cnn_trainer_step(cnn_trainer *trainer, const cnn_observer *observer, cnn_step *out);

/* Shows the state of step 0 (or of a resumed step) to the observer's frame without a step. */
void cnn_trainer_show(cnn_trainer *trainer, const cnn_observer *observer);

/* ---- several ranks ----
 *
 * With ranks, rank 0 has a trainer like any other, whose options name them; the others have a cnn_follower
 * (cnn/follower.h), which does what rank 0's trainer orders. A batch, the order of images, dropout and the
 * schedule are those of one process: each rank does a share of the batch, the gradients are summed, and all
 * make the same update. What cnn_trainer_step returns then may be CNN_RANKS_FAILED: the step was not made,
 * parameters, moments and step are those before it, and no rank can be reached any more. */

/* Brings the followers to the state of rank 0's trainer unless they are there; steps do it by themselves.
 * Errors: CNN_RANKS_FAILED, and those of a follower that could not follow. No ranks: nothing. */
int cnn_trainer_tell(cnn_trainer *trainer);

/* Compares the parameters of all ranks, by a hash: CNN_RANKS_FAILED names the step and the first rank whose
 * parameters are not those of rank 0. No ranks: nothing. */
int cnn_trainer_check(cnn_trainer *trainer);

/* Loss and accuracy of a network over a whole set, for any batch size the same number of images. */
typedef struct cnn_evaluation {
    uint32_t count;
    uint32_t correct;
    double loss;     /* mean; NaN for an empty set */
    double accuracy; /* correct / count; NaN for an empty set */
} cnn_evaluation;

/* Errors: CNN_NO_MEMORY, CNN_BAD_ARGUMENT (image shape or classes differ from the network's). */
int cnn_evaluate(cnn_net *net, const cnn_dataset *set, uint32_t batch, cnn_threads *threads,
                 cnn_evaluation *out);

/* The same of a trainer's network, over the set that validates, which followers have, too: each rank does
 * some of its batches. The result is the same to the bit for any number of ranks. Errors: those of
 * cnn_evaluate, of any rank, and CNN_RANKS_FAILED. */
int cnn_trainer_evaluate(cnn_trainer *trainer, const cnn_dataset *set, uint32_t batch, cnn_evaluation *out);

/* What all ranks call for that at once. NULL ranks: as cnn_evaluate. */
int cnn_evaluate_shared(const cnn_ranks *ranks, cnn_net *net, const cnn_dataset *set, uint32_t batch,
                        cnn_threads *threads, cnn_evaluation *out);

#endif
