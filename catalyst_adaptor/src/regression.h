/* SPDX-License-Identifier: BSD-3-Clause */
/* Straight lines through points whose deviations are correlated along x. */
#ifndef WEIGHTSCAPE_REGRESSION_H
#define WEIGHTSCAPE_REGRESSION_H

#ifdef __cplusplus
extern "C" {
#endif

#define WS_REGRESSION_MOST 64 /* points */

/* y = a * first + b * second + deviation; deviations at x and x' have the correlation exp(-rate |x - x'|). */
typedef struct ws_regression {
    int count; /* 3..WS_REGRESSION_MOST */
    const double *x, *y, *first, *second;
} ws_regression;

typedef struct ws_regression_result {
    double b, error;   /* averaged over the rates by their restricted likelihood; standard error */
    double rate;       /* geometric mean over the same */
    double likelihood; /* greatest logarithm of the full likelihood over all rates */
} ws_regression_result;

/* Returns 0, or -1 if first and second are (nearly) proportional to one another. */
int ws_regress(const ws_regression *points, ws_regression_result *out);

#ifdef __cplusplus
}
#endif
#endif
