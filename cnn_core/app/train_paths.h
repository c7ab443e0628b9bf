/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APP_TRAIN_PATHS_H
#define APP_TRAIN_PATHS_H

#include "options.h"

/* A run is resumed from wherever: its record holds paths that do not depend on the folder of the call. Makes
 * those of the options of `train` absolute; one that does not exist stays, and is told when it is read.
 * Returns 0 or a status of cnn_core. */
int train_paths_make_absolute(option_values *values);

#endif
