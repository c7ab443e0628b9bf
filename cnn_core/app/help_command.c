/* SPDX-License-Identifier: BSD-3-Clause */
/* The command `help`: the program's help, or the manual page. */
#include "command.h"
#include "exit_status.h"
#include "help.h"
#include "manual.h"

static const app_option options[] = {
    {.name = "man", .kind = OPTION_FLAG, .help = "Print the manual page's source"},
    {0},
};

static int run(const app_command *self, option_values *values)
{
    (void)self;
    if (option_text(values, "man"))
        manual_print();
    else
        help_of_program();
    return EXIT_DONE;
}

const app_command command_help = {.name = "help",
                                  .operands = "",
                                  .summary = "this list, or the manual page",
                                  .details = "weightscape COMMAND --help explains a command.",
                                  .options = options,
                                  .run = run};
