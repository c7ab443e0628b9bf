/* SPDX-License-Identifier: BSD-3-Clause */
/* At which steps something is wanted, as rules that can be worked out for any step, in any process: whoever
 * trains knows what was asked for even when the process that asked hangs or has died. Plain data without
 * pointers. */
#ifndef WEIGHTSCAPE_SCHEDULE_H
#define WEIGHTSCAPE_SCHEDULE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WS_SCHEDULE_RULES  32
#define WS_SCHEDULE_LAYERS 256 /* layers beyond this many are wanted whenever anything is */
#define WS_SCHEDULE_KINDS  3   /* of what is wanted: as many as ws_wants has bits */
#define WS_KIND_WORDS      (WS_SCHEDULE_LAYERS / 64)

/* What is wanted of which layers: for each bit of ws_wants, in their order, a set of layers, a bit each. */
typedef struct ws_layer_set {
    uint64_t words[WS_SCHEDULE_KINDS * WS_KIND_WORDS];
} ws_layer_set;

/* Steps s with first <= s <= last and (s - phase) % every == 0. */
typedef struct ws_rule {
    uint64_t first, last;
    uint64_t every; /* >= 1 */
    uint64_t phase; /* <= first */
    ws_layer_set layers;
} ws_rule;

/* Zero-initialised: nothing is wanted. */
typedef struct ws_schedule {
    uint32_t count;
    uint32_t has_live;
    ws_layer_set live; /* what a viewer looks at who is shown what is newest, whenever that is; without
                          has_live: what the rules say, or all weights if there are none */
    ws_rule rules[WS_SCHEDULE_RULES];
} ws_schedule;

/* Adds a rule; one for the same steps gains its layers. When all places are taken, the last rule becomes
 * "every step from the earlier first to the later last": more than was asked for, never less. */
void ws_schedule_add(ws_schedule *schedule, const ws_rule *rule);

/* Adds all rules of `other`. */
void ws_schedule_join(ws_schedule *schedule, const ws_schedule *other);

/* The first step >= from at which anything is wanted, UINT64_MAX if none. */
uint64_t ws_schedule_next(const ws_schedule *schedule, uint64_t from);

/* Whether anything is wanted at `step`; adds what to *layers (may be NULL). */
int ws_schedule_wants(const ws_schedule *schedule, uint64_t step, ws_layer_set *layers);

/* Everything that any rule asks for, whenever that is. */
void ws_schedule_all(const ws_schedule *schedule, ws_layer_set *out);

/* Whether every rule is one that ws_schedule_add could have made: for schedules that came from elsewhere. */
int ws_schedule_is_sound(const ws_schedule *schedule);

/* Adds what `wants`, bits of ws_wants, says of a layer. */
void ws_layer_set_add(ws_layer_set *set, uint32_t layer, uint32_t wants);

/* What is wanted of a layer: bits of ws_wants. Of one beyond WS_SCHEDULE_LAYERS: weights always, else what is
 * wanted of any layer. */
uint32_t ws_layer_set_of(const ws_layer_set *set, uint32_t layer);

#ifdef __cplusplus
}
#endif
#endif
