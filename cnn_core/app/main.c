/* SPDX-License-Identifier: BSD-3-Clause */
/* The program: finds the command and lets it run. */
#include "cnn/status.h"
#include "command.h"
#include "exit_status.h"
#include "help.h"
#include "launch.h"
#include "rank_follow.h"
#include "tell.h"
#include "text.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A follower ends as rank 0 does, whatever its own call is. */
static int parse_and_run(const app_command *command, int argc, char **argv)
{
    option_values *values = NULL;
    const int parsed = options_parse(command, argc, argv, &values);
    if (launch_is_follower()) {
        const int status = rank_follow(values);
        options_free(values);
        return status;
    }
    if (parsed != OPTIONS_GOOD)
        return parsed == OPTIONS_HELPED ? EXIT_DONE : EXIT_BAD_INPUT;
    const int status = command->run(command, values);
    options_free(values);
    return status;
}

static int run_command(const app_command *command, int argc, char **argv)
{
    char *name = text_format("weightscape %s", command->name);
    argv[0] = name; /* popt's usage line shows it */
    tell_as(command->name);
    int status = EXIT_BAD_INPUT;
    if (command->has_ranks && launch_join())
        tell_error("%s", cnn_message());
    else
        status = launch_leave(parse_and_run(command, argc, argv));
    free(name);
    return status;
}

/* What was printed counts as done only when it has arrived. */
static int flush_output(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    tell_error("standard output cannot be written");
    return status ? status : EXIT_FAILED;
}

/* JSON that lacks what there was no memory for looks whole. */
static void *memory_of_json(size_t size)
{
    return memory_of(1, size);
}

int main(int argc, char **argv)
{
    json_set_alloc_funcs(memory_of_json, free);
    const char *name = argc > 1 ? argv[1] : NULL;
    if (!name) {
        tell_error("a command is missing (weightscape --help lists them)");
        return EXIT_BAD_INPUT;
    }
    if (!strcmp(name, "--version")) {
        puts("weightscape " WEIGHTSCAPE_VERSION);
        return flush_output(EXIT_DONE);
    }
    if (!strcmp(name, "--help") || !strcmp(name, "-h")) {
        help_of_program();
        return flush_output(EXIT_DONE);
    }
    const app_command *command = command_find(name);
    if (!command) {
        tell_error("\"%s\" is no command (weightscape --help lists them)", name);
        return EXIT_BAD_INPUT;
    }
    return flush_output(run_command(command, argc - 1, argv + 1));
}
