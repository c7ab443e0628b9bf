/* SPDX-License-Identifier: BSD-3-Clause */
/* What the numbers of a layer mean, in words. */
#include "diagnose_parts.h"
#include "text.h"
#include <math.h>
#include <stdlib.h>

/* The same with one more part; frees `text` and `more`. */
static char *join(char *text, char *more)
{
    char *longer = text_format("%s%s%s", text, *text ? "; " : "", more);
    free(text);
    free(more);
    return longer;
}

static int holds(const ws_measured *measured, double value)
{
    return measured->low <= value && value <= measured->high;
}

static const char *beside_root(const ws_measured *exponent)
{
    return holds(exponent, 0.5)   ? "as sqrt(t) does"
           : exponent->high < 0.5 ? "slower than sqrt(t)"
                                  : "faster than sqrt(t)";
}

static char *law_text(const ws_growth *growth)
{
    const double root = 100 * growth->root_misfit, log_ = 100 * growth->log_misfit;
    switch (growth->law) {
    case WS_LAW_ROOT:
        return text_format("a + b sqrt(t) fits it better than a + b ln t, misfit %.1f %% against %.1f %%",
                           root, log_);
    case WS_LAW_LOG:
        return text_format("a + b ln t fits it better than a + b sqrt(t), misfit %.1f %% against %.1f %%",
                           log_, root);
    default:
        return text_format("whether sqrt(t) or ln t fits it better is open, misfit %.1f and %.1f %%", root,
                           log_);
    }
}

static char *growth_text(const char *what, const ws_growth *growth)
{
    const ws_measured *p = &growth->exponent;
    switch (growth->state) {
    case WS_GROWTH_TOO_SHORT:
        return text_format("%s: too short a run to tell (less than %d steps)", what, WS_GROWTH_STEPS);
    case WS_GROWTH_NONE:
        return text_format("%s does not grow", what);
    case WS_GROWTH_NO_VALUES:
        return text_format("%s has no finite values", what);
    default:
        break;
    }
    char *law = law_text(growth);
    char *text = text_format("%s grows as t^%.2f [%.2f, %.2f], %s (%s)", what, p->value, p->low, p->high,
                             beside_root(p), law);
    free(law);
    return text;
}

/* An exponent over two decades is a mean; where the slope has changed, that must be told. */
static char *mean_text(const ws_story_layer *layer)
{
    const ws_measured *mean = &layer->distance_growth.exponent, *gamma = &layer->gamma;
    const int differs = gamma->low / 2 > mean->high || gamma->high / 2 < mean->low;
    return differs ? text_format("no single power holds: the exponent of the window alone is %.2f",
                                 gamma->value / 2)
                   : NULL;
}

static const char *kind_of_walk(const ws_measured *gamma)
{
    if (holds(gamma, 2))
        return "a drift";
    if (gamma->low > 2)
        return "an accelerating drift";
    if (holds(gamma, 1))
        return "like diffusion";
    return gamma->high < 1 ? "trapped: slower than diffusion" : "between diffusion and drift";
}

static char *gamma_text(const ws_story *story, const ws_story_layer *layer)
{
    const ws_measured *now = &layer->gamma, *before = &layer->gamma_before;
    if (isnan(now->value))
        return text_format("its local slope is not known");
    char *text =
        text_format("since step %llu it is %s, gamma %.2f [%.2f, %.2f]", (unsigned long long)story->from,
                    kind_of_walk(now), now->value, now->low, now->high);
    if (isnan(before->value))
        return text;
    char *longer = text_format("%s (%.2f before)", text, before->value);
    free(text);
    return longer;
}

static char *straightness_text(const ws_story_layer *layer)
{
    if (layer->kind == WS_CONVOLUTION && layer->window_steps && layer->walked == 0)
        return text_format("it has not moved at all in %llu steps", (unsigned long long)layer->window_steps);
    const double times = layer->straightness * sqrt((double)layer->window_steps);
    return text_format("its walk is %.1f times as straight as one at random", times);
}

static char *components_text(const ws_story_layer *layer)
{
    const double first = layer->explained[0], null = ws_walk_null(1);
    return text_format("%.1f %% of it lie along one direction, where a random walk has %.1f %%", 100 * first,
                       100 * null);
}

char *diagnosis_sentence(const ws_story *story, const ws_story_layer *layer)
{
    char *text = growth_text("the norm", &layer->norm_growth);
    text = join(text, growth_text("the distance from the start", &layer->distance_growth));
    char *mean = mean_text(layer);
    if (mean)
        text = join(text, mean);
    if (layer->distance_growth.state != WS_GROWTH_TOO_SHORT)
        text = join(text, gamma_text(story, layer));
    if (isfinite(layer->straightness) || layer->walked == 0)
        text = join(text, straightness_text(layer));
    if (isfinite(layer->explained[0]))
        text = join(text, components_text(layer));
    return text;
}
