/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of all commands. */
#include "command.h"
#include <string.h>

const app_command *const commands[] = {
    &command_train,  &command_eval,       &command_info,    &command_merge,
    &command_export, &command_watch,      &command_replay,  &command_gui,
    &command_ctl,    &command_sweep,      &command_compare, &command_diagnose,
    &command_doctor, &command_completion, &command_help,    NULL};

const app_command *command_find(const char *name)
{
    size_t i = 0;
    while (commands[i] && strcmp(commands[i]->name, name))
        i++;
    return commands[i];
}
