/* SPDX-License-Identifier: BSD-3-Clause */
#include "request.h"
#include "message.h"
#include <stdlib.h>
#include <string.h>

json_t *ws_request_script(const ws_script *script)
{
    json_t *arguments = json_array();
    for (uint32_t i = 0; i < script->argument_count; i++)
        json_array_append_new(arguments, json_string(script->arguments[i]));
    return json_pack("{s:s, s:s, s:o}", "path", script->path, "folder", script->folder, "arguments",
                     arguments);
}

int ws_request_read_script(const json_t *json, ws_script *out)
{
    const char *path, *folder;
    json_t *list;
    if (json_unpack((json_t *)json, "{s:s, s:s, s:o}", "path", &path, "folder", &folder, "arguments",
                    &list) != 0)
        return ws_fail(WS_BAD_ARGUMENT, "the request holds no script");
    char **arguments = calloc(json_array_size(list) + 1, sizeof *arguments);
    *out = (ws_script){.path = strdup(path), .arguments = arguments, .folder = strdup(folder)};
    int is_whole = arguments && out->path && out->folder;
    for (size_t i = 0; is_whole && i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        arguments[i] = text ? strdup(text) : NULL;
        is_whole = arguments[i] != NULL;
        out->argument_count += (uint32_t)is_whole;
    }
    if (is_whole)
        return WS_OK;
    ws_script_free(out);
    return ws_fail(WS_NO_MEMORY, "no memory for a script");
}

json_t *ws_request_layers(const ws_layers *layers)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < layers->count; i++)
        json_array_append_new(
            list, json_pack("{s:s, s:i}", "name", layers->at[i].name, "kind", layers->at[i].kind));
    return list;
}

int ws_request_read_layout(const json_t *list, ws_row_layout *out)
{
    const uint32_t count = (uint32_t)json_array_size(list);
    const char **names = calloc(count + 1, sizeof *names);
    int32_t *kinds = calloc(count + 1, sizeof *kinds);
    int status = names && kinds ? WS_OK : ws_fail(WS_NO_MEMORY, "no memory for %u layers", count);
    for (uint32_t i = 0; i < count && status == WS_OK; i++) {
        const json_t *layer = json_array_get(list, i);
        names[i] = json_string_value(json_object_get(layer, "name"));
        kinds[i] = (int32_t)json_integer_value(json_object_get(layer, "kind"));
        if (!names[i])
            status = ws_fail(WS_BAD_ARGUMENT, "layer %u has no name", i);
    }
    ws_layers layers = {0};
    if (status == WS_OK)
        status = ws_layers_named(count, names, kinds, &layers);
    if (status == WS_OK)
        status = ws_row_layout_of(&layers, out);
    ws_layers_free(&layers);
    free(names);
    free(kinds);
    return status;
}

/* JSON has no 64-bit unsigned numbers: sets go as hexadecimal words, "never" as -1. */
static json_t *rule_to_json(const ws_rule *rule)
{
    json_t *words = json_array();
    for (size_t i = 0; i < sizeof rule->layers.words / sizeof *rule->layers.words; i++) {
        char word[17];
        snprintf(word, sizeof word, "%llx", (unsigned long long)rule->layers.words[i]);
        json_array_append_new(words, json_string(word));
    }
    return json_pack("[I, I, I, I, o]", (json_int_t)rule->first, (json_int_t)rule->last,
                     (json_int_t)rule->every, (json_int_t)rule->phase, words);
}

json_t *ws_request_schedule(const ws_schedule *schedule)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < schedule->count; i++)
        json_array_append_new(list, rule_to_json(&schedule->rules[i]));
    return list;
}

void ws_request_rules(const json_t *list, ws_schedule *out)
{
    *out = (ws_schedule){0};
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_int_t first, last, every, phase;
        json_t *words;
        if (json_unpack(json_array_get(list, i), "[I, I, I, I, o]", &first, &last, &every, &phase, &words) !=
            0)
            continue;
        ws_schedule one = {
            .count = 1,
            .rules = {{(uint64_t)first, (uint64_t)last, (uint64_t)every, (uint64_t)phase, {{0}}}}};
        for (size_t j = 0; j < json_array_size(words) && j < WS_SCHEDULE_KINDS * WS_KIND_WORDS; j++)
            one.rules[0].layers.words[j] = strtoull(json_string_value(json_array_get(words, j))
                                                        ? json_string_value(json_array_get(words, j))
                                                        : "0",
                                                    NULL, 16);
        if (ws_schedule_is_sound(&one))
            ws_schedule_join(out, &one);
    }
}
