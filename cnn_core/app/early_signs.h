/* SPDX-License-Identifier: BSD-3-Clause */
/* Early signs that a training goes wrong, from its rows and from gradients that are there anyway. A step
 * costs some comparisons. docs/diagnosis.md gives the reasons of the thresholds. */
#ifndef APP_EARLY_SIGNS_H
#define APP_EARLY_SIGNS_H

#include "cnn/trainer.h"

typedef enum early_sign_kind {
    SIGN_DIVERGING,
    SIGN_STUCK,
    SIGN_NO_PROGRESS,
    SIGN_DEAD_FILTERS,
    SIGN_KINDS,
} early_sign_kind;

#define SIGN_TEXT_SIZE 320

typedef struct early_sign {
    early_sign_kind kind;
    uint64_t step;
    int is_not_finite;             /* the step itself is told to be so by whoever trains */
    char evidence[SIGN_TEXT_SIZE]; /* one line */
} early_sign;

/* For people, such as "stuck: learning rate too high", and for programs, such as "stuck". Static. */
const char *early_sign_reason(early_sign_kind kind);
const char *early_sign_name(early_sign_kind kind);

typedef struct early_signs early_signs;

/* `set` is what is trained on: its labels say how good guessing is. `from`: steps up to it do not count (the
 * schedule's warm-up, or what was before a resumption). The program ends without memory. */
early_signs *early_signs_begin(const cnn_dataset *set, uint64_t from);

/* That this kind was told already. */
void early_signs_forget(early_signs *signs, early_sign_kind kind);

/* Takes a step with the network after it and its batch. Returns 1, and fills *out, if there is a sign that
 * was not told before; call again with the same step until it returns 0. */
int early_signs_take(early_signs *signs, const cnn_step *step, const cnn_net *net, uint32_t batch,
                     early_sign *out);

void early_signs_end(early_signs *signs); /* NULL is allowed */

#endif
