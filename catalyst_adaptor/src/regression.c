/* SPDX-License-Identifier: BSD-3-Clause */
#include "regression.h"
#include <float.h>
#include <math.h>

/* Rates of forgetting that are averaged over: from deviations that hardly change along x to independent ones.
 */
#define RATES       40
#define SLOWEST     0.1 /* times 1 / (unit of x) */
#define INDEPENDENT 5.0 /* times 1 / (spacing of the points): a correlation of e^-5 */

/* Of one rate. */
typedef struct one_fit {
    double b, variance;
    double restricted, full; /* logarithms of the likelihoods */
} one_fit;

/* Sums over whitened points. */
typedef struct sums {
    double ff, fs, ss, fy, sy, yy, log_determinant;
} sums;

/* An exponential correlation is that of a Markov chain: whitening a point takes its neighbour only. */
static sums whiten(const ws_regression *points, double rate)
{
    sums total = {0};
    for (int i = 0; i < points->count; i++) {
        const double keep = i ? exp(-rate * (points->x[i] - points->x[i - 1])) : 0;
        const double variance = -expm1(2 * (i ? -rate * (points->x[i] - points->x[i - 1]) : -INFINITY));
        const double scale = 1 / sqrt(variance);
        const int before = i ? i - 1 : 0;
        const double f = scale * (points->first[i] - keep * points->first[before]),
                     s = scale * (points->second[i] - keep * points->second[before]),
                     y = scale * (points->y[i] - keep * points->y[before]);
        total.ff += f * f;
        total.fs += f * s;
        total.ss += s * s;
        total.fy += f * y;
        total.sy += s * y;
        total.yy += y * y;
        total.log_determinant += log(variance);
    }
    return total;
}

/* Generalised least squares of one rate; restricted likelihood: Harville, J. Am. Stat. Assoc. 72 (1977). */
static int fit(const ws_regression *points, double rate, one_fit *out)
{
    const sums of = whiten(points, rate);
    const double determinant = of.ff * of.ss - of.fs * of.fs;
    if (!(determinant > 1e-12 * of.ff * of.ss))
        return -1;
    const double a = (of.ss * of.fy - of.fs * of.sy) / determinant,
                 b = (of.ff * of.sy - of.fs * of.fy) / determinant, left = of.yy - a * of.fy - b * of.sy;
    /* Points on a line have no deviations but those of rounding. */
    const double squares = fmax(left, of.yy * points->count * DBL_EPSILON + DBL_MIN);
    const int free = points->count - 2;
    *out = (one_fit){
        .b = b,
        .variance = squares / free * of.ff / determinant,
        .restricted = -0.5 * (free * log(squares) + of.log_determinant + log(determinant)),
        .full = -0.5 * (points->count * log(squares / points->count) + of.log_determinant),
    };
    return 0;
}

int ws_regress(const ws_regression *points, ws_regression_result *out)
{
    one_fit fits[RATES];
    double rates[RATES], best = -INFINITY, likelihood = -INFINITY;
    const int count = points->count;
    const double spacing = (points->x[count - 1] - points->x[0]) / (count - 1);
    const double ratio = log(fmax(INDEPENDENT / spacing, 10 * SLOWEST) / SLOWEST);
    for (int i = 0; i < RATES; i++) {
        rates[i] = SLOWEST * exp(ratio * i / (RATES - 1));
        if (fit(points, rates[i], &fits[i]))
            return -1;
        best = fmax(best, fits[i].restricted);
        likelihood = fmax(likelihood, fits[i].full);
    }
    double weights = 0, b = 0, log_rate = 0, variance = 0;
    for (int i = 0; i < RATES; i++) {
        const double weight = exp(fits[i].restricted - best);
        weights += weight;
        b += weight * fits[i].b;
        log_rate += weight * log(rates[i]);
    }
    b /= weights;
    for (int i = 0; i < RATES; i++) {
        const double away = fits[i].b - b;
        variance += exp(fits[i].restricted - best) / weights * (fits[i].variance + away * away);
    }
    *out = (ws_regression_result){b, sqrt(variance), exp(log_rate / weights), likelihood};
    return 0;
}
