/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APP_SWEEP_TRIAL_H
#define APP_SWEEP_TRIAL_H

#include "sweep_plan.h"

/* Tries what can be tried of every run before any begins: its options together, its data, its network, its
 * length, which it fills in. OPTIONS_GOOD, or OPTIONS_BAD after one line that names the run's values. */
int sweep_trial(sweep_plan *plan);

#endif
