/* SPDX-License-Identifier: BSD-3-Clause */
/* What --help prints, from the tables of the commands. */
#ifndef APP_HELP_H
#define APP_HELP_H

#include "command.h"
#include <popt.h>
#include <stdio.h>

/* The command's options for popt: option number i of `count` returns i + 1, --help count + 1, and --no-NAME
 * of option number i count + 2 + i. Free with help_free_popt_table, after the context that uses it. */
struct poptOption *help_popt_table(const app_command *command);
void help_free_popt_table(struct poptOption *table);

/* The help of one command, and of the program, on standard output. */
void help_of_command(const app_command *command, poptContext context);
void help_of_program(void);

/* An option's help with its default, if it has one; the caller frees it. */
char *help_of_option(const app_option *option);

/* The help of every --no-NAME. */
extern const char help_of_undoing[];

#endif
