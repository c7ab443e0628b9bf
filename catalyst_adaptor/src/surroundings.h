/* SPDX-License-Identifier: BSD-3-Clause */
/* The environment of child processes: the host's, but for what launchers of parallel jobs put there. A child
 * that took itself for a rank of the job would join it, and the job would wait for it. */
#ifndef WEIGHTSCAPE_SURROUNDINGS_H
#define WEIGHTSCAPE_SURROUNDINGS_H

/* Variables, the last followed by NULL, borrowed from this process's environment; the list itself is to be
 * freed. NULL: no memory. */
char **ws_surroundings_of_child(void);

#endif
