/* SPDX-License-Identifier: BSD-3-Clause */
/* Which processes beside a training give way to it. Where the system does not allow a change, all stays as it
 * is. */
#ifndef WEIGHTSCAPE_PRIORITY_H
#define WEIGHTSCAPE_PRIORITY_H

/* All threads of this process get what the processors have left. */
void ws_priority_idle(void);

/* All threads of this process are as any other. */
void ws_priority_normal(void);

/* This thread, and those that it will start, give way, but not wholly: somebody sits at a viewer and waits.
 */
void ws_priority_viewer(void);

/* When memory runs out it is this process that goes. */
void ws_priority_expendable(void);

#endif
