/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmocka_headers.h"
#include "schedule.h"
#include "weightscape/insitu.h"
#include <string.h>

/* Steps are tried one by one up to here; rules end before it or never. */
enum { HORIZON = 300, ROUNDS = 300, LAYERS = 6 };

static uint64_t dice_state = 88172645463325252u;

static uint64_t dice(uint64_t sides)
{
    dice_state ^= dice_state << 13;
    dice_state ^= dice_state >> 7;
    dice_state ^= dice_state << 17;
    return dice_state % sides;
}

static ws_rule random_rule(void)
{
    ws_rule rule = {.first = dice(60), .every = 1 + dice(40)};
    rule.last = dice(4) ? rule.first + dice(200) : UINT64_MAX;
    rule.phase = dice(rule.first + 1);
    for (int i = 0; i < 2; i++)
        ws_layer_set_add(&rule.layers, (uint32_t)dice(LAYERS) * 50, (uint32_t)dice(8));
    return rule;
}

/* The definition, word for word. */
static int rule_wants(const ws_rule *rule, uint64_t step)
{
    return rule->first <= step && step <= rule->last && (step - rule->phase) % rule->every == 0;
}

static int any_wants(const ws_rule *rules, int count, uint64_t step, ws_layer_set *layers)
{
    int wants = 0;
    for (int i = 0; i < count; i++) {
        if (!rule_wants(&rules[i], step))
            continue;
        wants = 1;
        for (int k = 0; k < WS_SCHEDULE_KINDS * WS_KIND_WORDS; k++)
            layers->words[k] |= rules[i].layers.words[k];
    }
    return wants;
}

static void assert_asks_for(const ws_schedule *schedule, const ws_rule *rules, int count)
{
    uint64_t next = UINT64_MAX;
    for (uint64_t step = HORIZON; step-- > 0;) {
        ws_layer_set expected = {0}, found = {0};
        const int wants = any_wants(rules, count, step, &expected);
        assert_int_equal(ws_schedule_wants(schedule, step, &found), wants);
        assert_int_equal(ws_schedule_wants(schedule, step, NULL), wants);
        assert_memory_equal(&found, &expected, sizeof found);
        next = wants ? step : next;
        if (next != UINT64_MAX)
            assert_int_equal(ws_schedule_next(schedule, step), next);
    }
}

static void test_rules_ask_for_what_they_say(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        ws_schedule schedule = {0};
        ws_rule rules[8];
        const int count = 1 + (int)dice(8);
        for (int i = 0; i < count; i++) {
            rules[i] = random_rule();
            ws_schedule_add(&schedule, &rules[i]);
        }
        assert_true(ws_schedule_is_sound(&schedule));
        assert_asks_for(&schedule, rules, count);
    }
}

static void test_nothing_is_wanted_of_an_empty_one(void **state)
{
    (void)state;
    const ws_schedule schedule = {0};
    assert_int_equal(ws_schedule_next(&schedule, 0), UINT64_MAX);
    assert_false(ws_schedule_wants(&schedule, 0, NULL));
    assert_true(ws_schedule_is_sound(&schedule));
}

static void test_after_the_last_step_comes_none(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        ws_schedule schedule = {0};
        ws_rule rule = random_rule();
        rule.last = rule.first + dice(100);
        ws_schedule_add(&schedule, &rule);
        uint64_t last = UINT64_MAX;
        for (uint64_t step = 0; step < HORIZON; step++)
            last = rule_wants(&rule, step) ? step : last;
        assert_int_equal(ws_schedule_next(&schedule, last == UINT64_MAX ? 0 : last + 1), UINT64_MAX);
    }
}

/* The largest numbers do not wrap around. */
static void test_the_largest_steps(void **state)
{
    (void)state;
    ws_schedule schedule = {0};
    const ws_rule rule = {.first = 7, .last = UINT64_MAX - 1, .every = (uint64_t)1 << 63, .phase = 5};
    const uint64_t only = rule.phase + rule.every;
    ws_schedule_add(&schedule, &rule);
    assert_int_equal(ws_schedule_next(&schedule, 0), only);
    assert_int_equal(ws_schedule_next(&schedule, only), only);
    assert_int_equal(ws_schedule_next(&schedule, only + 1), UINT64_MAX);
    assert_int_equal(ws_schedule_next(&schedule, UINT64_MAX - 1), UINT64_MAX);
    assert_true(ws_schedule_wants(&schedule, only, NULL));
    assert_false(ws_schedule_wants(&schedule, UINT64_MAX - 1, NULL));
}

static void test_rules_for_the_same_steps_share_a_place(void **state)
{
    (void)state;
    ws_schedule schedule = {0};
    ws_rule rules[3] = {{.first = 20, .last = 90, .every = 10, .phase = 3},
                        {.first = 20, .last = 90, .every = 10, .phase = 13},
                        {.first = 20, .last = 91, .every = 10, .phase = 3}};
    for (uint32_t i = 0; i < 3; i++)
        ws_layer_set_add(&rules[i].layers, i, WS_WANTS_WEIGHTS);
    ws_schedule_add(&schedule, &rules[0]);
    ws_schedule_add(&schedule, &rules[1]);
    assert_int_equal(schedule.count, 1);
    ws_schedule_add(&schedule, &rules[2]);
    assert_int_equal(schedule.count, 2);
    assert_asks_for(&schedule, rules, 3);
}

/* With more rules than there are places, nothing that was asked for is missing, and nothing comes outside of
 * all. */
static void test_too_many_rules_ask_for_more_and_never_less(void **state)
{
    (void)state;
    enum { MANY = WS_SCHEDULE_RULES + 20 };
    for (int round = 0; round < ROUNDS / 10; round++) {
        ws_schedule schedule = {0};
        ws_rule rules[MANY];
        uint64_t first = UINT64_MAX, last = 0;
        for (int i = 0; i < MANY; i++) {
            rules[i] = random_rule();
            rules[i].first += 20;
            rules[i].last = rules[i].first + (uint64_t)i; /* so that no two are for the same steps */
            first = rules[i].first < first ? rules[i].first : first;
            last = rules[i].last > last ? rules[i].last : last;
            ws_schedule_add(&schedule, &rules[i]);
        }
        assert_int_equal(schedule.count, WS_SCHEDULE_RULES);
        assert_true(ws_schedule_is_sound(&schedule));
        for (uint64_t step = 0; step < HORIZON; step++) {
            ws_layer_set expected = {0}, found = {0};
            const int wants = any_wants(rules, MANY, step, &expected);
            const int gets = ws_schedule_wants(&schedule, step, &found);
            assert_true(gets || !wants);
            assert_true(!gets || (first <= step && step <= last));
            for (int k = 0; k < WS_SCHEDULE_KINDS * WS_KIND_WORDS; k++)
                assert_int_equal(expected.words[k] & ~found.words[k], 0);
        }
    }
}

static void test_joined_schedules_ask_for_both(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        ws_schedule parts[2] = {{0}, {0}};
        ws_rule rules[10];
        for (int i = 0; i < 10; i++) {
            rules[i] = random_rule();
            ws_schedule_add(&parts[i % 2], &rules[i]);
        }
        ws_schedule_join(&parts[0], &parts[1]);
        assert_asks_for(&parts[0], rules, 10);
    }
}

static void test_unsound_schedules_are_found(void **state)
{
    (void)state;
    const ws_schedule sound = {.count = 2,
                               .rules = {{.first = 1, .last = 9, .every = 1, .phase = 1}, {.every = 1}}};
    assert_true(ws_schedule_is_sound(&sound));
    ws_schedule damaged = sound;
    damaged.count = WS_SCHEDULE_RULES + 1;
    assert_false(ws_schedule_is_sound(&damaged));
    damaged = sound;
    damaged.rules[1].every = 0;
    assert_false(ws_schedule_is_sound(&damaged));
    damaged = sound;
    damaged.rules[0].phase = 2;
    assert_false(ws_schedule_is_sound(&damaged));
}

static void test_layers_beyond_the_set_are_always_in_it(void **state)
{
    (void)state;
    ws_layer_set set = {0};
    ws_layer_set_add(&set, 0, WS_WANTS_WEIGHTS);
    ws_layer_set_add(&set, 255, WS_WANTS_WEIGHTS);
    ws_layer_set_add(&set, 256, WS_WANTS_WEIGHTS);
    for (uint32_t i = 0; i < 300; i++)
        assert_int_equal(ws_layer_set_of(&set, i), i == 0 || i >= 255 ? WS_WANTS_WEIGHTS : 0);
}

/* What costs something is not wanted of layers beyond, unless somebody wants it of some layer. */
static void test_each_kind_has_layers_of_its_own(void **state)
{
    (void)state;
    ws_layer_set set = {0};
    ws_layer_set_add(&set, 3, WS_WANTS_WEIGHTS | WS_WANTS_CORRELATION);
    ws_layer_set_add(&set, 70, WS_WANTS_CORRELATION);
    assert_int_equal(ws_layer_set_of(&set, 3), WS_WANTS_WEIGHTS | WS_WANTS_CORRELATION);
    assert_int_equal(ws_layer_set_of(&set, 70), WS_WANTS_CORRELATION);
    assert_int_equal(ws_layer_set_of(&set, 4), 0);
    assert_int_equal(ws_layer_set_of(&set, 300), WS_WANTS_WEIGHTS | WS_WANTS_CORRELATION);
    set = (ws_layer_set){0};
    ws_layer_set_add(&set, 300, WS_WANTS_ACTIVATIONS);
    assert_int_equal(ws_layer_set_of(&set, 400), WS_WANTS_WEIGHTS | WS_WANTS_ACTIVATIONS);
    assert_int_equal(ws_layer_set_of(&set, 3), 0);
}

static void test_all_is_what_any_rule_asks_for(void **state)
{
    (void)state;
    ws_schedule schedule = {0};
    ws_rule rules[2] = {{.last = 9, .every = 1}, {.first = 20, .last = 29, .every = 2}};
    ws_layer_set_add(&rules[0].layers, 1, WS_WANTS_WEIGHTS);
    ws_layer_set_add(&rules[1].layers, 1, WS_WANTS_ACTIVATIONS);
    ws_schedule_add(&schedule, &rules[0]);
    ws_schedule_add(&schedule, &rules[1]);
    ws_layer_set all;
    ws_schedule_all(&schedule, &all);
    assert_int_equal(ws_layer_set_of(&all, 1), WS_WANTS_WEIGHTS | WS_WANTS_ACTIVATIONS);
    assert_int_equal(ws_layer_set_of(&all, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules_ask_for_what_they_say),
        cmocka_unit_test(test_nothing_is_wanted_of_an_empty_one),
        cmocka_unit_test(test_after_the_last_step_comes_none),
        cmocka_unit_test(test_the_largest_steps),
        cmocka_unit_test(test_rules_for_the_same_steps_share_a_place),
        cmocka_unit_test(test_too_many_rules_ask_for_more_and_never_less),
        cmocka_unit_test(test_joined_schedules_ask_for_both),
        cmocka_unit_test(test_unsound_schedules_are_found),
        cmocka_unit_test(test_layers_beyond_the_set_are_always_in_it),
        cmocka_unit_test(test_each_kind_has_layers_of_its_own),
        cmocka_unit_test(test_all_is_what_any_rule_asks_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
