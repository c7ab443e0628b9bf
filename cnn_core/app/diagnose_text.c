/* SPDX-License-Identifier: BSD-3-Clause */
#include "diagnose_filters.h"
#include "diagnose_parts.h"
#include "text.h"
#include "warnings_text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELL = 40 };

static int is_told(const diagnosis *found, uint32_t index)
{
    return found->layer < 0 || found->layer == (int)index;
}

/* ---- cells ---- */

static const char *number(const char *format, double value, char out[CELL])
{
    if (isfinite(value))
        snprintf(out, CELL, format, value);
    else
        snprintf(out, CELL, "-");
    return out;
}

static const char *interval(const ws_measured *measured, char out[CELL])
{
    if (isfinite(measured->value))
        snprintf(out, CELL, "%.2f [%.2f, %.2f]", measured->value, measured->low, measured->high);
    else
        snprintf(out, CELL, "-");
    return out;
}

static const char *law_of(const ws_growth *growth)
{
    static const char *const laws[] = {"open", "sqrt(t)", "ln t"};
    return growth->state == WS_GROWTH_KNOWN ? laws[growth->law] : "-";
}

/* ---- tables ---- */

static void print_growth(const diagnosis *found)
{
    const ws_story *story = found->story;
    printf("\n%-10s %10s %10s  %-20s %-8s %-20s %-8s %s\n", "growth", "norm, step 0", "norm",
           "increase ~ t^p", "better", "distance ~ t^p", "better", "gamma, window");
    for (uint32_t i = 0; i < story->layer_count; i++) {
        const ws_story_layer *layer = &story->layers[i];
        char initial[CELL], weight[CELL], norm[CELL], distance[CELL], gamma[CELL];
        if (is_told(found, i))
            printf("%-10s %12s %10s  %-20s %-8s %-20s %-8s %s\n", layer->name,
                   number("%.4g", layer->initial, initial), number("%.4g", layer->weight, weight),
                   interval(&layer->norm_growth.exponent, norm), law_of(&layer->norm_growth),
                   interval(&layer->distance_growth.exponent, distance), law_of(&layer->distance_growth),
                   interval(&layer->gamma, gamma));
    }
}

static void print_walks(const diagnosis *found)
{
    const ws_story *story = found->story;
    printf("\n%-10s %12s %12s %14s %14s %10s  %s\n", "walk", "straightness", "random walk", "update/weight",
           "last update", "gradient", "components 1, 2, 3 (%)");
    for (uint32_t i = 0; i < story->layer_count; i++) {
        const ws_story_layer *layer = &story->layers[i];
        char straight[CELL], null[CELL], update[CELL], last[CELL], gradient[CELL], parts[3][CELL];
        if (!is_told(found, i))
            continue;
        for (int k = 0; k < 3; k++)
            number("%5.1f", 100 * layer->explained[k], parts[k]);
        if (isnan(layer->explained[0]))
            parts[1][0] = parts[2][0] = '\0';
        printf("%-10s %12s %12s %14s %14s %10s  %s %s %s\n", layer->name,
               number("%.4f", layer->straightness, straight),
               number("%.4f", layer->window_steps ? 1 / sqrt((double)layer->window_steps) : NAN, null),
               number("%.2e", layer->update_ratio, update),
               number("%.2e", found->updates ? found->updates[i].ratio : NAN, last),
               number("x %.2f", layer->gradient_change, gradient), parts[0], parts[1], parts[2]);
    }
    printf("%-10s %12s %12s %14s %14s %10s  %5.1f %5.1f %5.1f\n", "at random", "", "", "", "", "",
           100 * ws_walk_null(1), 100 * ws_walk_null(2), 100 * ws_walk_null(3));
}

static void print_head(const diagnosis *found)
{
    const ws_story *story = found->story;
    char loss[CELL], accuracy[CELL], validation[CELL];
    printf("%s: step %llu, %s; loss %s, accuracy %s, validation %s\n", found->path,
           (unsigned long long)story->last_step, found->status, number("%.4g", story->loss, loss),
           number("%.1f %%", 100 * story->accuracy, accuracy),
           number("%.2f %%", 100 * story->validation_accuracy, validation));
    printf("window: steps %llu to %llu; intervals are of 95 %%\n", (unsigned long long)story->from,
           (unsigned long long)story->last_step);
}

static void print_warnings(const json_t *record)
{
    const json_t *warnings = json_object_get(record, "warnings");
    const char *wanted = json_string_value(json_object_get(json_object_get(record, "options"), "warnings"));
    putchar('\n');
    warnings_print(warnings, "", "warning", 8);
    if (wanted && !strcmp(wanted, "off"))
        puts("warnings were off");
    else if (!warnings)
        puts("no record of warnings");
    else if (!json_array_size(warnings))
        puts("no warnings");
}

void diagnosis_print(const diagnosis *found)
{
    const ws_story *story = found->story;
    print_head(found);
    print_growth(found);
    print_walks(found);
    diagnose_filters_print(found->filters, found->threshold);
    putchar('\n');
    for (uint32_t i = 0; i < story->layer_count; i++) {
        if (!is_told(found, i))
            continue;
        char *sentence = diagnosis_sentence(story, &story->layers[i]);
        printf("%s: %s\n", story->layers[i].name, sentence);
        free(sentence);
    }
    print_warnings(found->record);
}
