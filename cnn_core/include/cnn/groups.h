/* SPDX-License-Identifier: BSD-3-Clause */
/* Groups of similar units, by complete linkage: within a group every pair is as similar as asked for. */
#ifndef CNN_GROUPS_H
#define CNN_GROUPS_H

#include <stdint.h>

/* A correlation this far below the threshold still reaches it: exact copies differ by rounding of float32. */
#define CNN_GROUPS_ROUNDING 1e-9

typedef struct cnn_groups_options {
    double threshold; /* [-1, 1]; -1: every pair is similar enough */
    int keep;    /* join no further once so many units are left (groups and those alone); 0: no such end */
    int most;    /* at most so many units fewer; 0: any number */
    int minimum; /* never fewer units left, >= 1 */
} cnn_groups_options;

/* Groups `count` units by a symmetric matrix [count, count] of correlations (cnn_similarity.pearson). The two
 * groups whose least similar pair is most similar are joined first, among equals those that begin with the
 * lowest units, until no pair of groups reaches the threshold or one of the other limits is met.
 * `state` (cnn_unit_state, [count]; NULL: all alive): dead units count as 1 with one another (each is a
 * multiple of the other, or of nothing) and as -1 with all others; units that are not finite join nobody.
 * Writes group[count]: -1 for a unit alone, else the number of its group; groups are numbered from 0 in the
 * order of their first units. Returns the number of groups, or CNN_BAD_ARGUMENT (names the option, the value
 * and the limit), CNN_NO_MEMORY; on error group is untouched. Time is that of count^2 as a rule. Any thread.
 */
int cnn_groups_find(const double *pearson, const uint8_t *state, int count, const cnn_groups_options *options,
                    int32_t *group);

#endif
