/* SPDX-License-Identifier: BSD-3-Clause */
/* The subcommands as data: what parses, explains and completes them reads the same tables. */
#ifndef APP_COMMAND_H
#define APP_COMMAND_H

#include "options.h"

typedef struct app_command {
    const char *name;
    const char *operands;      /* as in the usage line, e.g. "RUN"; "" for none */
    int least, most;           /* how many operands */
    const char *words;         /* what the second operand is one of, separated by `|`; NULL: anything */
    const char *summary;       /* a few words */
    const char *details;       /* paragraphs, separated by an empty line; each is wrapped where it is shown */
    const app_option *options; /* ends with a row without a name */
    int (*run)(const struct app_command *self, option_values *values); /* returns the exit status */
    int has_ranks; /* copies of it that a launcher starts are one job */
} app_command;

extern const app_command command_train, command_eval, command_info, command_merge, command_export,
    command_watch, command_replay, command_gui, command_ctl, command_sweep, command_compare, command_diagnose,
    command_doctor, command_completion, command_help;

/* All commands, in the order of the manual; NULL at the end. */
extern const app_command *const commands[];

/* The command called `name`, NULL if there is none. */
const app_command *command_find(const char *name);

#endif
