/* SPDX-License-Identifier: BSD-3-Clause */
/* A real training of a tiny network in a temporary folder, to be asked between two steps. */
#ifndef FUZZ_SMALL_SESSION_H
#define FUZZ_SMALL_SESSION_H

#include "session_parts.h"

/* The training after three steps: nothing is asked of it yet, but its knobs may be turned and its filters
 * merged by what came before. It is another one now and then. */
app_session *small_session(void);

/* Goes back before the merge that is to be undone, if one is. */
app_session *small_session_return(void);

#endif
