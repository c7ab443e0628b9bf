/* SPDX-License-Identifier: BSD-3-Clause */
#include "schedule.h"
#include "weightscape/insitu.h"
#include <string.h>

/* The words of one kind; bit `kind` of ws_wants. */
static const uint64_t *kind_of(const ws_layer_set *set, int kind)
{
    return set->words + kind * WS_KIND_WORDS;
}

void ws_layer_set_add(ws_layer_set *set, uint32_t layer, uint32_t wants)
{
    /* Those beyond share the last bit but for weights, which they always have. */
    const uint32_t bit = layer < WS_SCHEDULE_LAYERS ? layer : WS_SCHEDULE_LAYERS - 1;
    for (int kind = layer < WS_SCHEDULE_LAYERS ? 0 : 1; kind < WS_SCHEDULE_KINDS; kind++)
        if (wants >> kind & 1)
            set->words[kind * WS_KIND_WORDS + (int)(bit / 64)] |= (uint64_t)1 << bit % 64;
}

static int is_empty(const uint64_t *words)
{
    for (int i = 0; i < WS_KIND_WORDS; i++)
        if (words[i])
            return 0;
    return 1;
}

uint32_t ws_layer_set_of(const ws_layer_set *set, uint32_t layer)
{
    uint32_t wants = layer < WS_SCHEDULE_LAYERS ? 0 : WS_WANTS_WEIGHTS;
    for (int kind = 0; kind < WS_SCHEDULE_KINDS; kind++) {
        const uint64_t *words = kind_of(set, kind);
        if (layer < WS_SCHEDULE_LAYERS ? words[layer / 64] >> layer % 64 & 1 : !is_empty(words))
            wants |= 1u << kind;
    }
    return wants;
}

static void add_layers(ws_layer_set *to, const ws_layer_set *from)
{
    for (size_t i = 0; i < sizeof to->words / sizeof *to->words; i++)
        to->words[i] |= from->words[i];
}

static int is_same_time(const ws_rule *a, const ws_rule *b)
{
    return a->first == b->first && a->last == b->last && a->every == b->every &&
           a->phase % a->every == b->phase % b->every;
}

/* Makes `rule` cover what `other` asks for, too. */
static void widen(ws_rule *rule, const ws_rule *other)
{
    rule->first = other->first < rule->first ? other->first : rule->first;
    rule->last = other->last > rule->last ? other->last : rule->last;
    rule->every = 1;
    rule->phase = 0;
    add_layers(&rule->layers, &other->layers);
}

void ws_schedule_add(ws_schedule *schedule, const ws_rule *rule)
{
    for (uint32_t i = 0; i < schedule->count; i++)
        if (is_same_time(&schedule->rules[i], rule)) {
            add_layers(&schedule->rules[i].layers, &rule->layers);
            return;
        }
    if (schedule->count < WS_SCHEDULE_RULES)
        schedule->rules[schedule->count++] = *rule;
    else
        widen(&schedule->rules[WS_SCHEDULE_RULES - 1], rule);
}

void ws_schedule_join(ws_schedule *schedule, const ws_schedule *other)
{
    schedule->has_live |= other->has_live;
    add_layers(&schedule->live, &other->live);
    for (uint32_t i = 0; i < other->count; i++)
        ws_schedule_add(schedule, &other->rules[i]);
}

static uint64_t next_of(const ws_rule *rule, uint64_t from)
{
    const uint64_t start = from > rule->first ? from : rule->first;
    const uint64_t past = (start - rule->phase) % rule->every;
    const uint64_t wait = past ? rule->every - past : 0;
    return start > rule->last || wait > rule->last - start ? UINT64_MAX : start + wait;
}

uint64_t ws_schedule_next(const ws_schedule *schedule, uint64_t from)
{
    uint64_t next = UINT64_MAX;
    for (uint32_t i = 0; i < schedule->count; i++) {
        const uint64_t found = next_of(&schedule->rules[i], from);
        next = found < next ? found : next;
    }
    return next;
}

int ws_schedule_wants(const ws_schedule *schedule, uint64_t step, ws_layer_set *layers)
{
    int wants = 0;
    for (uint32_t i = 0; i < schedule->count; i++) {
        if (step == UINT64_MAX || next_of(&schedule->rules[i], step) != step)
            continue;
        wants = 1;
        if (layers)
            add_layers(layers, &schedule->rules[i].layers);
    }
    return wants;
}

void ws_schedule_all(const ws_schedule *schedule, ws_layer_set *out)
{
    *out = (ws_layer_set){{0}};
    for (uint32_t i = 0; i < schedule->count; i++)
        add_layers(out, &schedule->rules[i].layers);
}

int ws_schedule_is_sound(const ws_schedule *schedule)
{
    if (schedule->count > WS_SCHEDULE_RULES)
        return 0;
    for (uint32_t i = 0; i < schedule->count; i++)
        if (schedule->rules[i].every == 0 || schedule->rules[i].phase > schedule->rules[i].first)
            return 0;
    return 1;
}
