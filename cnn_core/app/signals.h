/* SPDX-License-Identifier: BSD-3-Clause */
/* SIGINT and SIGTERM end a training after its step; a second one ends the process at once. */
#ifndef APP_SIGNALS_H
#define APP_SIGNALS_H

/* Ignores SIGPIPE and SIGXFSZ: a reader of the progress that goes away, or a limit on file sizes, is an error
 * of one write, not the end of the process. */
void signals_let_writes_fail(void);

/* Catches both, except where the parent has them ignored. */
void signals_catch(void);

/* Another process of the same job has caught one: as if it had been caught here, unless one was. */
void signals_note(int number);

/* The signal that asked for the end, 0 if none has. */
int signals_caught(void);

#endif
