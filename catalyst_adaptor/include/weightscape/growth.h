/* SPDX-License-Identifier: BSD-3-Clause */
/* What a walk of weights says: how it grows, along which directions, how straight; measured, with intervals.
 * docs/diagnosis.md has the formulas and their sources.
 *
 * Pure functions: any thread, nothing is kept, nothing depends on the locale. Struct sizes are set by the
 * caller, as in insitu.h. */
#ifndef WEIGHTSCAPE_GROWTH_H
#define WEIGHTSCAPE_GROWTH_H

#include "insitu.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A number and the ends of its 95 % interval. NaN: not known. */
typedef struct ws_measured {
    double value, low, high;
} ws_measured;

typedef enum ws_growth_state {
    WS_GROWTH_KNOWN = 0,
    WS_GROWTH_TOO_SHORT = 1, /* less than WS_GROWTH_STEPS steps: nothing is guessed */
    WS_GROWTH_NONE = 2,      /* it does not grow: not above zero over a factor WS_GROWTH_SPAN of steps up to
                                the end */
    WS_GROWTH_NO_VALUES = 3, /* no finite values */
} ws_growth_state;

typedef enum ws_growth_law {
    WS_LAW_OPEN = 0, /* neither is better by WS_GROWTH_CLEAR */
    WS_LAW_ROOT = 1, /* a + b sqrt(t) */
    WS_LAW_LOG = 2,  /* a + b ln t */
} ws_growth_law;

#define WS_GROWTH_STEPS 200 /* shortest run of which a growth is told */
#define WS_GROWTH_SPAN  8   /* least quotient of the last and the first step of a fit */
#define WS_GROWTH_CLEAR 6.0 /* difference of AIC from which one law is told to be the better one */

/* How one quantity grows with the step t. */
typedef struct ws_growth {
    uint32_t size;        /* sizeof(ws_growth), set by the caller */
    int32_t state;        /* ws_growth_state; of any but KNOWN all that follows is 0 or NaN */
    ws_measured exponent; /* p of t^p */
    int32_t law;          /* ws_growth_law */
    double preference;    /* AIC of a + b ln t minus that of a + b sqrt(t): above 0 sqrt(t) is better */
    double root_misfit;   /* root mean square of (value - law) / value, of a + b sqrt(t) */
    double log_misfit;    /* the same of a + b ln t */
    uint64_t first, last; /* steps of the fit: from the last two decades of the run */
    uint32_t points;      /* steps used, evenly spaced in ln t */
    double correlation;   /* factor in t over which deviations are forgotten, averaged over what is likely */
} ws_growth;

/* Fits values[count] > 0 at steps[count], which rise; rows without a finite value do not count, nor does what
 * is before a value that is not above 0. The interval is that of generalised least squares for deviations
 * that are correlated exponentially in ln t (a self-similar walk is stationary there: Lamperti 1962),
 * averaged over the unknown correlation by its restricted likelihood (Harville 1977). WS_BAD_ARGUMENT: *out
 * is untouched. */
WS_API int ws_growth_fit(const double *steps, const double *values, uint64_t count, ws_growth *out);

/* gamma = d ln D^2 / d ln t of distances D over the steps from..to (from >= 1), with its interval, as above:
 * 2 drift, 1 diffusion, below 1 trapped. Rows without a finite distance do not count. NaN with fewer than
 * eight steps or a factor of less than 1.05 between them, or with a distance that is not above 0. */
WS_API ws_measured ws_growth_slope(const double *steps, const double *distances, uint64_t count,
                                   uint64_t from, uint64_t to);

/* The same at each step, over the last half of the steps up to it (t/2..t), without interval: gamma[count],
 * NaN where there are fewer than eight. Every row counts alike. */
WS_API void ws_growth_slopes(const double *steps, const double *distances, uint64_t count, double *gamma);

/* The part of a pure random walk's variance that lies along its k-th principal component, k from 1, in many
 * dimensions and steps: 6 / (pi^2 k^2), 60.8, 15.2, 6.8 %. Antognini, Sohl-Dickstein, "PCA of high
 * dimensional random walks with comparison to neural network training", NeurIPS 2018. */
WS_API double ws_walk_null(int k);

#define WS_STORY_COMPONENTS 3

/* What the history of a run tells of one layer. */
typedef struct ws_story_layer {
    const char *name;
    int32_t kind;                      /* ws_layer_kind */
    double initial;                    /* L2 norm of the first weights; NaN in histories that have it not */
    double weight, gradient, distance; /* L2 norms at the last step */
    ws_growth norm_growth;             /* of weight minus initial (or minus that of the first row) */
    ws_growth distance_growth;         /* of the distance from the first weights */
    ws_measured gamma;                 /* over the window */
    ws_measured gamma_before;          /* over as many times as many steps before it (t/4..t/2 for t/2..t) */
    double walked;                     /* over the window, from the sketch: length of the path */
    double straightness;    /* net displacement / path, 0 to 1; a random walk has 1 / sqrt(steps) */
    double update_ratio;    /* mean length of a step / mean norm of the weights */
    double gradient_change; /* mean gradient norm over the window / over the run's first tenth */
    double explained[WS_STORY_COMPONENTS]; /* of the whole walk: variance along the components, parts of 1 */
    uint64_t window_steps;                 /* steps that walked, straightness and update_ratio are of */
} ws_story_layer;

typedef struct ws_story {
    uint32_t size;
    uint32_t layer_count;
    ws_story_layer *layers;
    uint64_t rows, last_step;
    uint64_t from; /* the window: steps from..last_step */
    double loss, accuracy, learning_rate, validation_loss, validation_accuracy; /* at the last step */
} ws_story;

/* Reads the history of a run (FOLDER/history.ws), also while it grows. `window`: how many of the last steps
 * are the window; 0: half of the run. What only convolutions have (walked, straightness, update_ratio,
 * explained) is NaN of others. Memory does not depend on the length of the run. Errors: WS_BAD_FILE (names
 * the file and what is wrong), WS_IO_FAILED, WS_NO_MEMORY; *out is untouched. Free with ws_story_free. */
WS_API int ws_story_read(const char *path, uint64_t window, ws_story **out);
WS_API void ws_story_free(ws_story *story); /* NULL is allowed */

#ifdef __cplusplus
}
#endif
#endif
