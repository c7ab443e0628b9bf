/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/groups.h"
#include "cnn/number.h"
#include "cnn/similarity.h"
#include "cnn/status.h"
#include <stdlib.h>
#include <string.h>

/* Groups as they grow; each is called by its lowest unit. */
typedef struct linkage {
    int count;
    int left;      /* groups, those of one unit included */
    double *least; /* [count,count] similarity of the least similar pair of two groups */
    int *best;  /* [count] the group after this one that is most similar to it, the lowest of equals; -1: no
                   group is after it */
    int *group; /* [count] the group that a unit is in */
} linkage;

static int check_options(const cnn_groups_options *options)
{
    char text[CNN_NUMBER_SIZE];
    if (!(options->threshold >= -1 && options->threshold <= 1))
        return cnn_fail(CNN_BAD_ARGUMENT, "threshold: %s is not in -1..1",
                        cnn_format_real(options->threshold, text));
    if (options->keep < 0)
        return cnn_fail(CNN_BAD_ARGUMENT, "keep: %d is not at least 0", options->keep);
    if (options->most < 0)
        return cnn_fail(CNN_BAD_ARGUMENT, "most: %d is not at least 0", options->most);
    if (options->minimum < 1)
        return cnn_fail(CNN_BAD_ARGUMENT, "minimum: %d is not at least 1", options->minimum);
    return CNN_OK;
}

/* Dead units are alike, and as unlike all others as can be; below -1 is what no threshold admits. */
static double similarity(const double *pearson, const uint8_t *state, int count, int i, int j)
{
    const int a = state ? state[i] : CNN_UNIT_ALIVE, b = state ? state[j] : CNN_UNIT_ALIVE;
    if (a == CNN_UNIT_ALIVE && b == CNN_UNIT_ALIVE)
        return pearson[(size_t)i * (size_t)count + (size_t)j];
    if (a == CNN_UNIT_NOT_FINITE || b == CNN_UNIT_NOT_FINITE)
        return -2;
    return a == CNN_UNIT_DEAD && b == CNN_UNIT_DEAD ? 1 : -1;
}

static double *least(const linkage *l, int i, int j)
{
    return &l->least[(size_t)i * (size_t)l->count + (size_t)j];
}

static int is_there(const linkage *l, int i)
{
    return l->group[i] == i;
}

static void find_best(linkage *l, int i)
{
    l->best[i] = -1;
    for (int j = i + 1; j < l->count; j++)
        if (is_there(l, j) && (l->best[i] < 0 || *least(l, i, j) > *least(l, i, l->best[i])))
            l->best[i] = j;
}

/* Joins group b to a, which is before it. */
static void join(linkage *l, int a, int b)
{
    for (int k = 0; k < l->count; k++)
        if (l->group[k] == b)
            l->group[k] = a;
    l->left--;
    for (int k = 0; k < l->count; k++)
        if (is_there(l, k) && k != a && *least(l, b, k) < *least(l, a, k))
            *least(l, a, k) = *least(l, k, a) = *least(l, b, k);
    for (int k = 0; k < b; k++)
        if (is_there(l, k) && (k == a || l->best[k] == a || l->best[k] == b))
            find_best(l, k);
}

/* The pair that is joined next: its first group, or -1. */
static int closest(const linkage *l, double threshold)
{
    int a = -1;
    for (int i = 0; i < l->count; i++)
        if (is_there(l, i) && l->best[i] >= 0 &&
            (a < 0 || *least(l, i, l->best[i]) > *least(l, a, l->best[a])))
            a = i;
    return a >= 0 && *least(l, a, l->best[a]) >= threshold - CNN_GROUPS_ROUNDING ? a : -1;
}

static int number_groups(const linkage *l, int32_t *group)
{
    int groups = 0;
    for (int i = 0; i < l->count; i++)
        group[i] = -1;
    for (int i = 0; i < l->count; i++)
        if (l->group[i] != i) {
            /* The lowest unit of each group comes first, but is not known to have company before. */
            if (group[l->group[i]] < 0)
                group[l->group[i]] = -2;
            group[i] = -2;
        }
    for (int i = 0; i < l->count; i++)
        if (group[i] == -2)
            group[i] = is_there(l, i) ? groups++ : group[l->group[i]];
    return groups;
}

static void link_all(linkage *l, const cnn_groups_options *options)
{
    int fewest = options->minimum > options->keep ? options->minimum : options->keep;
    if (options->most && l->count - options->most > fewest)
        fewest = l->count - options->most;
    for (int i = 0; i < l->count; i++)
        find_best(l, i);
    while (l->left > fewest) {
        const int a = closest(l, options->threshold);
        if (a < 0)
            return;
        join(l, a, l->best[a]);
    }
}

int cnn_groups_find(const double *pearson, const uint8_t *state, int count, const cnn_groups_options *options,
                    int32_t *group)
{
    int result = check_options(options);
    if (result)
        return result;
    const size_t size = (size_t)count;
    linkage l = {.count = count,
                 .left = count,
                 .least = malloc(size * size * sizeof *l.least + 1),
                 .best = malloc(size * sizeof *l.best + 1),
                 .group = malloc(size * sizeof *l.group + 1)};
    if (l.least && l.best && l.group) {
        for (int i = 0; i < count; i++) {
            l.group[i] = i;
            for (int j = 0; j < count; j++)
                *least(&l, i, j) = similarity(pearson, state, count, i, j);
        }
        link_all(&l, options);
        result = number_groups(&l, group);
    } else {
        result = cnn_fail(CNN_NO_MEMORY, "groups: no memory for %d units", count);
    }
    free(l.least);
    free(l.best);
    free(l.group);
    return result;
}
