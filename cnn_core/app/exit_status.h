/* SPDX-License-Identifier: BSD-3-Clause */
/* The exit statuses of every command. A training ended by a signal has 128 + its number, as shells expect. */
#ifndef APP_EXIT_STATUS_H
#define APP_EXIT_STATUS_H

enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1, /* it began, and something failed */
    EXIT_BAD_INPUT =
        2, /* the call, or a file or folder it names, cannot be used; nothing was begun or changed */
};

#endif
