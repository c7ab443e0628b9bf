/* SPDX-License-Identifier: BSD-3-Clause */
#include "weightscape/growth.h"
#include "message.h"
#include "regression.h"
#include <math.h>

#define EARLIEST     10   /* the first steps are those of the optimiser's own beginning */
#define RUN_PART     100  /* the fit begins at this part of the run: two decades */
#define LEAST        8    /* points of a slope, */
#define LEAST_OF_FIT 16   /* and of a fit */
#define LEAST_RATIO  1.05 /* between the steps of a slope */
#define QUANTILE     2.0  /* Student's t, 95 %, for 60 degrees of freedom */

/* Points that are evenly spaced in the logarithm of the step. */
typedef struct line {
    int count;
    double x[WS_REGRESSION_MOST], y[WS_REGRESSION_MOST]; /* ln t, ln value */
    double step[WS_REGRESSION_MOST];
} line;

static const ws_measured unknown = {NAN, NAN, NAN};

/* The first of steps[from..count) that is not below `step`; count if all are. */
static uint64_t find(const double *steps, uint64_t from, uint64_t count, double step)
{
    uint64_t low = from, high = count;
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        if (steps[middle] < step)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Takes up to `most` of the rows from..to that have a value, each once. Values are above 0. */
static void choose(const double *steps, const double *values, uint64_t from, uint64_t to, int most, line *out)
{
    const double ratio = log(steps[to] / steps[from]);
    uint64_t next = from;
    out->count = 0;
    for (int i = 0; i < most && next <= to; i++) {
        /* The factor keeps rounding from skipping the very row that is meant. */
        const double wanted = steps[from] * exp(ratio * i / (most - 1)) * (1 - 1e-12);
        uint64_t row = find(steps, next, to, wanted);
        while (row <= to && !isfinite(values[row]))
            row++;
        if (row > to)
            break;
        out->step[out->count] = steps[row];
        out->x[out->count] = log(steps[row]);
        out->y[out->count++] = log(values[row]);
        next = row + 1;
    }
}

static int is_good(double value)
{
    return value > 0 && isfinite(value);
}

static ws_measured interval_of(const ws_regression_result *result, double times)
{
    const double half = QUANTILE * result->error;
    return (ws_measured){times * result->b, times * (result->b - half), times * (result->b + half)};
}

static int regress(const line *points, ws_regression_result *out)
{
    double ones[WS_REGRESSION_MOST];
    for (int i = 0; i < points->count; i++)
        ones[i] = 1;
    const ws_regression straight = {points->count, points->x, points->y, ones, points->x};
    return ws_regress(&straight, out);
}

/* ---- Which law is better. */

typedef struct law_fit {
    double likelihood, misfit;
} law_fit;

/* a + b g(t), where deviations are measured in units of the power law that fits best. */
static int fit_law(const line *points, const double *power, int is_root, law_fit *out)
{
    double y[WS_REGRESSION_MOST], first[WS_REGRESSION_MOST], second[WS_REGRESSION_MOST];
    double ff = 0, fs = 0, ss = 0, fy = 0, sy = 0;
    for (int i = 0; i < points->count; i++) {
        y[i] = exp(points->y[i]) / power[i];
        first[i] = 1 / power[i];
        second[i] = (is_root ? sqrt(points->step[i]) : points->x[i]) / power[i];
        ff += first[i] * first[i];
        fs += first[i] * second[i];
        ss += second[i] * second[i];
        fy += first[i] * y[i];
        sy += second[i] * y[i];
    }
    ws_regression_result result;
    const ws_regression law = {points->count, points->x, y, first, second};
    if (ws_regress(&law, &result))
        return -1;
    const double determinant = ff * ss - fs * fs, a = (ss * fy - fs * sy) / determinant,
                 b = (ff * sy - fs * fy) / determinant;
    double squares = 0;
    for (int i = 0; i < points->count; i++) {
        const double part = (y[i] - a * first[i] - b * second[i]) / y[i];
        squares += part * part;
    }
    *out = (law_fit){result.likelihood, sqrt(squares / points->count)};
    return 0;
}

/* Both laws have as many parameters: the difference of their AIC (Akaike 1974) is that of the likelihoods. */
static void compare_laws(const line *points, double exponent, ws_growth *out)
{
    double power[WS_REGRESSION_MOST], mean = 0;
    for (int i = 0; i < points->count; i++)
        mean += (points->y[i] - exponent * points->x[i]) / points->count;
    for (int i = 0; i < points->count; i++)
        power[i] = exp(mean + exponent * points->x[i]);
    law_fit root, logarithm;
    if (fit_law(points, power, 1, &root) || fit_law(points, power, 0, &logarithm))
        return;
    out->preference = 2 * (root.likelihood - logarithm.likelihood);
    out->root_misfit = root.misfit;
    out->log_misfit = logarithm.misfit;
    out->law = out->preference >= WS_GROWTH_CLEAR    ? WS_LAW_ROOT
               : out->preference <= -WS_GROWTH_CLEAR ? WS_LAW_LOG
                                                     : WS_LAW_OPEN;
}

/* ---- The fit. */

static ws_growth without(int state)
{
    return (ws_growth){.size = sizeof(ws_growth),
                       .state = state,
                       .exponent = unknown,
                       .preference = NAN,
                       .root_misfit = NAN,
                       .log_misfit = NAN,
                       .correlation = NAN};
}

/* The rows of the fit, or why there are none. */
static int find_range(const double *steps, const double *values, uint64_t count, uint64_t *from, uint64_t *to)
{
    while (count > 0 && !isfinite(values[count - 1]))
        count--;
    if (count == 0)
        return WS_GROWTH_NO_VALUES;
    *to = count - 1;
    const double last = steps[*to];
    if (last < WS_GROWTH_STEPS)
        return WS_GROWTH_TOO_SHORT;
    const double first = fmax(EARLIEST, last / RUN_PART);
    uint64_t good = *to + 1;
    for (uint64_t row = *to + 1; row > 0 && steps[row - 1] >= first; row--) {
        if (is_good(values[row - 1]))
            good = row - 1;
        else if (isfinite(values[row - 1]))
            break;
    }
    if (good > *to || steps[good] * WS_GROWTH_SPAN > last)
        return WS_GROWTH_NONE;
    *from = good;
    return WS_GROWTH_KNOWN;
}

int ws_growth_fit(const double *steps, const double *values, uint64_t count, ws_growth *out)
{
    if (!out || out->size != sizeof *out || (count && (!steps || !values)))
        return ws_fail(WS_BAD_ARGUMENT, "growth: steps, values or a result of %zu bytes is missing",
                       sizeof *out);
    for (uint64_t i = 1; i < count; i++)
        if (!(steps[i] > steps[i - 1]))
            return ws_fail(WS_BAD_ARGUMENT, "growth: step %.17g of row %llu is not above that before it",
                           steps[i], (unsigned long long)i);
    uint64_t from = 0, to = 0;
    ws_growth found = without(find_range(steps, values, count, &from, &to));
    line points;
    ws_regression_result result;
    if (found.state == WS_GROWTH_KNOWN) {
        choose(steps, values, from, to, WS_REGRESSION_MOST, &points);
        if (points.count < LEAST_OF_FIT || regress(&points, &result))
            found = without(WS_GROWTH_TOO_SHORT);
    }
    if (found.state == WS_GROWTH_KNOWN) {
        found.exponent = interval_of(&result, 1);
        found.correlation = exp(1 / result.rate);
        found.first = (uint64_t)steps[from];
        found.last = (uint64_t)steps[to];
        found.points = (uint32_t)points.count;
        compare_laws(&points, result.b, &found);
    }
    *out = found;
    return WS_OK;
}

/* ---- Local slopes. */

ws_measured ws_growth_slope(const double *steps, const double *distances, uint64_t count, uint64_t from,
                            uint64_t to)
{
    const uint64_t first = find(steps, 0, count, (double)(from ? from : 1));
    uint64_t last = find(steps, first, count, (double)to);
    if (last == count || steps[last] > (double)to)
        last--;
    if (first >= count || last == UINT64_MAX || last < first + LEAST - 1 ||
        steps[last] < LEAST_RATIO * steps[first])
        return unknown;
    for (uint64_t i = first; i <= last; i++)
        if (isfinite(distances[i]) && !is_good(distances[i]))
            return unknown;
    line points;
    ws_regression_result result;
    choose(steps, distances, first, last, WS_REGRESSION_MOST, &points);
    return points.count < LEAST || regress(&points, &result) ? unknown : interval_of(&result, 2);
}

/* Sums over a window of rows that moves along; relative to its first row, so that they lose no digits. */
typedef struct moving {
    double x0, y0;
    double n, x, y, xx, xy;
} moving;

static void add(moving *sums, double step, double distance, double sign)
{
    const double x = log(step) - sums->x0, y = log(distance) - sums->y0;
    sums->n += sign;
    sums->x += sign * x;
    sums->y += sign * y;
    sums->xx += sign * x * x;
    sums->xy += sign * x * y;
}

void ws_growth_slopes(const double *steps, const double *distances, uint64_t count, double *gamma)
{
    moving sums = {0};
    uint64_t from = 0;
    for (uint64_t i = 0; i < count; i++) {
        gamma[i] = NAN;
        if (!isfinite(distances[i]))
            continue;
        if (!is_good(distances[i]) || !is_good(steps[i])) {
            sums = (moving){0};
            from = i + 1;
            continue;
        }
        if (sums.n == 0)
            sums = (moving){.x0 = log(steps[i]), .y0 = log(distances[i])};
        add(&sums, steps[i], distances[i], 1);
        for (; steps[from] < steps[i] / 2; from++)
            if (is_good(distances[from]) && is_good(steps[from]))
                add(&sums, steps[from], distances[from], -1);
        const double spread = sums.xx - sums.x * sums.x / sums.n;
        if (sums.n >= LEAST && spread > 0)
            gamma[i] = 2 * (sums.xy - sums.x * sums.y / sums.n) / spread;
    }
}

double ws_walk_null(int k)
{
    const double pi = 3.14159265358979323846;
    return 6 / (pi * pi * k * k);
}
