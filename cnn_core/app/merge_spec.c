/* SPDX-License-Identifier: BSD-3-Clause */
#include "merge_spec.h"
#include "cnn/number.h"
#include "cnn/status.h"
#include "text.h"
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_COUNT ((uint64_t)1000000000000)
#define MOST_LOSS  1e6

enum { MOST_UNITS = 1 << 20, MOST_PROBE = 1000000, DEFAULT_PROBE = 1000 };

merge_spec merge_spec_defaults(void)
{
    return (merge_spec){
        .options = cnn_merge_defaults(), .has_threshold = 1, .bound = INFINITY, .probe = DEFAULT_PROBE};
}

/* ---- values ---- */

/* `name` begins the message, as "--merge: keep". */
static int read_whole(const char *name, const char *text, int least, int *out)
{
    uint64_t value;
    const int status = cnn_parse_whole(name, text, (uint64_t)least, MOST_UNITS, &value);
    if (!status)
        *out = (int)value;
    return status;
}

static int take_threshold(const char *name, char *value, merge_spec *spec)
{
    spec->has_threshold = 1;
    return cnn_parse_real(name, value, -1, 1, &spec->options.threshold);
}

static int take_keep(const char *name, char *value, merge_spec *spec)
{
    int status = CNN_OK;
    for (char *rest = value, *word; !status && (word = strsep(&rest, "+")); spec->keep_count++) {
        if (spec->keep_count == MERGE_LAYERS_MOST)
            return cnn_fail(CNN_BAD_ARGUMENT, "%s: more than %d numbers", name, MERGE_LAYERS_MOST);
        status = read_whole(name, word, 1, &spec->keep[spec->keep_count]);
    }
    return status;
}

static int take_most(const char *name, char *value, merge_spec *spec)
{
    return read_whole(name, value, 1, &spec->options.most);
}

static int take_minimum(const char *name, char *value, merge_spec *spec)
{
    return read_whole(name, value, 1, &spec->options.minimum);
}

static int take_layers(const char *name, char *value, merge_spec *spec)
{
    for (char *rest = value, *word; (word = strsep(&rest, "+"));) {
        if (!*word || strlen(word) >= CNN_NAME_SIZE)
            return cnn_fail(CNN_BAD_ARGUMENT, "%s: \"%s\" is no name of a layer", name, word);
        for (int i = 0; i < spec->layer_count; i++)
            if (!strcmp(spec->layers[i], word))
                return cnn_fail(CNN_BAD_ARGUMENT, "%s: \"%s\" is named twice", name, word);
        if (spec->layer_count == MERGE_LAYERS_MOST)
            return cnn_fail(CNN_BAD_ARGUMENT, "%s: more than %d layers", name, MERGE_LAYERS_MOST);
        strcpy(spec->layers[spec->layer_count++], word);
    }
    return CNN_OK;
}

static int take_method(const char *name, char *value, merge_spec *spec)
{
    if (!cnn_merge_method_parse(value, &spec->options.method))
        return CNN_OK;
    return cnn_fail(CNN_BAD_ARGUMENT, "%s: \"%s\" is not one of similar, norm, random", name, value);
}

static int take_bound(const char *name, char *value, merge_spec *spec)
{
    return cnn_parse_real(name, value, 0, MOST_LOSS, &spec->bound);
}

static int take_probe(const char *name, char *value, merge_spec *spec)
{
    uint64_t count;
    const int status = cnn_parse_whole(name, value, 1, MOST_PROBE, &count);
    if (!status)
        spec->probe = (uint32_t)count;
    return status;
}

/* "500", "500steps", "1epoch", "3epochs" */
static int read_time(const char *name, const char *text, merge_time *out)
{
    const size_t digits = strspn(text, "0123456789");
    const char *unit = text + digits;
    const int is_epochs = !strcmp(unit, "epoch") || !strcmp(unit, "epochs"),
              is_steps = !*unit || !strcmp(unit, "step") || !strcmp(unit, "steps");
    char *number = text_format("%.*s", (int)digits, text);
    const int bad = (!is_epochs && !is_steps) || cnn_parse_whole(name, number, 1, MOST_COUNT, &out->count);
    free(number);
    if (bad)
        return cnn_fail(CNN_BAD_ARGUMENT,
                        "%s: \"%s\" is neither a number of steps in 1..%llu nor of epochs "
                        "(500, 2epochs)",
                        name, text, (unsigned long long)MOST_COUNT);
    out->is_epochs = is_epochs;
    return CNN_OK;
}

static int take_at(const char *name, char *value, merge_spec *spec)
{
    int status = CNN_OK;
    for (char *rest = value, *word; !status && (word = strsep(&rest, "+")); spec->at_count++) {
        if (spec->at_count == MERGE_TIMES_MOST)
            return cnn_fail(CNN_BAD_ARGUMENT, "%s: more than %d times", name, MERGE_TIMES_MOST);
        status = read_time(name, word, &spec->at[spec->at_count]);
    }
    return status;
}

static int take_every(const char *name, char *value, merge_spec *spec)
{
    return read_time(name, value, &spec->every);
}

static int take_from(const char *name, char *value, merge_spec *spec)
{
    return read_time(name, value, &spec->from);
}

static int take_until(const char *name, char *value, merge_spec *spec)
{
    return read_time(name, value, &spec->until);
}

static const struct {
    const char *key;
    int (*take)(const char *name, char *value, merge_spec *spec);
} table[] = {
    {"threshold", take_threshold}, {"keep", take_keep},   {"most", take_most},   {"minimum", take_minimum},
    {"layers", take_layers},       {"at", take_at},       {"every", take_every}, {"from", take_from},
    {"until", take_until},         {"bound", take_bound}, {"probe", take_probe}, {"method", take_method},
};

enum { KEY_COUNT = sizeof table / sizeof *table };

static char *known_keys(void)
{
    char *keys = text_copy("");
    for (size_t i = 0; i < KEY_COUNT; i++) {
        char *longer = text_format("%s%s%s", keys, i ? ", " : "", table[i].key);
        free(keys);
        keys = longer;
    }
    return keys;
}

static int refuse_key(const char *what, const char *key)
{
    char *keys = known_keys();
    const int status = cnn_fail(CNN_BAD_ARGUMENT, "%s: unknown key \"%s\" (known: %s)", what, key, keys);
    free(keys);
    return status;
}

/* One "key=value". `seen` has a bit for each key that was there. */
static int take_pair(const char *what, char *pair, unsigned *seen, merge_spec *spec)
{
    char *value = strchr(pair, '=');
    if (!value)
        return cnn_fail(CNN_BAD_ARGUMENT, "%s: \"%s\" is not key=value", what, pair);
    *value++ = '\0';
    size_t i = 0;
    while (i < KEY_COUNT && strcmp(table[i].key, pair))
        i++;
    if (i == KEY_COUNT)
        return refuse_key(what, pair);
    if (*seen & 1u << i)
        return cnn_fail(CNN_BAD_ARGUMENT, "%s: %s is there twice", what, pair);
    *seen |= 1u << i;
    char *name = text_format("%s: %s", what, pair);
    const int status = table[i].take(name, value, spec);
    free(name);
    return status;
}

static int was_seen(unsigned seen, const char *key)
{
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (!strcmp(table[i].key, key))
            return (seen & 1u << i) != 0;
    return 0;
}

/* ---- combinations ---- */

static int check_numbers(const char *what, const merge_spec *spec)
{
    for (int i = 0; i < spec->keep_count; i++)
        if (spec->keep[i] < spec->options.minimum)
            return cnn_fail(CNN_BAD_ARGUMENT, "%s: keep: %d is below minimum=%d", what, spec->keep[i],
                            spec->options.minimum);
    if (spec->keep_count > 1 && spec->layer_count && spec->keep_count != spec->layer_count)
        return cnn_fail(CNN_BAD_ARGUMENT, "%s: keep: %d numbers for %d layers", what, spec->keep_count,
                        spec->layer_count);
    return CNN_OK;
}

static int check_method(const char *what, unsigned seen, const merge_spec *spec)
{
    const cnn_merge_method method = spec->options.method;
    if (method == CNN_MERGE_SIMILAR)
        return CNN_OK;
    if (was_seen(seen, "threshold"))
        return cnn_fail(CNN_BAD_ARGUMENT, "%s: threshold: method=%s looks at no similarity", what,
                        cnn_merge_method_name(method));
    if (!spec->keep_count && !spec->options.most)
        return cnn_fail(CNN_BAD_ARGUMENT, "%s: method=%s needs keep or most", what,
                        cnn_merge_method_name(method));
    return CNN_OK;
}

static int check_times(const char *what, const merge_spec *spec)
{
    const merge_time *from = &spec->from, *until = &spec->until;
    if (spec->at_count && spec->every.count)
        return cnn_fail(CNN_BAD_ARGUMENT, "%s: at and every exclude each other", what);
    if ((from->count || until->count) && !spec->every.count)
        return cnn_fail(CNN_BAD_ARGUMENT, "%s: %s needs every", what, from->count ? "from" : "until");
    if (from->count && until->count && from->is_epochs == until->is_epochs && from->count > until->count)
        return cnn_fail(CNN_BAD_ARGUMENT, "%s: from=%llu is after until=%llu", what,
                        (unsigned long long)from->count, (unsigned long long)until->count);
    return CNN_OK;
}

int merge_spec_parse(const char *what, const char *text, merge_spec *out)
{
    merge_spec spec = merge_spec_defaults();
    unsigned seen = 0;
    int status = CNN_OK;
    char *copy = text_copy(text), *rest = copy;
    for (char *pair; !status && (pair = strsep(&rest, ","));)
        status = take_pair(what, pair, &seen, &spec);
    free(copy);
    if (!status)
        status = check_numbers(what, &spec);
    if (!status)
        status = check_method(what, seen, &spec);
    if (!status)
        status = check_times(what, &spec);
    if (status)
        return status;
    /* Whoever says how many are to stay, or how many go, means the most similar ones of all. */
    if (!was_seen(seen, "threshold") && (spec.keep_count || spec.options.method != CNN_MERGE_SIMILAR)) {
        spec.has_threshold = 0;
        spec.options.threshold = -1;
    }
    *out = spec;
    return CNN_OK;
}

/* ---- when ---- */

int merge_spec_has_time(const merge_spec *spec)
{
    return spec->at_count || spec->every.count;
}

static int is_exactly(const merge_time *time, const cnn_place *place, uint64_t step)
{
    return time->is_epochs ? place->image == 0 && place->epoch == time->count : step == time->count;
}

static int is_before(const merge_time *time, const cnn_place *place, uint64_t step)
{
    return time->is_epochs ? place->epoch < time->count : step < time->count;
}

static int is_multiple(const merge_time *time, const cnn_place *place, uint64_t step)
{
    return time->is_epochs ? place->image == 0 && place->epoch % time->count == 0 : step % time->count == 0;
}

int merge_spec_is_due(const merge_spec *spec, const cnn_course *course, uint64_t step)
{
    if (!step || !merge_spec_has_time(spec))
        return 0;
    const cnn_place place = cnn_course_at(course, step);
    for (int i = 0; i < spec->at_count; i++)
        if (is_exactly(&spec->at[i], &place, step))
            return 1;
    return spec->every.count && is_multiple(&spec->every, &place, step) &&
           !(spec->from.count && is_before(&spec->from, &place, step)) &&
           (!spec->until.count || is_before(&spec->until, &place, step) ||
            is_exactly(&spec->until, &place, step));
}
