/* SPDX-License-Identifier: BSD-3-Clause */
#include "diagnose_parts.h"
#include "json_number.h"
#include <math.h>
#include <stdlib.h>

static json_t *interval_of(const ws_measured *measured)
{
    return json_pack("{s:o, s:o, s:o}", "value", json_number(measured->value), "low",
                     json_number(measured->low), "high", json_number(measured->high));
}

static json_t *growth_of(const ws_growth *growth)
{
    static const char *const states[] = {"known", "too short", "does not grow", "no values"},
                             *const laws[] = {"open", "sqrt", "log"};
    json_t *object =
        json_pack("{s:s, s:o}", "state", states[growth->state], "exponent", interval_of(&growth->exponent));
    if (growth->state == WS_GROWTH_KNOWN)
        json_object_update_new(
            object,
            json_pack("{s:s, s:o, s:o, s:o, s:I, s:I, s:I}", "law", laws[growth->law], "preference",
                      json_number(growth->preference), "sqrt_misfit", json_number(growth->root_misfit),
                      "log_misfit", json_number(growth->log_misfit), "first_step", (json_int_t)growth->first,
                      "last_step", (json_int_t)growth->last, "points", (json_int_t)growth->points));
    return object;
}

static json_t *components_of(const ws_story_layer *layer)
{
    json_t *list = json_array();
    for (int k = 0; k < WS_STORY_COMPONENTS; k++)
        json_array_append_new(list, json_number(layer->explained[k]));
    return list;
}

static json_t *layer_of(const diagnosis *found, uint32_t index)
{
    const ws_story_layer *layer = &found->story->layers[index];
    const update_length *update = found->updates ? &found->updates[index] : NULL;
    char *sentence = diagnosis_sentence(found->story, layer);
    json_t *object = json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:s}", "name",
        layer->name, "kind", layer->kind == WS_CONVOLUTION ? "convolution" : "other", "initial_l2",
        json_number(layer->initial), "weight_l2", json_number(layer->weight), "distance_l2",
        json_number(layer->distance), "gradient_l2", json_number(layer->gradient), "norm_growth",
        growth_of(&layer->norm_growth), "distance_growth", growth_of(&layer->distance_growth), "gamma",
        interval_of(&layer->gamma), "gamma_before", interval_of(&layer->gamma_before), "gradient_change",
        json_number(layer->gradient_change), "straightness", json_number(layer->straightness),
        "mean_update_ratio", json_number(layer->update_ratio), "explained", components_of(layer),
        "walk_steps", (json_int_t)layer->window_steps, "says", sentence);
    json_object_set_new(object, "last_update_ratio", json_number(update ? update->ratio : NAN));
    json_object_set_new(object, "last_update_step", json_integer(update ? (json_int_t)update->step : 0));
    free(sentence);
    return object;
}

void diagnosis_print_json(const diagnosis *found)
{
    const ws_story *story = found->story;
    json_t *layers = json_array(), *null = json_array(),
           *warnings = json_object_get(found->record, "warnings");
    for (uint32_t i = 0; i < story->layer_count; i++)
        if (found->layer < 0 || found->layer == (int)i)
            json_array_append_new(layers, layer_of(found, i));
    for (int k = 1; k <= WS_STORY_COMPONENTS; k++)
        json_array_append_new(null, json_number(ws_walk_null(k)));
    json_t *object = json_pack("{s:s, s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "run",
                               found->path, "status", found->status, "step", (json_int_t)story->last_step,
                               "window_from", (json_int_t)story->from, "loss", json_number(story->loss),
                               "accuracy", json_number(story->accuracy), "validation_accuracy",
                               json_number(story->validation_accuracy), "random_walk_explained", null,
                               "layers", layers, "warnings", warnings ? json_incref(warnings) : json_array(),
                               "filters", found->filters ? json_incref(found->filters) : json_array(),
                               "threshold", json_number(found->threshold));
    json_dumpf(object, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(object);
}
