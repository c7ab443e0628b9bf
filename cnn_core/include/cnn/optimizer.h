/* SPDX-License-Identifier: BSD-3-Clause */
/* SGD, momentum and Adam over a network's arena, with the norms that fall out of the same pass. */
#ifndef CNN_OPTIMIZER_H
#define CNN_OPTIMIZER_H

#include "cnn/net.h"
#include "cnn/threads.h"
#include <stdint.h>

typedef enum cnn_optimizer_kind {
    CNN_SGD,      /* w -= lr g */
    CNN_MOMENTUM, /* v = mu v + g; w -= lr v      (PyTorch's SGD with momentum, no dampening) */
    CNN_ADAM,     /* Kingma & Ba arXiv 1412.6980, algorithm 1, with PyTorch's placing of epsilon */
} cnn_optimizer_kind;

typedef struct cnn_optimizer_options {
    cnn_optimizer_kind kind;
    double momentum;     /* mu, [0, 1); default 0.9 */
    double beta1, beta2; /* [0, 1); default 0.9, 0.999 */
    double epsilon;      /* > 0; default 1e-8 */
    double weight_decay; /* >= 0; added to the gradient as weight_decay * w, for weights and biases */
} cnn_optimizer_options;

/* L2 norms of one layer's weight tensor (without the bias), summed in double. */
typedef struct cnn_layer_norms {
    double weight;   /* of the weights after the step */
    double gradient; /* of the gradient that the step used, before weight decay */
    double distance; /* of weights after the step minus initial weights */
} cnn_layer_norms;

/* Sums of squares of a stretch of parameters. */
typedef struct cnn_squares {
    double weight, gradient, distance;
} cnn_squares;

typedef struct cnn_optimizer {
    cnn_optimizer_options options;
    size_t count;         /* parameters, as in the network's arena */
    int moment_count;     /* 0 SGD, 1 momentum, 2 Adam */
    float *moments[2];    /* momentum buffer; or first and second moment; layout of the arena */
    cnn_squares *squares; /* scratch of a step: partial sums */
} cnn_optimizer;

/* The defaults above with `kind`. */
cnn_optimizer_options cnn_optimizer_defaults(cnn_optimizer_kind kind);

/* "sgd", "momentum" or "adam"; CNN_BAD_ARGUMENT for another name. */
int cnn_optimizer_parse(const char *name, cnn_optimizer_kind *out);
const char *cnn_optimizer_name(cnn_optimizer_kind kind);

/* Name of moment 0 or 1 as PyTorch has it: momentum_buffer; exp_avg, exp_avg_sq. */
const char *cnn_optimizer_moment_name(cnn_optimizer_kind kind, int moment);

/* Zeroed moments for `net`. Errors: CNN_BAD_ARGUMENT (names the option), CNN_NO_MEMORY. */
int cnn_optimizer_create(const cnn_optimizer_options *options, const cnn_net *net, cnn_optimizer **out);
void cnn_optimizer_free(cnn_optimizer *optimizer);

/* Change what the next step uses; moments stay as they are. Errors: CNN_BAD_ARGUMENT (names the option, the
 * value and the limit), after which nothing is changed.
 * momentum: mu of CNN_MOMENTUM, beta1 of CNN_ADAM, whose bias correction then takes it to have been this one
 * from the start, as PyTorch's does; CNN_SGD has none. [0, 1), also as float32. */
int cnn_optimizer_set_momentum(cnn_optimizer *optimizer, double momentum);
/* weight_decay: [0, 1e6) */
int cnn_optimizer_set_weight_decay(cnn_optimizer *optimizer, double weight_decay);

/* mu or beta1, whichever the kind has; 0 for CNN_SGD. */
double cnn_optimizer_momentum(const cnn_optimizer *optimizer);

/* One update of all parameters from the gradients. `step` counts from 1 (Adam's bias correction). `norms`:
 * array of net->layer_count, filled for layers with parameters, zero for others. The result does not depend
 * on the number of threads. */
void cnn_optimizer_step(cnn_optimizer *optimizer, cnn_net *net, cnn_threads *threads, double learning_rate,
                        uint64_t step, cnn_layer_norms *norms);

#endif
