/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of the public API that reads what a run's history tells. */
#include "components.h"
#include "history_tail.h"
#include "message.h"
#include "walk_window.h"
#include "weightscape/growth.h"
#include <math.h>
#include <stdlib.h>

_Static_assert(WS_STORY_COMPONENTS == WS_COMPONENTS, "a story tells the components that there are");

/* A story with what it is made from. */
typedef struct telling {
    ws_story story; /* first: it is what the caller holds */
    ws_history_tail *tail;
    ws_curve *curve;
    ws_history_view view;
    ws_walk_window *windows;
    double *increase; /* [rows] */
} telling;

static const ws_measured unknown = {NAN, NAN, NAN};

static int no_memory(const char *path)
{
    return ws_fail(WS_NO_MEMORY, "%s: no memory to look at it", path);
}

/* Rows that have norms, and their steps. */
static const double *column(const telling *of, uint32_t number)
{
    return of->view.columns[number] + of->view.norms_from;
}

static uint64_t norm_rows(const telling *of)
{
    return of->view.rows - of->view.norms_from;
}

/* Histories of earlier versions, and of hosts that give no norms of step 0, have none there. */
static double initial_of(const telling *of, uint32_t weights)
{
    const double first = of->view.norms_from ? of->view.columns[weights][0] : NAN;
    return first > 0 && isfinite(first) ? first : NAN;
}

static int tell_growth(telling *of, uint32_t index, ws_story_layer *layer)
{
    const uint32_t weights = WS_SCALAR_COLUMNS + 3 * index;
    const uint64_t rows = norm_rows(of);
    const double *norm = column(of, weights), *steps = column(of, 0);
    const double start = isnan(layer->initial) ? norm[0] : layer->initial;
    for (uint64_t i = 0; i < rows; i++)
        of->increase[i] = norm[i] - start;
    layer->norm_growth.size = layer->distance_growth.size = sizeof(ws_growth);
    const int status = ws_growth_fit(steps, of->increase, rows, &layer->norm_growth);
    return status ? status : ws_growth_fit(steps, column(of, weights + 2), rows, &layer->distance_growth);
}

/* The quarter before the half, and the like. */
static uint64_t step_before(const ws_story *story)
{
    return story->from * story->from / story->last_step;
}

static void tell_slopes(const telling *of, uint32_t index, ws_story_layer *layer)
{
    const ws_story *story = &of->story;
    const double *steps = column(of, 0), *distance = column(of, WS_SCALAR_COLUMNS + 3 * index + 2);
    layer->gamma = layer->gamma_before = unknown;
    if (story->last_step < WS_GROWTH_STEPS)
        return;
    layer->gamma = ws_growth_slope(steps, distance, norm_rows(of), story->from, story->last_step);
    layer->gamma_before = ws_growth_slope(steps, distance, norm_rows(of), step_before(story), story->from);
}

static void tell_walk(const telling *of, uint32_t index, uint32_t walk, ws_story_layer *layer)
{
    const ws_walk_window *window = &of->windows[index];
    layer->walked = window->path;
    layer->window_steps = window->steps;
    layer->straightness = window->path > 0 ? window->net / window->path : NAN;
    layer->update_ratio = window->steps ? window->path / (double)window->steps / window->weight : NAN;
    layer->gradient_change = window->gradient / window->early_gradient;
    ws_components components = {.explained = {NAN, NAN, NAN}};
    if (layer->kind == WS_CONVOLUTION)
        ws_components_of(&of->view.sums[walk], &components);
    memcpy(layer->explained, components.explained, sizeof layer->explained);
}

static int tell_layer(telling *of, uint32_t index, uint32_t walk)
{
    const uint32_t weights = WS_SCALAR_COLUMNS + 3 * index;
    const uint64_t last = of->view.rows - 1;
    ws_story_layer *layer = &of->story.layers[index];
    *layer = (ws_story_layer){.name = of->view.layers[index],
                              .kind = of->view.kinds[index],
                              .initial = initial_of(of, weights),
                              .weight = of->view.columns[weights][last],
                              .gradient = of->view.columns[weights + 1][last],
                              .distance = of->view.columns[weights + 2][last]};
    tell_slopes(of, index, layer);
    tell_walk(of, index, walk, layer);
    return tell_growth(of, index, layer);
}

static void tell_scalars(telling *of)
{
    const double *const *columns = of->view.columns;
    const uint64_t last = of->view.rows - 1;
    of->story.loss = columns[3][last];
    of->story.accuracy = columns[4][last];
    of->story.learning_rate = columns[5][last];
    of->story.validation_loss = columns[6][last];
    of->story.validation_accuracy = columns[7][last];
}

static int read_rows(telling *of, const char *path, uint64_t window)
{
    ws_story *story = &of->story;
    int status = ws_history_tail_read(of->tail, UINT64_MAX - 1, of->curve);
    if (status)
        return status;
    ws_curve_look(of->curve, &of->view);
    if (of->view.rows == 0 || norm_rows(of) == 0)
        return ws_fail(WS_BAD_FILE, "%s: has no step yet", path);
    story->last_step = ws_curve_last(of->curve);
    story->rows = norm_rows(of);
    story->layer_count = of->view.layer_count;
    story->from = !window ? story->last_step / 2 : window < story->last_step ? story->last_step - window : 0;
    story->from += story->from == 0;
    of->windows = calloc(story->layer_count + 1, sizeof *of->windows);
    of->increase = calloc(of->view.rows, sizeof *of->increase);
    story->layers = calloc(story->layer_count + 1, sizeof *story->layers);
    if (!of->windows || !of->increase || !story->layers)
        return no_memory(path);
    return ws_walk_window_read(path, ws_history_tail_layout(of->tail), story->from, story->last_step,
                               story->last_step / 10, of->windows);
}

static int tell(telling *of, const char *path, uint64_t window)
{
    int status = ws_history_tail_open(path, &of->tail);
    if (status == WS_OK)
        status = ws_curve_create(ws_history_tail_layout(of->tail), &of->curve);
    if (status == WS_OK)
        status = read_rows(of, path, window);
    uint32_t walk = 0;
    for (uint32_t i = 0; status == WS_OK && i < of->story.layer_count; i++) {
        status = tell_layer(of, i, walk);
        walk += of->view.kinds[i] == WS_CONVOLUTION;
    }
    if (status == WS_OK)
        tell_scalars(of);
    return status;
}

int ws_story_read(const char *path, uint64_t window, ws_story **out)
{
    telling *of = calloc(1, sizeof *of);
    if (!of)
        return no_memory(path);
    of->story.size = sizeof of->story;
    const int status = tell(of, path, window);
    if (status)
        ws_story_free(&of->story);
    else
        *out = &of->story;
    return status;
}

void ws_story_free(ws_story *story)
{
    if (!story)
        return;
    telling *of = (telling *)story;
    free(story->layers);
    ws_curve_free(of->curve);
    ws_history_tail_close(of->tail);
    free(of->windows);
    free(of->increase);
    free(of);
}
